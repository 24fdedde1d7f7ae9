//! The counts of a service, in atomics. Watch, `/metrics` and the drain all read these.
//!
//! A call or message in the system is counted by a guard ([`InLine`], [`InService`], [`Handled`], [`InProgress`]). Only dropping
//! the guard stops the count, so a caller that goes away at any `.await` cannot leave a count behind. Queued messages have no
//! guard, because there can be millions; [`crate::enqueue`] counts them in and out.
//!
//! Invariant for each of Enqueue and Process: admitted = the sum of the outcomes + inside. With a shared queue, taken replaces
//! admitted, because another instance may take what was admitted here.

mod counts;
mod level;
mod presence;
mod totals;
mod window;

pub use self::{
    counts::DoorReading,
    level::{LevelReading, Levels, MAX_WINDOWS},
    presence::{Handled, InLine, InProgress, InService},
    totals::Ledger,
    window::Window,
};

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use tokio::time::Instant;

    use super::*;
    use crate::job::{Door, JobOutcome};

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_leaves_the_line_is_counted_by_its_reason() {
        let ledger = Arc::new(Ledger::default());
        drop(ledger.join_line(Door::Process, None));
        let late = ledger.join_line(Door::Process, Some(Instant::now() + Duration::from_secs(1)));
        tokio::time::advance(Duration::from_secs(1)).await;
        drop(late);
        drop(ledger.join_line(Door::Enqueue, None));

        let process = ledger.door(Door::Process);
        assert_eq!((process.admitted, process.inside), (2, 0));
        assert!(process.balances());
        assert_eq!(process.of(JobOutcome::Cancelled), 1);
        assert_eq!(process.of(JobOutcome::Expired), 1);
        let enqueue = ledger.door(Door::Enqueue);
        assert_eq!((enqueue.admitted, enqueue.refused), (0, 1));
        assert_eq!(ledger.levels(), Levels::default());
    }

    #[test]
    fn each_window_has_maxima_of_its_own() {
        let ledger = Arc::new(Ledger::default());
        let early = ledger.open_window().unwrap();
        ledger.join_queue(10);
        ledger.join_queue(10);
        drop(ledger.take_from_queue(10));
        let late = ledger.open_window().unwrap();
        assert_eq!(early.read().queue_depth, LevelReading { now: 1, max: 2 });
        assert_eq!(late.read().queue_depth, LevelReading { now: 1, max: 1 });
        assert_eq!(early.read().queue_depth, LevelReading { now: 1, max: 1 });
    }

    #[test]
    fn windows_are_bounded_and_come_back() {
        let ledger = Arc::new(Ledger::default());
        let open: Vec<_> = (0..MAX_WINDOWS).map(|_| ledger.open_window().unwrap()).collect();
        assert!(ledger.open_window().is_none());
        drop(open);
        assert!(ledger.open_window().is_some());
    }

    #[tokio::test]
    async fn idle_does_not_wait_for_a_queue_that_outlives_the_process() {
        let ledger = Arc::new(Ledger::default());
        ledger.recover(2, 10);
        let door = ledger.door(Door::Enqueue);
        assert_eq!((door.admitted, door.recovered, door.inside), (2, 2, 2));
        let in_service = ledger.take_from_queue(5);
        let mut idle = std::pin::pin!(ledger.idle());
        assert!(futures_util::FutureExt::now_or_never(idle.as_mut()).is_none());
        in_service.back_to_queue(5);
        idle.await;
        assert_eq!(ledger.levels().queue_depth, 2);
    }

    #[tokio::test]
    async fn with_a_shared_queue_what_was_taken_here_ends_here() {
        let ledger = Arc::new(Ledger::default());
        ledger.share_queue();
        ledger.join_line(Door::Enqueue, None).enter_shared_queue();
        ledger.set_shared_queue(7, 70);
        let window = ledger.open_window().unwrap();
        ledger.set_shared_queue(3, 30);
        assert_eq!(window.read().queue_depth, LevelReading { now: 3, max: 7 });
        let returned = ledger.take_from_shared_queue();
        ledger.take_from_shared_queue().finish(JobOutcome::Completed);
        assert_eq!(ledger.levels().in_system, 1);
        returned.back_to_shared_queue();
        ledger.idle().await;
        let door = ledger.door(Door::Enqueue);
        assert_eq!((door.admitted, door.taken, door.inside), (1, Some(1), 0));
        assert!(door.balances());
        assert_eq!(ledger.door(Door::Process).taken, None);
    }

    #[tokio::test]
    async fn idle_waits_for_calls_and_for_messages() {
        let ledger = Arc::new(Ledger::default());
        let call = ledger.handle();
        ledger.join_queue(1);
        let waiter = tokio::spawn({
            let ledger = Arc::clone(&ledger);
            async move { ledger.idle().await }
        });
        drop(call);
        tokio::task::yield_now().await;
        assert!(!waiter.is_finished());
        ledger.take_from_queue(1).finish(JobOutcome::Completed);
        waiter.await.unwrap();
    }
}
