//! Progress on stderr: a live line per run on a terminal, a plain line now and then otherwise.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal, Write as _},
    sync::Arc,
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::{
    task::JoinHandle,
    time::{Instant, interval, interval_at},
};

use crate::{
    live::{Live, Stage},
    outcome::Outcome,
    scenario::Rpc,
};

/// Between two looks, on a terminal.
const REDRAW_EVERY: Duration = Duration::from_millis(200);
/// Until the first plain line: most runs that are over sooner need none.
const FIRST_LINE_AFTER: Duration = Duration::from_secs(2);
/// Between two plain lines.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// A run to be shown.
#[derive(Debug, Clone)]
pub struct Watched {
    /// What it is called.
    pub name: String,
    /// The door it drives.
    pub rpc: Rpc,
    /// Its state.
    pub live: Arc<Live>,
}

/// Progress that is shown until it is finished or dropped.
#[derive(Debug)]
pub struct Progress {
    task: JoinHandle<()>,
    bars: Option<MultiProgress>,
}

impl Progress {
    /// Starts showing the runs; `None` where nobody wants to see them.
    pub fn start(runs: Vec<Watched>, quiet: bool) -> Option<Self> {
        if quiet {
            return None;
        }
        Some(if io::stderr().is_terminal() {
            let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
            let task = tokio::spawn(redraw(runs, bars.clone()));
            Self { task, bars: Some(bars) }
        } else {
            let task = tokio::spawn(print_lines(runs));
            Self { task, bars: None }
        })
    }

    /// Takes the live lines away, for the report to take their place.
    pub fn finish(self) {
        self.task.abort();
        if let Some(bars) = &self.bars {
            // A terminal that cannot be cleared will bear a few lines more.
            let _ = bars.clear();
        }
    }
}

async fn redraw(runs: Vec<Watched>, bars: MultiProgress) {
    let width = runs.iter().map(|run| run.name.len()).max().unwrap_or(0);
    let style = ProgressStyle::with_template(&format!("{{prefix:{width}}}  {{msg}}")).expect("the template is sound");
    let lines: Vec<(ProgressBar, Watched)> = runs
        .into_iter()
        .map(|run| {
            let bar = ProgressBar::new_spinner().with_style(style.clone());
            (bars.add(bar.with_prefix(run.name.clone())), run)
        })
        .collect();
    let mut ticks = interval(REDRAW_EVERY);
    loop {
        ticks.tick().await;
        for (bar, run) in &lines {
            bar.set_message(line(run));
            bar.tick();
        }
    }
}

async fn print_lines(runs: Vec<Watched>) {
    let mut ticks = interval_at(Instant::now() + FIRST_LINE_AFTER, LINE_EVERY);
    loop {
        ticks.tick().await;
        for run in &runs {
            // Nobody reads it if it cannot be written.
            let _ = writeln!(io::stderr(), "{}: {}", run.name, line(run));
        }
    }
}

fn line(run: &Watched) -> String {
    let reading = run.live.read();
    // An OK of Enqueue says that the message is on the queue, no more.
    let ok = match run.rpc {
        Rpc::Enqueue => "queued",
        Rpc::Process | Rpc::Other(_) => "ok",
    };
    let elapsed = reading.elapsed.as_secs_f64();
    let counts = || {
        let ledger = &reading.ledger;
        let mut text = format!("intended {:>5}  {ok} {:>5}", ledger.intended, ledger.of(Outcome::Ok));
        let others = [
            ("rejected", ledger.of(Outcome::Rejected)),
            ("expired", ledger.of(Outcome::Expired)),
            ("unavailable", ledger.of(Outcome::Unavailable)),
            ("failed", ledger.of(Outcome::Failed)),
            ("withheld", ledger.withheld),
        ];
        for (name, count) in others.iter().filter(|(_, count)| *count > 0) {
            let _ = write!(text, "  {name} {count}");
        }
        text
    };
    match reading.stage {
        Stage::Connecting => "waiting for the service to answer".to_owned(),
        Stage::Loading => format!(
            "{elapsed:6.1} s  {}  in system {:>4}  queue {:>4}",
            counts(),
            reading.in_system,
            reading.queue_depth
        ),
        Stage::Draining => format!(
            "{elapsed:6.1} s  load over, the service works off what is left: {} in system",
            reading.in_system
        ),
        Stage::Done => format!("{elapsed:6.1} s  done  {}", counts()),
    }
}
