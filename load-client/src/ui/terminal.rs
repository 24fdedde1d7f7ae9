//! Takes the terminal, draws on it, and restores it, however the program ends.
//!
//! It is drawn on through stderr, so that stdout can go to a file. A terminal belongs to the whole process, and so does
//! this module's state: a signal, a panic in any thread and the end of the view all give it back through [`restore`].

use std::{
    fs::File,
    io::{self, IsTerminal, Write},
    panic,
    sync::{Mutex, MutexGuard, Once, PoisonError},
    time::Duration,
};

use ratatui::crossterm::{
    cursor::{Hide, Show},
    event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, poll, read},
    execute,
    terminal::{Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
};

use crate::plain;

/// The exit code that shells report for a program that Ctrl-C has ended.
const EXIT_INTERRUPTED: i32 = 130;
/// The most messages that are kept until the view ends (arbitrary: more than any run prints).
const MAX_HELD: usize = 100;

struct Screen {
    taken: bool,
    /// Messages that are held back while the view is shown.
    held: Vec<String>,
}

static SCREEN: Mutex<Screen> = Mutex::new(Screen {
    taken: false,
    held: Vec::new(),
});

fn screen() -> MutexGuard<'static, Screen> {
    SCREEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether stderr is a terminal that can be drawn on, and no other program uses it.
pub fn is_fit() -> bool {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    io::stderr().is_terminal() && !dumb && is_foreground() && !stdout_is_read_by_a_program()
}

/// Whether the program is in the foreground: a background job that changes the terminal would be stopped.
#[cfg(unix)]
fn is_foreground() -> bool {
    rustix::termios::tcgetpgrp(io::stderr()).is_ok_and(|group| group == rustix::process::getpgrp())
}

#[cfg(not(unix))]
fn is_foreground() -> bool {
    true
}

/// Whether another program reads standard output, such as a pager or tee: both would draw on the same terminal at the
/// same time.
#[cfg(unix)]
fn stdout_is_read_by_a_program() -> bool {
    use std::os::{fd::AsFd, unix::fs::FileTypeExt};
    let stdout = io::stdout().as_fd().try_clone_to_owned().map(File::from);
    let metadata = stdout.and_then(|stdout| stdout.metadata());
    metadata.is_ok_and(|metadata| metadata.file_type().is_fifo() || metadata.file_type().is_socket())
}

#[cfg(not(unix))]
fn stdout_is_read_by_a_program() -> bool {
    !io::stdout().is_terminal()
}

/// Takes the terminal: keys arrive one by one, the alternate screen is shown. If that fails, the terminal is as before.
pub(super) fn take() -> io::Result<()> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // Nothing panics with the screen locked, so this does not wait for itself.
            restore();
            before(info);
        }));
    });
    let mut screen = screen();
    enable_raw_mode()?;
    screen.taken = true;
    if let Err(error) = execute!(io::stderr(), EnterAlternateScreen, Hide, Clear(ClearType::All)) {
        give_back(&mut screen);
        return Err(error);
    }
    Ok(())
}

/// Restores the terminal, if it was taken, and prints the messages that were held back. After that, nothing more is
/// drawn.
pub fn restore() {
    give_back(&mut screen());
}

fn give_back(screen: &mut Screen) {
    if !std::mem::take(&mut screen.taken) {
        return;
    }
    // If the terminal is gone, there is nothing to restore.
    let _ = execute!(io::stderr(), Show, LeaveAlternateScreen);
    let _ = disable_raw_mode();
    for line in screen.held.drain(..) {
        let _ = writeln!(io::stderr(), "{line}");
    }
}

/// Prints a line on stderr, escaped by `plain::line`. While the terminal is taken, the line is held back until it is
/// restored. If stderr is full or closed, the line is lost, and nothing else happens.
pub fn say(line: &str) {
    let line = plain::line(line);
    let mut screen = screen();
    if screen.taken && screen.held.len() < MAX_HELD {
        screen.held.push(line);
    } else if !screen.taken {
        let _ = writeln!(io::stderr(), "{line}");
    }
}

/// Ends the program at once, without a report.
pub fn break_off() -> ! {
    restore();
    std::process::exit(EXIT_INTERRUPTED);
}

/// Collects the bytes of a frame. A flush draws them at once, if the terminal is still taken.
#[derive(Debug, Default)]
pub(super) struct Frames(Vec<u8>);

impl Write for Frames {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        let screen = screen();
        let written = if screen.taken {
            io::stderr().write_all(&self.0)
        } else {
            Ok(())
        };
        self.0.clear();
        written
    }
}

/// What the user did at the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gesture {
    /// The user asked to stop.
    End,
    /// The user changed the size of the window.
    Resize,
    /// Anything else, which is ignored.
    Other,
}

/// Waits for a key or a new size of the window; `None` if there is none in time. In raw mode Ctrl-C is a key like any other.
///
/// # Errors
///
/// If the terminal is gone.
pub(super) fn gesture(within: Duration) -> io::Result<Option<Gesture>> {
    wait_for_input(within)?;
    if !poll(Duration::ZERO)? {
        return Ok(None);
    }
    Ok(Some(match read()? {
        Event::Key(key) if is_end_key(key) => Gesture::End,
        Event::Resize(..) => Gesture::Resize,
        _ => Gesture::Other,
    }))
}

/// Waits until there is something to read, or the time is over. The library must not be asked about a terminal that is
/// gone: its `poll` reads the end of the input again and again, and never returns (read in crossterm 0.29).
#[cfg(unix)]
fn wait_for_input(within: Duration) -> io::Result<()> {
    use rustix::{
        event::{PollFd, PollFlags, Timespec, poll},
        io::Errno,
    };
    // The library reads standard input if it is a terminal, and the controlling terminal otherwise, which stderr shows too.
    let (stdin, stderr) = (io::stdin(), io::stderr());
    let mut terminal = [if stdin.is_terminal() {
        PollFd::new(&stdin, PollFlags::IN)
    } else {
        PollFd::new(&stderr, PollFlags::IN)
    }];
    let within = Timespec::try_from(within).map_err(io::Error::other)?;
    match poll(&mut terminal, Some(&within)) {
        // EINTR: a signal came, such as that of a new window size.
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
    if terminal[0].revents().intersects(gone) {
        return Err(io::Error::new(io::ErrorKind::BrokenPipe, "the terminal is gone"));
    }
    Ok(())
}

#[cfg(not(unix))]
fn wait_for_input(within: Duration) -> io::Result<()> {
    poll(within).map(drop)
}

fn is_end_key(key: KeyEvent) -> bool {
    let pressed = key.kind == KeyEventKind::Press;
    let control_c = key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c');
    pressed && (control_c || matches!(key.code, KeyCode::Esc | KeyCode::Char('q' | 'Q')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_escape_and_control_c_end_and_no_other_key_does() {
        let key = |code, modifiers| is_end_key(KeyEvent::new(code, modifiers));
        assert!(key(KeyCode::Char('q'), KeyModifiers::NONE));
        assert!(key(KeyCode::Char('Q'), KeyModifiers::SHIFT));
        assert!(key(KeyCode::Esc, KeyModifiers::NONE));
        assert!(key(KeyCode::Char('c'), KeyModifiers::CONTROL));
        assert!(!key(KeyCode::Char('c'), KeyModifiers::NONE));
        assert!(!key(KeyCode::Char('z'), KeyModifiers::CONTROL));
        assert!(!key(KeyCode::Enter, KeyModifiers::NONE));
    }
}
