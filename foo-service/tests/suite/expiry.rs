//! `--message-ttl` with a queue that outlives the process: a message that is too old when its turn comes ends as expired, without any
//! work. Its age goes on while no worker is there.

use std::time::Duration;

#[cfg(feature = "nats")]
use crate::support::nats::Nats;
use crate::support::{
    Caller, demanding, ms,
    page::{get, samples},
    program::Program,
    until_async, watch_request, within_patience,
};
use foo_proto::v1::{Completion, JobOutcome as End};

const TTL: Duration = Duration::from_millis(300);

/// A message waits on the queue of an instance without workers until it is too old.
async fn one_that_is_too_old(front: &Program) {
    let caller = front.caller().await;
    caller.enqueue(demanding("run/old", ms(0))).await.unwrap();
    until_async(async || {
        let (_, page) = get(front.admin, "/metrics").await;
        let age: f64 = samples(&page)["foo_queue_oldest_age_seconds"].parse().unwrap();
        age > TTL.as_secs_f64()
    })
    .await;
}

/// What is told of the run's messages, once there are so many ends.
async fn ends(caller: &Caller, wanted: usize) -> Vec<Completion> {
    let mut watch = caller.watch(watch_request("run", ms(50))).await.unwrap();
    let mut ends = Vec::new();
    while ends.len() < wanted {
        let snapshot = within_patience(watch.message()).await.unwrap().unwrap();
        ends.extend(snapshot.completions);
    }
    ends
}

/// An instance with a worker finds the old message, and then gets one that is not old.
async fn expires_the_old_one_alone(worker: &Program) {
    let caller = worker.caller().await;
    let old = ends(&caller, 1).await.remove(0);
    assert_eq!((old.id.as_str(), old.outcome()), ("run/old", End::Expired));
    assert_eq!(old.service_time, None, "no worker has worked on it");
    let waited = Duration::try_from(old.queue_wait.unwrap()).unwrap();
    assert!(waited > TTL, "{waited:?}");
    caller.enqueue(demanding("run/new", ms(1))).await.unwrap();
    let new = ends(&caller, 2).await.remove(1);
    assert_eq!((new.id.as_str(), new.outcome()), ("run/new", End::Completed));
    assert!(new.service_time.is_some());
    let door = caller.look().await.enqueue.unwrap();
    assert_eq!((door.expired, door.completed), (1, 1));
}

#[tokio::test]
async fn a_message_in_a_file_grows_too_old_while_no_process_has_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let durable = ["--queue", "durable", "--queue-dir", folder.path().to_str().unwrap()];
    let front = Program::start(&[&durable[..], &["--workers", "0"]].concat(), &[]).await;
    one_that_is_too_old(&front).await;
    front.kill().await;
    let worker = Program::start(&[&durable[..], &["--message-ttl", "300ms"]].concat(), &[]).await;
    expires_the_old_one_alone(&worker).await;
}

#[cfg(feature = "nats")]
#[tokio::test]
async fn a_message_on_a_shared_queue_grows_too_old_while_all_workers_are_away() {
    let Some(nats) = Nats::start().await else { return };
    let front = nats.instance(&["--workers", "0"]).await;
    one_that_is_too_old(&front).await;
    let worker = nats.instance(&["--message-ttl", "300ms"]).await;
    expires_the_old_one_alone(&worker).await;
    let told = ends(&front.caller().await, 2).await;
    assert_eq!(told[0].service_time, None);
}
