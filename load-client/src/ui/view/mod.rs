//! The live view: the runs on a full screen of the terminal, while they go on. The view has a thread of its own, which
//! blocks on keys and on nothing else. It draws what it reads from [`crate::live`], and the run never waits for it.

mod axis;
mod chart;
mod draw;
mod history;
mod model;
mod palette;
mod table;
#[cfg(test)]
mod tests;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use ratatui::{
    Terminal, TerminalOptions, Viewport,
    backend::{Backend, ClearType, CrosstermBackend},
    layout::{Rect, Size},
};
use tokio::time::Instant;

use self::{
    model::{RunModel, SAMPLE_EVERY},
    palette::Palette,
};
use super::{
    terminal::{self, Frames, Gesture},
    watched::WatchedRun,
};
use crate::stop::Stopper;

/// The longest wait for a key. The end of the view may have to wait as long, because a wait for keys cannot be
/// interrupted.
const PATIENCE: Duration = Duration::from_millis(50);

/// How long the end of the run waits for the thread of the view (arbitrary: many times as long as a frame takes).
const MAX_WAIT: Duration = Duration::from_secs(2);

/// The most columns and lines that are drawn on (arbitrary: more than an 8K screen has with the smallest letters). A
/// terminal can say that it has 65535 of each, and a frame of so many would take hundreds of gigabytes.
const LARGEST: Size = Size::new(1000, 500);

/// A view that is shown until it is dropped. Then the terminal is as it was before.
#[derive(Debug)]
pub struct View {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl View {
    /// Takes the terminal and shows the runs on it.
    ///
    /// # Errors
    ///
    /// If the terminal cannot be taken, or no thread can be started; then nothing is shown.
    pub fn start(runs: Vec<WatchedRun>, stopper: Arc<Stopper>) -> io::Result<Self> {
        terminal::take()?;
        let over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&over);
        let spawned = thread::Builder::new().name("view".to_owned()).spawn(move || {
            // An error means that the terminal is gone: the run goes on without the view.
            let _ = show(&runs, &stopper, &until);
            terminal::restore();
        });
        match spawned {
            Ok(thread) => Ok(Self {
                over,
                thread: Some(thread),
            }),
            Err(error) => {
                terminal::restore();
                Err(error)
            }
        }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.over.store(true, Relaxed);
        let Some(thread) = self.thread.take() else { return };
        // A terminal that goes away at the wrong moment can keep the thread for ever. The report does not wait for it.
        let patience = std::time::Instant::now() + MAX_WAIT;
        while !thread.is_finished() && std::time::Instant::now() < patience {
            thread::sleep(PATIENCE / 10);
        }
        if thread.is_finished() {
            // If the thread has panicked, the panic hook has printed the message and restored the terminal.
            let _ = thread.join();
        }
    }
}

/// The part of a screen of this size that is drawn on.
fn area_within(screen: Size) -> Rect {
    Rect::new(0, 0, screen.width.min(LARGEST.width), screen.height.min(LARGEST.height))
}

fn show(watched: &[WatchedRun], stopper: &Stopper, over: &AtomicBool) -> io::Result<()> {
    let backend = CrosstermBackend::new(Frames::default());
    let mut area = area_within(backend.size()?);
    let viewport = Viewport::Fixed(area);
    let mut terminal = Terminal::with_options(backend, TerminalOptions { viewport })?;
    let palette = Palette::of_environment();
    let mut runs: Vec<RunModel> = watched
        .iter()
        .map(|run| RunModel::new(run.name.clone(), Arc::clone(&run.scenario)))
        .collect();
    let mut next_sample = Instant::now();
    while !over.load(Relaxed) {
        if Instant::now() >= next_sample {
            next_sample = Instant::now() + SAMPLE_EVERY;
            for (run, watched) in runs.iter_mut().zip(watched) {
                let live = &watched.live;
                let at = live.started().map(|start| start.elapsed());
                run.events = live.events();
                run.add_sample(at, &live.read(), live.times());
                run.trouble = live.trouble();
            }
            let now = area_within(terminal.size()?);
            if now != area {
                area = now;
                terminal.backend_mut().clear_region(ClearType::All)?;
                terminal.resize(area)?;
            }
            terminal.draw(|frame| draw::draw(frame, &runs, stopper.times_asked(), palette))?;
        }
        let left = next_sample.saturating_duration_since(Instant::now());
        // All gestures so far are handled before the loop checks whether the run is over.
        let mut within = left.min(PATIENCE);
        while let Some(gesture) = terminal::gesture(within)? {
            within = Duration::ZERO;
            if gesture != Gesture::Other {
                next_sample = Instant::now();
            }
            if gesture == Gesture::End && !stopper.stop() {
                terminal::break_off();
            }
        }
    }
    Ok(())
}
