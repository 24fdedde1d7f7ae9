//! The program's durable queue, with real kills: each acknowledged message is processed, and Watch reports its completion.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Arc, Mutex},
};

use crate::support::{
    Caller, demanding, ms,
    page::{get, samples},
    program::{Program, connect},
    until_async, watch_request,
};
use foo_proto::v1::{JobOutcome as End, Snapshot, WatchRequest};
use tokio::task::JoinSet;

/// How often the process is killed during the load.
const KILLS: u64 = 3;
const WORKERS: u64 = 2;
/// The number of callers; each sends its messages one after another.
const CALLERS: u64 = 8;
const EACH: u64 = 60;

async fn start(folder: &Path, more: &[&str]) -> Program {
    let folder = folder.to_str().unwrap();
    let flags = [&["--queue", "durable", "--queue-dir", folder], more].concat();
    Program::start(&flags, &[]).await
}

async fn metric(program: &Program, name: &str) -> u64 {
    let (_, page) = get(program.admin, "/metrics").await;
    samples(&page)[name].parse().unwrap()
}

/// Waits until no message is on the queue or in service.
async fn until_empty(program: &Program) {
    until_async(async || metric(program, "foo_in_system").await == 0).await;
}

/// The outcomes of every message of the run, from where `request` starts to the latest one, and the last snapshot.
async fn told(caller: &Caller, request: WatchRequest) -> (BTreeMap<String, Vec<End>>, Snapshot) {
    let mut watch = caller.watch(request).await.unwrap();
    let mut ends: BTreeMap<String, Vec<End>> = BTreeMap::new();
    loop {
        let snapshot = watch.message().await.unwrap().unwrap();
        assert_eq!(snapshot.missed, 0);
        for completion in &snapshot.completions {
            ends.entry(completion.id.clone())
                .or_default()
                .push(completion.outcome());
        }
        if !snapshot.completions_more {
            return (ends, snapshot);
        }
    }
}

/// Sends each message again until it is acknowledged, to the process that currently runs at `address`.
async fn send_all(sender: u64, address: Arc<Mutex<std::net::SocketAddr>>) {
    let mut caller = None;
    for number in 0..EACH {
        loop {
            if caller.is_none() {
                let there = *address.lock().unwrap();
                let connected = connect(there).await;
                caller = match connected {
                    Ok(connection) => Caller::try_over(connection).await.ok(),
                    Err(_) => None,
                };
            }
            let id = format!("run/{sender}/{number}");
            match &caller {
                Some(caller) if caller.enqueue(demanding(&id, ms(2))).await.is_ok() => break,
                _ => caller = None,
            }
            tokio::time::sleep(ms(5)).await;
        }
    }
}

#[tokio::test]
async fn what_was_acknowledged_is_done_and_told_once_whenever_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--workers", &WORKERS.to_string(), "--queue-capacity", "100k"];
    let mut program = start(folder.path(), &flags).await;
    let address = Arc::new(Mutex::new(program.address));
    let mut senders: JoinSet<()> = (0..CALLERS)
        .map(|sender| send_all(sender, Arc::clone(&address)))
        .collect();
    let mut redelivered = 0;
    for kill in 1..=KILLS {
        // Wait until this process has completed some messages, while more wait.
        let some = 20 * kill;
        until_async(async || metric(&program, "foo_jobs_total{door=\"enqueue\",outcome=\"completed\"}").await >= some)
            .await;
        redelivered += metric(&program, "foo_queue_redeliveries_total").await;
        program.kill().await;
        program = start(folder.path(), &flags).await;
        *address.lock().unwrap() = program.address;
    }
    while let Some(sender) = senders.join_next().await {
        sender.unwrap();
    }
    until_empty(&program).await;
    redelivered += metric(&program, "foo_queue_redeliveries_total").await;
    assert!(redelivered <= KILLS * WORKERS, "{redelivered}");

    let (ends, _) = told(&program.caller().await, watch_request("run", ms(100))).await;
    let sent: BTreeSet<String> = (0..CALLERS)
        .flat_map(|sender| (0..EACH).map(move |number| format!("run/{sender}/{number}")))
        .collect();
    assert_eq!(ends.keys().cloned().collect::<BTreeSet<_>>(), sent);
    // A message that was sent again because its acknowledgement was lost has only one completion.
    assert!(ends.values().all(|ends| *ends == [End::Completed]), "{ends:?}");
}

