//! The runs in rows, with the counts of their sends so far. Columns have fixed widths and positions. If there is too little
//! room, the least important columns are left out first.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
};

use super::{
    axis::Unit,
    model::RunModel,
    palette::{Palette, quiet},
};
use crate::{
    outcome::Outcome,
    policy::PolicySettings,
    present::grid::MISSING,
    units::{compact_count, compact_rate},
};

/// The width of a run's name with its sign, in columns.
const NAME: u16 = 17;
/// From this width of the table on, the rare outcomes have columns of their own.
const WIDE: u16 = 100;

struct Column {
    /// The two lines of the column head.
    head: [&'static str; 2],
    width: u16,
    value: Value,
}

/// What a column shows of a run.
enum Value {
    Ended(Outcome),
    Of(fn(&RunModel) -> String),
}

impl Column {
    fn words(&self, run: &RunModel) -> String {
        match self.value {
            Value::Ended(outcome) => whole(run.reading.ledger.of(outcome)),
            Value::Of(value) => value(run),
        }
    }
}

const fn column(head: [&'static str; 2], width: u16, value: fn(&RunModel) -> String) -> Column {
    Column {
        head,
        width,
        value: Value::Of(value),
    }
}

/// The column of an outcome: as wide as its name, with room for a count of five digits.
fn outcome(outcome: Outcome) -> Column {
    let name = outcome.label();
    Column {
        head: ["", name],
        width: u16::try_from(name.len().max(5)).expect("names are short") + 1,
        value: Value::Ended(outcome),
    }
}

const GOODPUT: Column = column(["goodput", "per s"], 9, |run| {
    run.now.goodput.map_or_else(missing, compact_rate)
});
/// Processed messages. An OK of Enqueue does not mean that the message is processed; the audit finds that out.
const DONE: Column = column(["", "done"], 6, |run| {
    if run.scenario.rpc.ok_means_done() {
        whole(run.reading.ledger.ok)
    } else if run.reading.levels.is_some() {
        whole(run.reading.audited.done)
    } else {
        missing()
    }
});
const WITHHELD: Column = column(["", "withheld"], 9, |run| whole(run.reading.ledger.withheld));
const OTHER: Column = column(["all", "others"], 6, |run| {
    let ledger = &run.reading.ledger;
    let others = Outcome::ALL.iter().filter(|outcome| !COMMON.contains(outcome));
    whole(others.map(|outcome| ledger.of(*outcome)).sum())
});
const DROPPED: Column = column(["", "dropped"], 8, |run| {
    if run.scenario.rpc.ok_means_done() {
        return missing();
    }
    whole(run.reading.audited.discarded)
});
const IN_FLIGHT: Column = column(["in", "flight"], 7, |run| whole(run.reading.in_flight));
const IN_SYSTEM: Column = column(["in", "system"], 7, |run| {
    run.reading
        .levels
        .map_or_else(missing, |levels| whole(levels.in_system))
});
const QUEUE: Column = column(["queue", "depth"], 6, |run| {
    run.reading
        .levels
        .map_or_else(missing, |levels| whole(levels.queue_depth))
});
const DONE_P99: Column = column(["p99 to", "done"], 8, |run| {
    run.now.done_p99.map_or_else(missing, |p99| Unit::Time.words(p99))
});

/// Ended attempts per ended request so far.
const ATTEMPTS: Column = column(["attempts", "per req"], 9, |run| {
    let ledger = &run.reading.ledger;
    let sent = Outcome::ALL.iter().filter(|outcome| **outcome != Outcome::Throttled);
    let requests: u64 = sent.map(|outcome| ledger.of(*outcome)).sum();
    if requests == 0 {
        return missing();
    }
    format!("{:.2}", run.reading.attempts.ended() as f64 / requests as f64)
});
const RETRIED_OK: Column = column(["ok after", "retry"], 9, |run| {
    whole(run.reading.attempts.retried_then_ok)
});
/// Requests that were not sent again because of the retry budget, an answer of the service, or the throttle.
const GIVEN_UP: Column = column(["given", "up"], 6, |run| {
    let attempts = &run.reading.attempts;
    whole(attempts.given_up_by_budget + attempts.given_up_by_pushback + attempts.given_up_by_throttle)
});
const HEDGES_WON: Column = column(["hedges", "won"], 7, |run| whole(run.reading.attempts.hedges_won));

/// The columns about attempts, if a client may make several. Those that fit on every terminal come first.
fn attempts(runs: &[RunModel]) -> Vec<Column> {
    let any = |of: fn(&PolicySettings) -> bool| runs.iter().any(|run| of(&run.scenario.policies));
    let mut columns = Vec::new();
    if any(|policies| !policies.is_none()) {
        columns.push(ATTEMPTS);
    }
    if any(|policies| policies.retries > 0) {
        columns.extend([RETRIED_OK, GIVEN_UP]);
    }
    if any(|policies| policies.hedge.is_some()) {
        columns.push(HEDGES_WON);
    }
    columns
}

/// The outcomes that have columns of their own where there is little room.
const COMMON: [Outcome; 2] = [Outcome::Ok, Outcome::Rejected];

/// The columns of several runs on a narrow terminal. Done replaces ok, because it means the same for all RPCs.
fn narrow() -> Vec<Column> {
    let others = [WITHHELD, DROPPED, OTHER, IN_SYSTEM, DONE_P99];
    between([GOODPUT, DONE], &[Outcome::Rejected], others)
}

/// The columns of several runs on a wide terminal.
fn roomy(runs: &[RunModel]) -> Vec<Column> {
    let others = [WITHHELD, DROPPED, IN_SYSTEM, DONE_P99, IN_FLIGHT, QUEUE];
    let mut columns = between([GOODPUT, DONE], &outcomes(runs), others);
    columns.extend(attempts(runs));
    columns
}

/// The outcomes that these runs can have: only clients with a throttle hold requests back.
fn outcomes(runs: &[RunModel]) -> Vec<Outcome> {
    let throttled = runs.iter().any(|run| run.scenario.policies.throttle.is_some());
    let all = Outcome::ALL.into_iter();
    all.filter(|outcome| throttled || *outcome != Outcome::Throttled)
        .collect()
}

/// The columns of a single run. Its charts show its levels and times.
fn single(run: &RunModel) -> Vec<Column> {
    let outcomes = outcomes(std::slice::from_ref(run));
    let mut columns = if run.scenario.rpc.ok_means_done() {
        between([GOODPUT], &outcomes, [WITHHELD, IN_FLIGHT])
    } else {
        between([GOODPUT, DONE], &outcomes, [WITHHELD, DROPPED, IN_FLIGHT])
    };
    columns.extend(attempts(std::slice::from_ref(run)));
    columns
}

fn between<const F: usize, const N: usize>(
    first: [Column; F],
    outcomes: &[Outcome],
    others: [Column; N],
) -> Vec<Column> {
    let outcomes = outcomes.iter().copied().map(outcome);
    first.into_iter().chain(outcomes).chain(others).collect()
}

fn missing() -> String {
    MISSING.to_owned()
}

fn whole(number: u64) -> String {
    compact_count(number as f64)
}

/// Rows that the head of the table takes.
pub(super) const HEAD: u16 = 2;

/// Draws the table; if not all runs have room, the last row says how many are left out.
pub(super) fn draw(area: Rect, buffer: &mut Buffer, runs: &[RunModel], palette: Palette) {
    let area = area.intersection(buffer.area);
    let (name, columns) = match (runs, area.width) {
        ([run], _) => (0, single(run)),
        (_, WIDE..) => (NAME, roomy(runs)),
        _ => (NAME, narrow()),
    };
    let mut pen = Pen { area, buffer };
    let mut x = name;
    let places: Vec<(u16, &Column)> = columns
        .iter()
        .map(|column| {
            x += column.width;
            (x - column.width, column)
        })
        .take_while(|(x, column)| x + column.width <= area.width)
        .collect();
    for (row, index) in (0..HEAD).zip(0..) {
        for (x, column) in &places {
            pen.right(*x, row, column.width, column.head[index], quiet());
        }
    }
    let room = usize::from(area.height.saturating_sub(HEAD));
    let shown = if runs.len() > room {
        room.saturating_sub(1)
    } else {
        runs.len()
    };
    for ((index, run), row) in runs.iter().enumerate().take(shown).zip(HEAD..) {
        if name > 0 {
            let ink = palette.ink(index);
            pen.left(0, row, 1, &ink.sign.to_string(), ink.style());
            pen.left(
                2,
                row,
                name - 2,
                &run.name,
                if run.done() { quiet() } else { Style::new() },
            );
        }
        for (x, column) in &places {
            pen.right(*x, row, column.width, &column.words(run), Style::new());
        }
    }
    if shown < runs.len() {
        let words = format!("  and {} more", runs.len() - shown);
        pen.left(
            0,
            area.height.saturating_sub(1),
            area.width,
            &words,
            quiet().add_modifier(Modifier::ITALIC),
        );
    }
}

struct Pen<'a> {
    area: Rect,
    buffer: &'a mut Buffer,
}

impl Pen<'_> {
    fn left(&mut self, x: u16, row: u16, width: u16, words: &str, style: Style) {
        if row < self.area.height && x < self.area.width {
            let width = width.min(self.area.width - x);
            let (x, y) = (self.area.x + x, self.area.y + row);
            self.buffer.set_stringn(x, y, words, width.into(), style);
        }
    }

    fn right(&mut self, x: u16, row: u16, width: u16, words: &str, style: Style) {
        let words = format!("{words:>width$}", width = usize::from(width));
        self.left(x, row, width, &words, style);
    }
}
