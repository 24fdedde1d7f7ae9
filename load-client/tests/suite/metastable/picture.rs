//! Pictures of the labs: for each strategy a strip with its goodput over time. They have colours for light and dark pages.

use std::fmt::Write;

use super::share;
use load_client::report::{Report, Run};

const WIDTH: f64 = 760.0;
/// The x coordinate at which the strips begin. The names are on the left of it.
const LEFT: f64 = 130.0;
const STRIP: f64 = 46.0;
const GAP: f64 = 12.0;
/// The share of the scheduled requests at which a strip is full; larger shares are cut off.
const FULL: f64 = 1.3;

/// The first lines of an SVG picture, with its colours.
pub(super) fn begin(height: f64, label: &str) -> String {
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="{label}">
<style>
text {{ fill: #1f2328 }} .grid {{ stroke: #8c959f; fill: none; stroke-dasharray: 2 3 }} .good {{ fill: #1a7f37; fill-opacity: 0.75 }}
.cause {{ fill: #cf222e; fill-opacity: 0.16 }} .strip {{ fill: #d0d7de; fill-opacity: 0.35 }} .down {{ fill: #cf222e }}
@media (prefers-color-scheme: dark) {{
text {{ fill: #e6edf3 }} .grid {{ stroke: #8b949e }} .good {{ fill: #3fb950 }}
.cause {{ fill: #f85149; fill-opacity: 0.25 }} .strip {{ fill: #30363d; fill-opacity: 0.6 }} .down {{ fill: #f85149 }}
}}
</style>
"#
    )
}

/// A picture with a strip for each run of a report. The runs last for `seconds`. The time from the first to the last event of a
/// run is marked as the time of the fault.
pub(super) fn strips(report: &Report, seconds: u32) -> String {
    let length = f64::from(seconds);
    let height = report.runs.len() as f64 * (STRIP + GAP) + 44.0;
    let mut svg = begin(
        height,
        "Requests done within the SLO, as a share of those scheduled, over time, a strip for each strategy",
    );
    let x = |second: f64| LEFT + second / length * (WIDTH - LEFT - 10.0);
    for (row, run) in report.runs.iter().enumerate() {
        let top = 10.0 + row as f64 * (STRIP + GAP);
        let bottom = top + STRIP;
        writeln!(
            svg,
            r#"<text x="{}" y="{:.1}" text-anchor="end">{}</text>
<rect class="strip" x="{LEFT}" y="{top:.1}" width="{:.1}" height="{STRIP}"/>
<path class="good" d="M{LEFT} {bottom:.1}{}V{bottom:.1}Z"/>
<path class="grid" d="M{LEFT} {:.1}H{:.1}"/>"#,
            LEFT - 8.0,
            top + STRIP / 2.0 + 4.0,
            run.name,
            x(length) - LEFT,
            steps(run, seconds, bottom, x),
            bottom - STRIP / FULL,
            x(length),
        )
        .unwrap();
        if let [first, .., last] = run.events.as_deref().unwrap_or_default() {
            let (from, to) = (x(first.at_seconds), x(last.at_seconds));
            writeln!(
                svg,
                r#"<rect class="cause" x="{from:.1}" y="{top:.1}" width="{:.1}" height="{STRIP}"/>"#,
                to - from
            )
            .unwrap();
        }
    }
    for quarter in 0..=4 {
        let second = length * f64::from(quarter) / 4.0;
        let anchor = if quarter == 4 { "end" } else { "middle" };
        writeln!(
            svg,
            r#"<text x="{:.1}" y="{:.1}" text-anchor="{anchor}">{second} s</text>"#,
            x(second),
            height - 14.0
        )
        .unwrap();
    }
    svg.push_str("</svg>\n");
    svg
}

/// The outline of a run's goodput, in steps of a 120th of its length, rounded down to whole seconds.
fn steps(run: &Run, length: u32, bottom: f64, x: impl Fn(f64) -> f64) -> String {
    let step = (length / 120).max(1);
    let mut outline = String::new();
    for from in (0..length).step_by(step as usize) {
        let to = (from + step).min(length);
        let share = share(run, from..to);
        let share = if share.is_finite() { share.min(FULL) } else { 0.0 };
        let y = bottom - STRIP * share / FULL;
        write!(outline, "V{y:.1}H{:.1}", x(f64::from(to))).unwrap();
    }
    outline
}