#[tokio::test]
async fn a_watch_goes_on_in_the_next_process_without_a_gap_or_a_repeat() {
    let folder = tempfile::tempdir().unwrap();
    let program = start(folder.path(), &[]).await;
    let caller = program.caller().await;
    for id in ["a/1", "a/2"] {
        caller.enqueue(demanding(id, ms(0))).await.unwrap();
    }
    until_empty(&program).await;
    let (first, last) = told(&caller, watch_request("a", ms(100))).await;
    assert_eq!(first.len(), 2);
    caller.enqueue(demanding("a/3", ms(0))).await.unwrap();
    until_empty(&program).await;
    program.kill().await;

    let program = start(folder.path(), &[]).await;
    let caller = program.caller().await;
    caller.enqueue(demanding("a/4", ms(0))).await.unwrap();
    until_empty(&program).await;
    let resume = |queue_id: &str| WatchRequest {
        resume_queue_id: queue_id.to_owned(),
        resume_after: last.completions_end,
        ..watch_request("a", ms(100))
    };
    let (rest, next) = told(&caller, resume(&last.queue_id)).await;
    assert_eq!(rest.into_keys().collect::<Vec<_>>(), ["a/3", "a/4"]);
    assert_eq!(next.queue_id, last.queue_id);
    assert_ne!(next.instance_id, last.instance_id);
    // A position in a queue with another id is ignored, so all completions are reported.
    let (all, _) = told(&caller, resume("another")).await;
    assert_eq!(all.len(), 4);
}

#[tokio::test]
async fn a_drain_finishes_what_is_in_service_and_leaves_the_rest_to_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = start(folder.path(), &[]).await;
    let caller = program.caller().await;
    caller.enqueue(demanding("run/0", ms(300))).await.unwrap();
    until_async(async || metric(&program, "foo_in_service").await == 1).await;
    for number in 1..=3 {
        caller
            .enqueue(demanding(&format!("run/{number}"), ms(0)))
            .await
            .unwrap();
    }
    program.terminate();
    program.logged("stopped abandoned=0").await;
    assert_eq!(program.exit_code().await, Some(0));

    let program = start(folder.path(), &[]).await;
    until_empty(&program).await;
    assert_eq!(metric(&program, "foo_queue_redeliveries_total").await, 0);
    let caller = program.caller().await;
    let (ends, last) = told(&caller, watch_request("run", ms(100))).await;
    assert_eq!(ends.len(), 4);
    assert!(ends.values().all(|ends| *ends == [End::Completed]), "{ends:?}");
    let enqueue = last.enqueue.unwrap();
    assert_eq!((enqueue.admitted, enqueue.recovered, enqueue.completed), (3, 3, 3));
}

#[tokio::test]
async fn a_second_signal_breaks_the_work_off_and_its_message_stays() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = start(folder.path(), &[]).await;
    program
        .caller()
        .await
        .enqueue(demanding("run/0", ms(60_000)))
        .await
        .unwrap();
    until_async(async || metric(&program, "foo_in_service").await == 1).await;
    program.terminate();
    program.logged(" draining ").await;
    program.terminate();
    program.logged("stopped abandoned=0").await;
    assert_eq!(program.exit_code().await, Some(0));
    let program = start(folder.path(), &[]).await;
    until_async(async || metric(&program, "foo_in_service").await == 1).await;
}

#[tokio::test]
async fn a_repeat_of_an_id_is_acknowledged_and_not_queued_again() {
    let folder = tempfile::tempdir().unwrap();
    let program = start(folder.path(), &[]).await;
    let caller = program.caller().await;
    let first = caller.enqueue(demanding("run/0", ms(0))).await.unwrap();
    until_empty(&program).await;
    program.kill().await;
    let program = start(folder.path(), &[]).await;
    let caller = program.caller().await;
    let again = caller.enqueue(demanding("run/0", ms(0))).await.unwrap();
    assert_eq!((first.duplicate, again.duplicate), (false, true));
    until_empty(&program).await;
    assert_eq!(metric(&program, "foo_queue_duplicates_total").await, 1);
    let (ends, _) = told(&caller, watch_request("run", ms(100))).await;
    assert_eq!(ends["run/0"], [End::Completed]);
}
