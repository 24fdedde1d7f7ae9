//! The ledger adds up for every outcome that a policy can give to a waiting message or to one in service. A property test of
//! the ledger's guards and the queue, with random outcomes, without a service.
//!
//! These faults were put in, and the test failed each time: not counting a policy's outcome, counting it in addition to the
//! outcome at the drop, not adding the bytes of a message that is handed back, giving a message's place away twice.

use std::sync::Arc;

use foo_service::{
    enqueue::{Capacity, CompletionLog, Lease, Queue, WhenFull},
    job::{Door, Job, JobOutcome},
    ledger::{InLine, InService, Ledger, Levels},
};
use proptest::{collection::vec, prelude::*, sample::Index, sample::select, test_runner::TestCaseError};
use tokio::{sync::Semaphore, time::Instant};

const PLACES: u32 = 3;

#[derive(Debug, Clone)]
enum Act {
    JoinLine(Door),
    /// A policy ends the wait of a caller with this outcome, or (`None`) the caller goes away.
    LeaveLine(Index, Option<JobOutcome>),
    Serve(Index),
    /// The work ends with this outcome, or (`None`) is interrupted.
    Finish(Index, Option<JobOutcome>),
    Offer,
    Take,
    EndLease(Index, Option<JobOutcome>),
    HandBack(Index),
    Abandon,
}

fn act() -> impl Strategy<Value = Act> {
    let outcome = || prop::option::of(select(&JobOutcome::ALL[..]));
    let which = any::<Index>;
    prop_oneof![
        6 => select(&Door::ALL[..]).prop_map(Act::JoinLine),
        4 => (which(), outcome()).prop_map(|(which, outcome)| Act::LeaveLine(which, outcome)),
        4 => which().prop_map(Act::Serve),
        4 => (which(), outcome()).prop_map(|(which, outcome)| Act::Finish(which, outcome)),
        8 => Just(Act::Offer),
        8 => Just(Act::Take),
        4 => (which(), outcome()).prop_map(|(which, outcome)| Act::EndLease(which, outcome)),
        6 => which().prop_map(Act::HandBack),
        1 => Just(Act::Abandon),
    ]
}

/// The guards and the queue under test, and the expected counts.
struct World {
    ledger: Arc<Ledger>,
    log: Arc<CompletionLog>,
    queue: Arc<Queue>,
    free: Arc<Semaphore>,
    capacity: Capacity,
    abandoned: bool,
    lines: Vec<(Door, InLine)>,
    working: Vec<InService>,
    leases: Vec<Lease>,
    queued: u64,
    refused: [u64; 2],
    ended: [[u64; JobOutcome::ALL.len()]; 2],
}

fn take<T>(from: &mut Vec<T>, which: Index) -> Option<T> {
    (!from.is_empty()).then(|| from.remove(which.index(from.len())))
}

impl World {
    fn new(when_full: Option<WhenFull>) -> Self {
        let capacity = when_full.map_or(Capacity::Unbounded, |when_full| Capacity::Bounded {
            places: PLACES,
            when_full,
        });
        let (ledger, log) = (Arc::new(Ledger::default()), Arc::new(CompletionLog::default()));
        let free = Arc::new(Semaphore::new(PLACES as usize));
        let freed = (when_full == Some(WhenFull::Wait)).then(|| Arc::clone(&free));
        Self {
            queue: Arc::new(Queue::new(capacity, freed, Arc::clone(&ledger), Arc::clone(&log))),
            ledger,
            log,
            free,
            capacity,
            abandoned: false,
            lines: Vec::new(),
            working: Vec::new(),
            leases: Vec::new(),
            queued: 0,
            refused: [0; 2],
            ended: [[0; JobOutcome::ALL.len()]; 2],
        }
    }

    fn end(&mut self, door: Door, outcome: JobOutcome) {
        self.ended[door as usize][outcome as usize] += 1;
    }

