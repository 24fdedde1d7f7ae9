//! The curves by percentile on the page: they have every point of the report, and end at the longest time.

use std::collections::BTreeSet;

use super::{chart, drawn, minute, path, pieces};
use crate::support::markup::Element;

#[test]
fn a_curve_has_every_point_of_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let (page, report) = minute(folder.path());
    let curves = chart(&page, "virtual-percentiles-ok");
    for run in &report.runs {
        let points = pieces(path(curves, &run.name)).concat();
        assert_eq!(points.len(), run.response_time_curve.as_ref().unwrap()["ok"].len());
        // Times grow to the right, so the line never falls (y points down).
        assert!(
            points.is_sorted_by(|one, next| one.0 <= next.0 && one.1 >= next.1),
            "{}",
            run.name
        );
    }
}

#[test]
fn curves_share_a_plot_and_are_told_apart_by_a_legend() {
    let folder = tempfile::tempdir().unwrap();
    let (page, report) = minute(folder.path());
    let chart = chart(&page, "virtual-percentiles-done");
    let looks: BTreeSet<&str> = drawn(chart).iter().map(|path| path.get("class")).collect();
    assert_eq!(looks.len(), report.runs.len());
    let legend = page.named("ul").into_iter().find(|list| list.is("legend")).unwrap();
    let names: Vec<String> = legend.named("li").into_iter().map(Element::text).collect();
    let expected: Vec<&str> = report.runs.iter().map(|run| run.name.as_str()).collect();
    assert_eq!(names, expected);
    let shown: BTreeSet<&str> = legend.named("path").iter().map(|path| path.get("class")).collect();
    assert_eq!(shown, looks);
}
