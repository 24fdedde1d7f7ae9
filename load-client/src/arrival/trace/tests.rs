//! Tests of whole trace files, given as text.

use super::*;

fn format(speed: f64) -> TraceFormat {
    TraceFormat {
        demand: Some(("work".to_owned(), Duration::from_millis(1))),
        speed,
        ..TraceFormat::new("when")
    }
}

fn parse(text: &str) -> Result<Vec<TraceRow>, TraceError> {
    read(text.as_bytes(), "t.csv", &format(2.0))
}

fn row(at_ms: u64, demand_ms: u64) -> TraceRow {
    TraceRow {
        at: Duration::from_millis(at_ms),
        demand: Some(Duration::from_millis(demand_ms)),
    }
}

#[test]
fn replays_seconds_and_timestamps_scaled_and_in_order() {
    assert_eq!(
        parse("when,work\n100.5,3\n100.25,7\n").unwrap(),
        [row(0, 7), row(125, 3)]
    );
    let civil = "x,work,when\na,3,2023-11-16 18:17:03.9799600\nb,7,2023-11-16 18:17:04.9799600\n";
    assert_eq!(parse(civil).unwrap(), [row(0, 3), row(500, 7)]);
    let zoned = "when,work\n2023-11-16T18:17:03+01:00,3\n2023-11-16T17:17:05Z,7\n";
    assert_eq!(parse(zoned).unwrap(), [row(0, 3), row(1000, 7)]);
}

#[test]
fn names_file_line_and_column_of_what_is_wrong() {
    let error = |text: &str| parse(text).unwrap_err().to_string();
    assert_eq!(
        error("when,work\n1,1\nnoon,2\n"),
        "t.csv: line 3, column when: \"noon\" is neither a number of seconds nor a timestamp"
    );
    assert_eq!(
        error("when,work\n1,-1\n"),
        "t.csv: line 2, column work: \"-1\" is not a number from 0 that stays within 1h"
    );
    assert_eq!(
        error("when,work\n1,1\n2023-11-16 18:17:03,1\n"),
        "t.csv: line 3, column when: \"2023-11-16 18:17:03\" is of another kind than the times before it"
    );
    assert_eq!(
        error("when,work\n1,1\n2\n"),
        "t.csv: line 3: has 1 columns, the header has 2"
    );
    assert_eq!(
        error("then,work\n"),
        "t.csv: there is no column \"when\"; there are then, work"
    );
    assert_eq!(error("when,work\n"), "t.csv: has no rows");
}

#[test]
fn separators_follow_from_the_header_or_are_asked_for() {
    let rows = [row(0, 3), row(500, 7)];
    for text in [
        "when;work\n1;3\n2;7\n",
        "when\twork\r\n1\t3\r\n2\t7\r\n",
        "\u{feff}when | work\n1 | 3\n2 | 7\n",
        "\u{feff}\"when\",work\n1,3\n2,7\n",
        "when;work\r1;3\r2;7\r",
    ] {
        assert_eq!(parse(text).unwrap(), rows, "{text:?}");
    }
    let doubtful = "when;a,b\twork\n1;0,0\t3\n";
    assert_eq!(
        parse(doubtful).unwrap_err().to_string(),
        "t.csv: there is no column \"when\"; there are when;a, b\twork; --trace-separator says what stands between columns"
    );
    let colons = TraceFormat {
        separator: Some(b':'),
        ..format(2.0)
    };
    assert_eq!(
        read("when:work\n1:3\n2:7\n".as_bytes(), "t.csv", &colons).unwrap(),
        rows
    );
    let one_column = TraceFormat::new("a;b");
    assert_eq!(read("a;b\n1\n2\n".as_bytes(), "t.csv", &one_column).unwrap().len(), 2);
    let utf_16 = read(&b"\xff\xfew\0"[..], "t.csv", &one_column).unwrap_err();
    assert_eq!(utf_16.to_string(), "t.csv: line 1: is UTF-16; save the file as UTF-8");
}

#[test]
fn a_unit_scales_the_times() {
    let in_unit = |unit| TraceFormat {
        time_unit: Some(unit),
        ..format(2.0)
    };
    for (unit, text) in [
        (TimeUnit::Millis, "when,work\n1700000000000,3\n1700000001000,7\n"),
        (TimeUnit::Micros, "when,work\n1700000000000000,3\n1700000001000000,7\n"),
        (
            TimeUnit::Nanos,
            "when,work\n1700000000000000000,3\n1700000001000000000,7\n",
        ),
    ] {
        let rows = read(text.as_bytes(), "t.csv", &in_unit(unit)).unwrap();
        assert_eq!(rows, [row(0, 3), row(500, 7)]);
        assert!(parse(text).unwrap_err().to_string().contains("--trace-time-unit"));
    }
    let timestamp = "when,work\n2023-11-16 18:17:03,3\n";
    let refused = read(timestamp.as_bytes(), "t.csv", &in_unit(TimeUnit::Millis)).unwrap_err();
    assert!(
        refused
            .to_string()
            .ends_with("is a timestamp, and --trace-time-unit ms is for numbers")
    );
}

#[test]
fn extreme_numbers_are_errors_not_panics() {
    for text in [
        "NaN",
        "inf",
        "-inf",
        "1e300",
        "1e-300",
        "",
        "-0",
        "99999999999999999999999",
    ] {
        let _ = parse(&format!("when,work\n{text},1\n1,{text}\n"));
    }
}

#[test]
fn a_replay_that_would_outlast_the_clock_is_refused() {
    // An earlier version accepted this file, and the run panicked: an instant so far ahead cannot be represented.
    let far = "when,work\n0,0\n9300000000000,0\n";
    let in_seconds = TraceFormat {
        time_unit: Some(TimeUnit::Seconds),
        ..format(1e-6)
    };
    let refused = read(far.as_bytes(), "t.csv", &in_seconds).unwrap_err();
    let reason = "t.csv: takes longer than a year at 0.000001x; --speed replays it faster";
    assert_eq!(refused.to_string(), reason);
    let years = |length: u64| parse(&format!("when,work\n0,0\n{length},0\n"));
    assert!(years(2 * 366 * 24 * 3600).is_ok() && years(2 * 366 * 24 * 3600 + 2).is_err());
}

#[test]
fn a_unit_that_nobody_says_is_told() {
    let note = |column: &str, unit: Option<TimeUnit>, times: &[&str]| {
        let format = TraceFormat {
            time_unit: unit,
            ..TraceFormat::new(column)
        };
        let text = format!("{column}\n{}\n", times.join("\n"));
        recording(text.as_bytes(), "t.csv", &format).unwrap().note
    };
    for (times, seconds) in [
        (["0", "250", "500"], "500"),
        (["20240101", "20240102", "20240103"], "2"),
        (["45292.5", "45292.75", "45293"], "0.5"),
    ] {
        let right = format!("trace t.csv: times are read as seconds, so it lasts {seconds} s (--trace-time-unit)");
        assert_eq!(note("t", None, &times), Some(right));
        for column in ["t_s", "seconds", "elapsed (sec)"] {
            assert_eq!(note(column, None, &times), None, "{column}");
        }
        assert_eq!(note("t", Some(TimeUnit::Millis), &times), None);
        assert_eq!(note("t", Some(TimeUnit::Seconds), &times), None);
    }
    assert_eq!(note("t", None, &["1700000000.25", "1700000009"]), None);
    assert_eq!(note("t", None, &["2023-11-16 18:17:03", "2023-11-16 18:17:05"]), None);
    assert_eq!(note("t", None, &["7"]), None);
}
