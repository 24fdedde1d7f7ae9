//! Tests what is drawn, on a buffer instead of a terminal.

use std::sync::Arc;

use ratatui::{Terminal, backend::TestBackend, buffer::Buffer, style::Color};

use super::{played, scenario, seconds, strategies};
use crate::{
    ledger::AttemptCounts,
    scenario::{Rpc, Scenario},
    ui::view::{draw, model::RunModel, palette::Palette},
};

const COLOURS: Palette = Palette { colours: true };
const NONE: Palette = Palette { colours: false };

fn drawn(runs: &[RunModel], (width, height): (u16, u16), asked: u8, palette: Palette) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw::draw(frame, runs, asked, palette)).unwrap();
    terminal.backend().buffer().clone()
}

fn rows(buffer: &Buffer) -> Vec<String> {
    let width = usize::from(buffer.area.width);
    let cells = buffer.content.chunks(width);
    cells
        .map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect())
        .collect()
}

fn screen(runs: &[RunModel], size: (u16, u16), palette: Palette) -> String {
    rows(&drawn(runs, size, 0, palette)).join("\n")
}

fn assert_shows(screen: &str, words: &[&str]) {
    for words in words {
        assert!(screen.contains(words), "{words:?} is not on\n{screen}");
    }
}

#[test]
fn five_strategies_stand_side_by_side_on_a_terminal_of_the_usual_size() {
    let runs = strategies(seconds(10));
    let screen = screen(&runs, (80, 24), COLOURS);
    assert_shows(
        &screen,
        &[
            "● async-unbounded ",
            "● async-scaled ",
            "● async-bounded ",
            "● sync ",
            "● sync-shed ",
            "goodput",
            "done",
            "rejected",
            "withheld",
            "dropped",
            "other",
            "8.0/s offered to each",
            "10.0 s of 15.0 s",
            "\nin system",
            "\ntime to done",
            "\n  2.0 s ┤",
            "\n     10 ┤",
            "5 s",
            "15 s",
            "q, Esc or Ctrl-C ends the run, with its report",
        ],
    );
    for row in screen.lines().filter(|row| row.starts_with('●')) {
        let values: Vec<&str> = row.split_whitespace().skip(2).collect();
        // The first columns are goodput, done, rejected and withheld; in system is near the end. A queue says ok before
        // the message is done.
        let done = if row.contains("async") { "20" } else { "40" };
        assert_eq!(values[..4], ["4.0", done, "40", "0"], "{row}");
        assert_eq!(values[6], "10", "{row}");
    }
}

#[test]
fn a_larger_terminal_shows_more() {
    let runs = strategies(seconds(10));
    let screen = screen(&runs, (120, 40), COLOURS);
    assert_shows(
        &screen,
        &[
            "done",
            "ok",
            "expired",
            "unavailable",
            "failed",
            "flight",
            "depth",
            "\ngoodput",
            "\n   5.0/s ┤",
        ]
        .map(|words| words.trim_start_matches("\n   ")),
    );
}

#[test]
fn one_run_shows_its_outcomes_and_its_quantiles_above_the_service() {
    let run = [played("http://127.0.0.1:50051", Rpc::Process, seconds(10))];
    let screen = screen(&run, (80, 24), COLOURS);
    assert_shows(
        &screen,
        &[
            "http://127.0.0.1:50051  process",
            "8.0/s offered",
            "goodput",
            "ok",
            "rejected",
            "expired",
            "unavailable",
            "failed",
            "withheld",
            "flight",
            "response time of ok   ● p50",
            "● p99",
            "● max   1.0 s",
            "the service   ● in system      10   ● queue depth       5",
        ],
    );
    let at = |words: &str| screen.find(words).unwrap();
    assert!(at("response time of ok") < at("the service"));
    // Both end at the same column: they have the same time axis.
    let (times, levels) = screen.split_at(at("the service"));
    let rightmost = |chart: &str| {
        let braille = |c: char| ('\u{2801}'..='\u{28ff}').contains(&c);
        chart
            .lines()
            .filter_map(|row| row.chars().collect::<Vec<_>>().iter().rposition(|c| braille(*c)))
            .max()
    };
    assert_eq!(rightmost(times), rightmost(levels));
    assert!(rightmost(times).is_some());
    let queued = [played("q", Rpc::Enqueue, seconds(10))];
    assert_shows(
        &super::drawing::screen(&queued, (80, 24), COLOURS),
        &[
            "time to done   ● p99   2.0 s",
            "acknowledgement time",
            "done",
            "ok",
            "dropped",
            "the service",
        ],
    );
}

