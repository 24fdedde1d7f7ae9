//! A picture for light and dark pages: goodput against offered load, with a curve for each policy.

use std::fmt::Write;

use crate::{
    many,
    policy::Policy,
    scenario::{Late, Phase, Scenario, Times},
    world,
};

/// The simulated loads, as multiples of the capacity: evenly spaced on the logarithmic axis, 30 for each factor of ten.
fn loads() -> Vec<f64> {
    (0..70).map(|step| 0.5 * 10_f64.powf(f64::from(step) / 30.0)).collect()
}

/// The curves: for each a policy, its name in the picture, and its colours on light and on dark pages.
fn curves() -> [(Policy, &'static str, [&'static str; 2]); 5] {
    let long = Policy {
        places: Some(100),
        ..Policy::line("fifo")
    };
    let searching = Policy::limit("auto", 1000);
    [
        (Policy::line("auto"), "auto", ["#1a7f37", "#3fb950"]),
        (searching, "auto, not told the workers", ["#0969da", "#58a6ff"]),
        (Policy::line("shed"), "shed", ["#9a6700", "#d29922"]),
        (Policy::line("deadline"), "deadline", ["#8250df", "#bc8cff"]),
        (long, "fifo of 100", ["#cf222e", "#f85149"]),
    ]
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 380.0;
const LEFT: f64 = 60.0;
const TOP: f64 = 20.0;
/// Width and height of the area in which the curves are drawn.
const AREA: [f64; 2] = [500.0, 300.0];

fn x(load: f64) -> f64 {
    LEFT + AREA[0] * (load / 0.5).log10() / (100.0_f64 / 0.5).log10()
}

fn y(goodput: f64) -> f64 {
    TOP + AREA[1] * (1.0 - goodput / 1.05)
}

/// The goodput of a service with four workers, as a share of its capacity. Service times are exponential. Requests carry
/// the SLO of ten service times as their deadline. Work goes on after it, so a late answer costs a whole service time.
fn goodput(policy: &Policy, load: f64) -> f64 {
    let length = if load > 10.0 { 1500.0 } else { 4000.0 };
    let scenario = Scenario {
        workers: 4,
        times: Times::Exponential,
        slo: 10.0,
        deadlines: true,
        late: Late::GoesOn,
        classes: Vec::new(),
        phases: vec![Phase::new(length, load, 4)],
        seed: 1,
    };
    world::run(&scenario, policy).goodput(500.0, length) / 4.0
}

/// Runs the simulations of the picture. Returns the picture as an SVG document.
pub fn svg() -> String {
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"system-ui, sans-serif\" \
         font-size=\"13\" role=\"img\" aria-label=\"Goodput against offered load, one curve for each policy\">\n<style>\n\
         text {{ fill: #1f2328 }} .grid {{ stroke: #d0d7de; fill: none }} .curve {{ fill: none; stroke-width: 2.5 }}\n"
    );
    for (number, (_, _, [light, _])) in curves().iter().enumerate() {
        let _ = writeln!(text, ".c{number} {{ stroke: {light} }} .t{number} {{ fill: {light} }}");
    }
    text.push_str("@media (prefers-color-scheme: dark) {\ntext { fill: #e6edf3 } .grid { stroke: #30363d }\n");
    for (number, (_, _, [_, dark])) in curves().iter().enumerate() {
        let _ = writeln!(text, ".c{number} {{ stroke: {dark} }} .t{number} {{ fill: {dark} }}");
    }
    text.push_str("}\n</style>\n");
    for goodput in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let (at, right) = (y(goodput), LEFT + AREA[0]);
        let _ = writeln!(text, "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{right}\"/>");
        let (left, below) = (LEFT - 8.0, at + 4.0);
        let _ = writeln!(
            text,
            "<text x=\"{left}\" y=\"{below:.1}\" text-anchor=\"end\">{:.0} %</text>",
            100.0 * goodput
        );
    }
    for load in [0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0] {
        let (at, bottom) = (x(load), TOP + AREA[1]);
        let _ = writeln!(text, "<path class=\"grid\" d=\"M{at:.1} {TOP}V{bottom}\"/>");
        let below = bottom + 18.0;
        let _ = writeln!(
            text,
            "<text x=\"{at:.1}\" y=\"{below}\" text-anchor=\"middle\">{load}×</text>"
        );
    }
    let (middle, below) = (LEFT + AREA[0] / 2.0, TOP + AREA[1] + 40.0);
    let _ = writeln!(
        text,
        "<text x=\"{middle}\" y=\"{below}\" text-anchor=\"middle\">offered load, times the capacity</text>"
    );
    let mut ends = Vec::new();
    for (number, (policy, name, _)) in curves().iter().enumerate() {
        let points = many::map(&loads(), |&load| (x(load), y(goodput(policy, load))));
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
        let _ = writeln!(text, "<path class=\"curve c{number}\" d=\"M{}\"/>", path.join("L"));
        ends.push((points.last().map_or(0.0, |point| point.1), number, *name));
    }
    // Each name stands at the right end of its curve, and names are at least one line apart.
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut lowest = TOP;
    for (end, number, name) in ends {
        let at = (end + 4.0).max(lowest);
        lowest = at + 18.0;
        let right = LEFT + AREA[0] + 10.0;
        let _ = writeln!(
            text,
            "<text class=\"t{number}\" x=\"{right}\" y=\"{at:.1}\">{name}</text>"
        );
    }
    text.push_str("</svg>\n");
    text
}
