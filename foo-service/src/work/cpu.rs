//! Uses CPU time on threads of its own, so that the threads that serve gRPC stay free to refuse and to answer.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};
use tokio::sync::oneshot;

/// How many iterations a thread computes before it checks again whether it should stop (arbitrary: short compared with useful
/// service times, long compared with reading the clock).
const SLICE_ITERATIONS: u32 = 10_000;

/// Threads that compute, at least one for each worker.
#[derive(Debug)]
pub(super) struct Pool {
    orders: mpsc::Sender<Order>,
    inbox: Arc<Mutex<mpsc::Receiver<Order>>>,
    started: Mutex<u32>,
}

struct Order {
    demand: Duration,
    cancelled: Arc<AtomicBool>,
    done: oneshot::Sender<()>,
}

/// Tells the thread to stop, when the future that waits for it is dropped.
struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Pool {
    pub(super) fn new(threads: u32) -> Self {
        // Bounded by the workers: each has at most one order in the channel, apart from orders that were just cancelled.
        let (orders, inbox) = mpsc::channel::<Order>();
        let pool = Self {
            orders,
            inbox: Arc::new(Mutex::new(inbox)),
            started: Mutex::new(0),
        };
        pool.grow(threads);
        pool
    }

    /// Starts threads until there are `threads`. It ends none: extra threads stay, without work.
    pub(super) fn grow(&self, threads: u32) {
        let mut started = self.started.lock().expect("no thread panics with the count");
        for index in *started..threads {
            let inbox = Arc::clone(&self.inbox);
            thread::Builder::new()
                .name(format!("worker-{index}"))
                .spawn(move || {
                    loop {
                        let order = inbox.lock().expect("no thread panics with the inbox").recv();
                        let Ok(order) = order else { return };
                        burn(order.demand, &order.cancelled);
                        // If the work was cancelled, its receiver is gone.
                        let _ = order.done.send(());
                    }
                })
                .expect("the system can start a thread per worker");
        }
        *started = threads.max(*started);
    }

    /// Uses `demand` of CPU time on one of the threads. Dropping the future stops it.
    pub(super) async fn burn(&self, demand: Duration) {
        let cancelled = Arc::new(AtomicBool::new(false));
        let _cancel = CancelOnDrop(Arc::clone(&cancelled));
        let (done, finished) = oneshot::channel();
        let order = Order {
            demand,
            cancelled,
            done,
        };
        self.orders.send(order).expect("the threads live as long as the pool");
        finished.await.expect("a thread answers every order");
    }
}

fn burn(demand: Duration, cancelled: &AtomicBool) {
    let started = thread_cpu_time();
    let mut seed = 1_u64;
    while !cancelled.load(Ordering::Relaxed) && thread_cpu_time().saturating_sub(started) < demand {
        for _ in 0..SLICE_ITERATIONS {
            seed = std::hint::black_box(seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        }
    }
}

fn thread_cpu_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).expect("CPU time is not negative")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn burns_the_time_it_was_asked_for_and_stops_when_dropped() {
        let pool = Pool::new(1);
        let long = pool.burn(Duration::from_secs(3600));
        assert!(tokio::time::timeout(Duration::from_millis(5), long).await.is_err());
        // The only thread is free again, so the work of an hour was stopped.
        pool.burn(Duration::from_millis(1)).await;
    }
}
