//! Log lines that wait to be written to a stream that may be slow, full, broken or gone.

use std::{
    collections::VecDeque,
    io::{self, Write},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

/// Bytes of lines that may wait to be written (arbitrary: some ten thousand lines).
const MOST_WAITING: usize = 1 << 20;

/// Counts the lines that are lost.
#[derive(Debug, Clone, Default)]
pub struct LostLines(Arc<AtomicU64>);

impl LostLines {
    /// The number of lines lost since the start.
    pub fn count(&self) -> u64 {
        self.0.load(Relaxed)
    }

    fn add(&self) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// Takes lines, one per `write`. A write never fails and never waits for the stream. Clones write to the same stream.
#[derive(Debug, Clone)]
pub struct LogWriter {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// Notified when there is a line to write.
    more: Condvar,
    /// Notified when all lines are written.
    done: Condvar,
    lost: LostLines,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    /// True while the thread writes a line that it has taken.
    writing: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes lines for as long as the process lives.
    fn write_to(&self, mut stream: impl Write) {
        loop {
            let line = {
                let mut waiting = self.lock();
                waiting.writing = false;
                loop {
                    if let Some(line) = waiting.lines.pop_front() {
                        waiting.bytes -= line.len();
                        waiting.writing = true;
                        break line;
                    }
                    self.done.notify_all();
                    waiting = self.more.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                }
            };
            if stream.write_all(&line).and_then(|()| stream.flush()).is_err() {
                self.lost.add();
            }
        }
    }
}

impl LogWriter {
    /// Starts a thread that writes to `stream`. If no thread can be started, all lines are lost.
    pub fn start(stream: impl Write + Send + 'static) -> Self {
        let shared = Arc::new(Shared::default());
        let thread = Arc::clone(&shared);
        let _ = thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || thread.write_to(stream));
        Self { shared }
    }

    /// A counter of the lines that are lost.
    pub fn lost(&self) -> LostLines {
        self.shared.lost.clone()
    }

    /// Waits until all lines are written, at most for `limit`.
    pub fn flush(&self, limit: Duration) {
        let until = Instant::now() + limit;
        let mut waiting = self.shared.lock();
        while waiting.writing || !waiting.lines.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let (guard, _) = self
                .shared
                .done
                .wait_timeout(waiting, left)
                .unwrap_or_else(PoisonError::into_inner);
            waiting = guard;
        }
    }
}

impl Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.shared.lock();
        if waiting.bytes + line.len() > MOST_WAITING {
            self.shared.lost.add();
        } else {
            waiting.bytes += line.len();
            waiting.lines.push_back(line.to_vec());
            self.shared.more.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A stream that takes a line only when the test allows it, and sends what it took to the test.
    struct Gate(mpsc::Receiver<bool>, mpsc::Sender<Vec<u8>>);

    impl Write for Gate {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            let works = self.0.recv().unwrap_or(false);
            if !works {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            self.1.send(line.to_vec()).map_err(io::Error::other)?;
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn gated() -> (LogWriter, mpsc::Sender<bool>, mpsc::Receiver<Vec<u8>>) {
        let (allow, allowed) = mpsc::channel();
        let (written, lines) = mpsc::channel();
        (LogWriter::start(Gate(allowed, written)), allow, lines)
    }

    #[test]
    fn lines_are_written_in_order_and_flush_waits_for_them() {
        let (mut log, allow, lines) = gated();
        for line in ["one\n", "two\n"] {
            log.write_all(line.as_bytes()).unwrap();
            allow.send(true).unwrap();
        }
        log.flush(Duration::from_secs(60));
        assert_eq!(lines.try_iter().collect::<Vec<_>>(), [b"one\n", b"two\n"]);
        assert_eq!(log.lost().count(), 0);
    }

    #[test]
    fn a_stream_that_fails_loses_lines_and_nothing_else() {
        let (mut log, allow, lines) = gated();
        for works in [false, true] {
            log.write_all(b"line\n").unwrap();
            allow.send(works).unwrap();
        }
        log.flush(Duration::from_secs(60));
        assert_eq!((lines.try_iter().count(), log.lost().count()), (1, 1));
    }

    #[test]
    fn a_reader_that_does_not_read_holds_nobody_up_and_takes_bounded_memory() {
        let (mut log, _allow, _lines) = gated();
        let line = [b'x'; 1024];
        for _ in 0..3 * (MOST_WAITING / line.len()) {
            log.write_all(&line).unwrap();
        }
        log.flush(Duration::from_millis(1));
        let waiting = log.shared.lock();
        assert!(waiting.bytes <= MOST_WAITING);
        assert!(log.lost().count() >= 2 * (MOST_WAITING / line.len()) as u64 - 1);
    }
}