#[test]
fn clients_that_retry_show_their_attempts() {
    let mut run = played("http://127.0.0.1:50051", Rpc::Process, seconds(10));
    let before = screen(std::slice::from_ref(&run), (120, 24), COLOURS);
    assert!(!before.contains("attempts"), "{before}");
    let mut scenario = Scenario::clone(&run.scenario);
    scenario.policies.retries = 3;
    run.scenario = Arc::new(scenario);
    // 80 requests have ended.
    run.reading.attempts = AttemptCounts {
        attempts: 101,
        ok: 40,
        rejected: 60,
        in_flight: 1,
        retried_then_ok: 7,
        given_up_by_budget: 5,
        ..AttemptCounts::default()
    };
    let after = screen(&[run], (120, 24), COLOURS);
    assert_shows(&after, &["attempts", "per req", "1.25", "ok after", "given"]);
}

#[test]
fn nothing_moves_while_values_change() {
    let places = |length| {
        let screen = screen(&strategies(length), (80, 24), COLOURS);
        let labels = [
            "goodput",
            "rejected",
            "p99 to",
            "in system",
            "time to done",
            "┴",
            " of 15.0 s",
        ];
        labels.map(|label| screen.find(label).map(|at| screen[..at].chars().count()))
    };
    let (early, late) = (places(seconds(1)), places(seconds(14)));
    assert_eq!(early, late);
    assert!(early.iter().all(Option::is_some), "{early:?}");
}

#[test]
fn without_colours_every_line_has_a_letter() {
    let runs = strategies(seconds(10));
    for runs in [&runs[..], &runs[3..4]] {
        let buffer = drawn(runs, (80, 24), 0, NONE);
        let colourless = |cell: &ratatui::buffer::Cell| cell.fg == Color::Reset && cell.bg == Color::Reset;
        assert!(buffer.content.iter().all(colourless));
    }
    let screen = screen(&runs, (80, 24), NONE);
    assert_shows(&screen, &["a async-unbounded", "e sync-shed"]);
    assert!(screen.contains("ddd") || screen.contains("eee"), "{screen}");
    let coloured = drawn(&runs, (80, 24), 0, COLOURS);
    assert!(coloured.content.iter().any(|cell| cell.fg == Color::Cyan));
}

#[test]
fn the_last_row_says_what_the_keys_do_next() {
    let runs = strategies(seconds(1));
    let last = |asked| rows(&drawn(&runs, (80, 24), asked, COLOURS)).pop().unwrap();
    assert!(last(0).contains("ends the run"));
    assert!(last(1).contains("again: report at once"));
    assert!(last(2).contains("again: leave without a report"));
}

#[test]
fn no_size_is_too_small_and_no_number_of_runs_too_large() {
    let five = strategies(seconds(3));
    let many: Vec<RunModel> = (0..40)
        .map(|index| played(&format!("target-{index}"), Rpc::Process, seconds(1)))
        .collect();
    let fresh = [RunModel::new(
        "http://a-very-long-name.of-a-service.example:50051".repeat(4),
        scenario(Rpc::Process),
    )];
    for (width, height) in (0..=30).flat_map(|width| (0..=12).map(move |height| (width, height))) {
        for runs in [&five[..], &five[..1], &many, &fresh] {
            drawn(runs, (width, height), 0, COLOURS);
        }
    }
    assert_shows(&rows(&drawn(&five, (20, 5), 0, COLOURS)).join("\n"), &["q, Esc"]);
    assert_shows(
        &screen(&many, (80, 24), COLOURS),
        &["target-0", "and 33 more", "time to done"],
    );
}

#[test]
fn a_service_that_nobody_watches_has_no_chart() {
    let live = crate::live::Live::default();
    let mut run = RunModel::new("run".to_owned(), scenario(Rpc::Process));
    live.enter(crate::live::Phase::Loading);
    run.add_sample(Some(seconds(1)), &live.read(), live.times());
    let screen = screen(&[run], (80, 24), COLOURS);
    assert_shows(&screen, &["response time of ok"]);
    assert!(!screen.contains("in system"), "{screen}");
}

#[test]
fn rates_that_differ_are_not_said_to_be_the_same() {
    let mut runs = strategies(seconds(10));
    runs[1].now.offered = Some(100.0);
    assert_shows(&screen(&runs, (80, 24), COLOURS), &["132/s offered to all"]);
}