    /// The outcome of a guard that is dropped without one. It is never expired, because no caller here has a deadline.
    fn unsaid(&self) -> JobOutcome {
        if self.abandoned {
            JobOutcome::Abandoned
        } else {
            JobOutcome::Cancelled
        }
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::JoinLine(door) => self.lines.push((*door, self.ledger.join_line(*door, None))),
            Act::LeaveLine(which, outcome) => {
                if let Some((door, in_line)) = take(&mut self.lines, *which) {
                    match outcome {
                        Some(outcome) => in_line.leave(*outcome),
                        None => drop(in_line),
                    }
                    match door {
                        Door::Enqueue => self.refused[door as usize] += 1,
                        Door::Process => self.end(door, outcome.unwrap_or(self.unsaid())),
                    }
                }
            }
            Act::Serve(which) => {
                // Only callers of Process go from the line to a worker.
                if self.lines.iter().all(|(door, _)| *door == Door::Process)
                    && let Some((_, in_line)) = take(&mut self.lines, *which)
                {
                    self.working.push(in_line.enter_service());
                }
            }
            Act::Finish(which, outcome) => {
                if let Some(in_service) = take(&mut self.working, *which) {
                    match outcome {
                        Some(outcome) => in_service.finish(*outcome),
                        None => drop(in_service),
                    }
                    self.end(Door::Process, outcome.unwrap_or(self.unsaid()));
                }
            }
            Act::Offer => self.offer(),
            Act::Take => {
                if let Some(lease) = self.queue.take() {
                    self.queued -= 1;
                    self.leases.push(lease);
                }
            }
            Act::EndLease(which, outcome) => {
                if let Some(lease) = take(&mut self.leases, *which) {
                    match outcome {
                        Some(outcome) => lease.end(*outcome),
                        None => drop(lease),
                    }
                    self.end(Door::Enqueue, outcome.unwrap_or(JobOutcome::Abandoned));
                }
            }
            Act::HandBack(which) => {
                if let Some(lease) = take(&mut self.leases, *which) {
                    lease.hand_back();
                    if self.abandoned {
                        self.end(Door::Enqueue, JobOutcome::Abandoned);
                    } else {
                        self.queued += 1;
                    }
                }
            }
            Act::Abandon => {
                self.abandoned = true;
                self.ledger.abandon();
                self.queue.abandon();
                self.ended[Door::Enqueue as usize][JobOutcome::Abandoned as usize] += self.queued;
                self.queued = 0;
            }
        }
    }

    fn offer(&mut self) {
        let job = Job {
            id: "id".into(),
            payload: Box::default(),
            demand: None,
            since: Instant::now(),
        };
        // If callers wait for places, a caller without a place stays in the line and offers nothing.
        let place = self.waits().then(|| self.free.try_acquire());
        let offered = match place {
            Some(Err(_)) => return,
            Some(Ok(place)) => self.queue.offer_place(job, place, None),
            None => self.queue.offer(job),
        };
        match offered {
            Ok(depth) => {
                let dropped = self.queued + 1 - depth;
                self.ended[Door::Enqueue as usize][JobOutcome::Dropped as usize] += dropped;
                self.queued = depth;
            }
            Err(_) => self.refused[Door::Enqueue as usize] += 1,
        }
    }

    fn check(&self) -> Result<(), TestCaseError> {
        for door in Door::ALL {
            let reading = self.ledger.door(door);
            prop_assert!(reading.balances(), "{:?}: {:?}", door, reading);
            prop_assert_eq!(reading.refused, self.refused[door as usize], "{:?}", door);
            prop_assert_eq!(reading.outcomes, self.ended[door as usize], "{:?}", door);
        }
        let waiting = self.lines.len() as u64;
        let in_service = (self.working.len() + self.leases.len()) as u64;
        let expected = Levels {
            queue_depth: self.queued,
            queue_bytes: 2 * self.queued,
            waiting,
            in_service,
            in_system: self.queued + waiting + in_service,
        };
        prop_assert_eq!(self.ledger.levels(), expected);
        // The completion log has an entry for each queued message that has ended.
        let ended: u64 = self.ended[Door::Enqueue as usize].iter().sum();
        prop_assert_eq!(self.log.end(), ended);
        // Also after messages were handed back, every free place can be taken.
        if self.waits() && !self.abandoned {
            let free = self.free.available_permits() as u64;
            prop_assert_eq!(
                free,
                u64::from(PLACES).saturating_sub(self.queued),
                "places that are free"
            );
        }
        Ok(())
    }

    /// Whether callers wait for places on the queue.
    fn waits(&self) -> bool {
        let wait = WhenFull::Wait;
        matches!(self.capacity, Capacity::Bounded { when_full, .. } if when_full == wait)
    }
}

fn queues() -> impl Strategy<Value = Option<WhenFull>> {
    prop_oneof![
        Just(None),
        Just(Some(WhenFull::Reject)),
        Just(Some(WhenFull::DropOldest)),
        Just(Some(WhenFull::Wait)),
    ]
}

proptest! {
    #[test]
    fn every_end_that_a_policy_gives_is_counted_once(when_full in queues(), acts in vec(act(), 0..80)) {
        let mut world = World::new(when_full);
        for act in &acts {
            world.act(act);
            world.check()?;
        }
    }
}
