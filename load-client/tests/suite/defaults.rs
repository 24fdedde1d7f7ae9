//! A service with default settings does not collapse at any load.

use std::path::Path;

use crate::support::{assert_balanced, named, report};

/// The goodput of both strategies of the lab at a rate, as a share of the capacity (4 workers with 20 ms for a message).
fn goodput(rps: &str) -> [f64; 2] {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("../labs/defaults.toml");
    let (output, report) = report(["compare", lab.to_str().unwrap(), "--virtual-time", "-q", "-r", rps]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    ["defaults", "long-line"].map(|name| {
        let run = named(&report, name);
        assert_balanced(run);
        assert_eq!(run.ledger.withheld, 0, "the loop is open");
        run.goodput_rps.unwrap() / 200.0
    })
}

#[test]
fn a_service_on_its_defaults_keeps_its_goodput_at_one_two_and_ten_times_its_capacity() {
    for (rps, least) in [("200", 0.93), ("400", 0.97), ("2000", 0.97)] {
        let [defaults, long_line] = goodput(rps);
        println!("{rps} requests per second: goodput {defaults:.3} of the capacity, with a long line {long_line:.3}");
        assert!(
            defaults >= least,
            "{rps} requests per second: {defaults:.3} of the capacity"
        );
        if rps != "200" {
            assert!(
                long_line < 0.5,
                "{long_line}: the long line is there to show a collapse"
            );
        }
    }
}
