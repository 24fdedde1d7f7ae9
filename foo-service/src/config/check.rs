//! Settings that contradict each other, whether they were given or are defaults.

use super::{QueueKind, Settings, word};
use crate::{enqueue::WhenFull, role::Accept, work::WorkKind};

/// The most workers with `--work cpu`, which starts a thread for each (arbitrary: more than any machine has cores).
const MAX_CPU_WORKERS: u32 = 1024;

impl Settings {
    /// Checks what the parsers of single flags cannot: that the settings fit together.
    ///
    /// # Errors
    ///
    /// If two settings contradict each other. The text names their flags and says what to do.
    pub fn check(&self) -> Result<(), String> {
        if self.work == WorkKind::Cpu && self.workers > MAX_CPU_WORKERS {
            return Err(format!(
                "--work cpu starts a thread per worker: --workers must be at most {MAX_CPU_WORKERS} with it"
            ));
        }
        self.check_queue()?;
        self.check_role()
    }

    fn check_queue(&self) -> Result<(), String> {
        let shared = matches!(self.queue, QueueKind::Nats(_));
        if shared && !cfg!(feature = "nats") {
            return Err(
                "--queue nats:// needs the cargo feature nats, and this program was built without it: build it with --features nats"
                    .to_owned(),
            );
        }
        if self.queue == QueueKind::Durable && self.queue_dir.is_none() {
            return Err("--queue durable needs a folder for its file: name one with --queue-dir".to_owned());
        }
        if self.queue_dir.is_some() && self.queue != QueueKind::Durable {
            return Err("--queue-dir has no effect on this queue: add --queue durable, or leave it out".to_owned());
        }
        if self.queue_dedupe.is_some() && !self.queue.outlives_process() {
            return Err(
                "--queue-dedupe has no effect on a queue in memory: add --queue durable or --queue nats://…, or leave it out"
                    .to_owned(),
            );
        }
        if let Some(flag) = self.shared_queue.given().filter(|_| !shared) {
            return Err(format!(
                "{flag} has an effect on a shared queue only: add --queue nats://HOST:PORT, or leave it out"
            ));
        }
        if self.queue.outlives_process() && self.when_full != WhenFull::Reject {
            return Err(format!(
                "--queue {} and --when-full {} contradict each other: what such a queue has acknowledged is never dropped, and no \
                 caller waits for a place on it; leave --when-full out",
                self.queue,
                word(&self.when_full)
            ));
        }
        Ok(())
    }

    fn check_role(&self) -> Result<(), String> {
        let part = match (self.workers, self.accept) {
            (0, Accept::None) => {
                return Err(
                    "--workers 0 and --accept none contradict each other: the service would do nothing; leave one of them out"
                        .to_owned(),
                );
            }
            (0, Accept::All) => "--workers 0",
            (_, Accept::None) => "--accept none",
            (_, Accept::All) => return Ok(()),
        };
        if self.queue.outlives_process() {
            Ok(())
        } else {
            Err(format!(
                "{part} needs a queue that another process can take from or fill: add --queue nats://HOST:PORT, or --queue durable \
                 with --queue-dir"
            ))
        }
    }
}
