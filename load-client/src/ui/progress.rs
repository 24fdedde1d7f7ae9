//! Progress on stderr during a run: a live view on a terminal, a plain line now and then otherwise, or nothing.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use futures_util::future::{join, join_all};
use tokio::{
    task::AbortHandle,
    time::{Instant, interval_at},
};

use super::{terminal, view::View, watched::WatchedRun};
use crate::{
    ledger::{Ledger, Part},
    live::{Levels, Phase},
    scenario::Rpc,
    stop::Stopper,
};

/// The time until the first plain line (arbitrary: most runs that end sooner need none).
const FIRST_LINE_AFTER: Duration = Duration::from_secs(2);
/// The time between two plain lines (arbitrary).
const LINE_EVERY: Duration = Duration::from_secs(5);

/// How much is shown, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProgressStyle {
    /// Nothing is shown.
    Nothing,
    /// A plain line now and then.
    Lines,
    /// The live view if the terminal can show it, plain lines if not.
    View,
}

/// Progress that is shown until this is dropped.
#[derive(Debug)]
pub struct Progress {
    view: Option<View>,
    lines: Option<AbortHandle>,
}

impl Progress {
    /// Starts showing the runs; `None` if `manner` is [`ProgressStyle::Nothing`]. In the view, keys ask `stopper` for the
    /// same stops as signals do.
    pub fn start(runs: Vec<WatchedRun>, manner: ProgressStyle, stopper: &Arc<Stopper>) -> Option<Self> {
        if manner == ProgressStyle::Nothing {
            return None;
        }
        let fit = manner == ProgressStyle::View && terminal::is_fit();
        // A terminal that refuses to be drawn on can still take lines.
        let view = fit
            .then(|| View::start(runs.clone(), Arc::clone(stopper)).ok())
            .flatten();
        let lines = view.is_none().then(|| tokio::spawn(print_lines(runs)).abort_handle());
        Some(Self { view, lines })
    }

    /// Ends the progress and restores the terminal, so that the report can be printed.
    pub fn finish(self) {}
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(lines) = &self.lines {
            lines.abort();
        }
        drop(self.view.take());
    }
}

async fn print_lines(runs: Vec<WatchedRun>) {
    let troubles = join_all(runs.iter().map(print_troubles));
    let states = async {
        let mut ticks = interval_at(Instant::now() + FIRST_LINE_AFTER, LINE_EVERY);
        loop {
            ticks.tick().await;
            for run in &runs {
                terminal::say(&format!("{}: {}", run.name, line(run)));
            }
        }
    };
    join(troubles, states).await;
}

/// Prints at once why a run does not begin.
async fn print_troubles(run: &WatchedRun) {
    let mut troubles = run.live.troubles();
    let mut said = 0;
    loop {
        let new: Vec<_> = troubles.borrow_and_update().iter().skip(said).cloned().collect();
        said += new.len();
        for line in &new {
            terminal::say(line);
        }
        if troubles.changed().await.is_err() {
            return;
        }
    }
}

fn line(run: &WatchedRun) -> String {
    let reading = run.live.read();
    // An OK of Enqueue says that the message is on the queue, no more.
    let ok = match run.scenario.rpc {
        Rpc::Enqueue => "queued",
        Rpc::Process | Rpc::Other(_) => "ok",
    };
    let elapsed = reading.elapsed.as_secs_f64();
    let counts = || {
        let ledger = &reading.ledger;
        let mut text = format!("scheduled {:>5}  {ok} {:>5}", ledger.intended, ledger.ok);
        let others = Ledger::COLUMNS.iter().filter(|column| column.part == Part::Bad);
        for (column, count) in others.map(|column| (column, (column.of)(ledger))) {
            if count > 0 {
                let _ = write!(text, "  {} {count}", column.label);
            }
        }
        text
    };
    match reading.phase {
        Phase::Connecting => "waiting for the service to answer".to_owned(),
        Phase::Loading => {
            let mut text = format!("{elapsed:6.1} s  {}", counts());
            if let Some((at, says)) = run.live.events().last() {
                let _ = write!(text, "  since {:.1} s: {says}", at.as_secs_f64());
            }
            if let Some(Levels { queue_depth, in_system }) = reading.levels {
                let _ = write!(text, "  in system {in_system:>4}  queue {queue_depth:>4}");
            }
            text
        }
        Phase::Draining => {
            let left = reading
                .levels
                .map_or_else(String::new, |levels| format!(": {} in system", levels.in_system));
            format!("{elapsed:6.1} s  load over, the service works off what is left{left}")
        }
        Phase::Done => format!("{elapsed:6.1} s  done  {}", counts()),
    }
}
