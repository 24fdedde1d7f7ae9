//! A shared queue on a real nats-server. Several instances use it and can start or stop at any time, and no acknowledged
//! message is lost.

use crate::support::{
    Caller, demanding, message, ms,
    nats::{Nats, metric, resume, send, told, until_told},
    page::get,
    program::Program,
    until_async, watch_request, within_patience,
};
use foo_proto::v1::JobOutcome as End;
use tonic::Code;

const COMPLETED: &str = "foo_jobs_total{door=\"enqueue\",outcome=\"completed\"}";
const REDELIVERED: &str = "foo_queue_redeliveries_total";

#[tokio::test]
async fn messages_are_accepted_while_all_workers_are_away_and_done_when_they_come() {
    let Some(nats) = Nats::start().await else { return };
    let front = nats.instance(&["--workers", "0"]).await;
    let (_, ready) = get(front.admin, "/readyz").await;
    assert_eq!(ready, "ready: Enqueue only, without workers\n");
    let caller = front.caller().await;
    send(&caller, "run", 0..50, 0).await;
    let refused = caller.process(message("")).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    until_async(async || metric(&front, "foo_queue_depth").await == 50).await;

    let worker = nats.instance(&["--accept", "none"]).await;
    let (_, ready) = get(worker.admin, "/readyz").await;
    assert_eq!(ready, "ready: works on the queue, accepts no calls\n");
    for instance in [&front, &worker] {
        let ends = until_told(&instance.caller().await, "run", 50).await;
        assert_eq!(ends.len(), 50);
        assert!(ends.values().all(|ends| *ends == [End::Completed]), "{ends:?}");
    }
    let refused = worker.caller().await.enqueue(message("")).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    let door = caller.look().await.enqueue.unwrap();
    assert_eq!((door.admitted, door.taken, door.completed), (50, Some(0), 0));
    until_async(async || metric(&worker, "foo_in_system").await == 0).await;
    let door = worker.caller().await.look().await.enqueue.unwrap();
    assert_eq!(
        (door.admitted, door.taken, door.completed, door.inside),
        (0, Some(50), 50, 0)
    );
}

#[tokio::test]
async fn two_instances_share_the_work_and_one_that_drains_leaves_nothing_behind() {
    let Some(nats) = Nats::start().await else { return };
    let [one, mut other] = [nats.instance(&[]).await, nats.instance(&[]).await];
    let caller = one.caller().await;
    send(&caller, "run", 0..20, 50).await;
    until_async(async || metric(&one, COMPLETED).await > 2 && metric(&other, COMPLETED).await > 2).await;
    other.terminate();
    other.logged("stopped abandoned=0").await;
    assert_eq!(other.exit_code().await, Some(0));
    send(&caller, "run", 20..30, 10).await;
    let ends = until_told(&caller, "run", 30).await;
    assert!(ends.values().all(|ends| *ends == [End::Completed]), "{ends:?}");
    // At most one message was delivered again: one that the stopped instance had taken, and gave back without processing it.
    assert!(metric(&one, REDELIVERED).await <= 1);
}

/// The protocol counts a delivery that was given back: docs/queue.md says so.
#[tokio::test]
async fn a_message_that_a_drain_gives_back_is_done_by_another_instance_and_counts_as_delivered_twice() {
    let Some(nats) = Nats::start().await else { return };
    let front = nats.instance(&["--workers", "0"]).await;
    let flags = ["--queue-max-deliveries", "2"];
    let drains = nats.instance(&flags).await;
    // Its worker was free when it asked for a message, and is not when the message comes.
    let busy = drains.caller().await;
    let busy = tokio::spawn(async move { busy.process(demanding("", ms(2_000))).await });
    until_async(async || metric(&drains, "foo_in_service").await == 1).await;
    send(&front.caller().await, "run", 0..1, 0).await;
    until_async(async || metric(&front, "foo_queue_leased").await == 1).await;
    drains.terminate();
    let next = nats.instance(&flags).await;
    let ends = until_told(&front.caller().await, "run", 1).await;
    assert_eq!(ends["run/0"], [End::Completed]);
    assert_eq!(metric(&next, COMPLETED).await, 1);
    assert_eq!(metric(&next, REDELIVERED).await, 1);
    within_patience(busy).await.unwrap().unwrap();
    assert_eq!(drains.exit_code().await, Some(0));
}

/// What an instance shows of the queue is up to a second old. A message that has left the queue by then is told as done: one that is in
/// neither place would look lost. Here the instance has to read many other ends before those of the messages.
#[tokio::test]
async fn every_look_at_the_queue_finds_each_message_on_it_or_told_as_done() {
    const MESSAGES: u64 = 8;
    let Some(nats) = Nats::start_with("jetstream { store_dir: STORE }\nmax_payload: 2MB").await else {
        return;
    };
    let front = nats.instance(&["--workers", "0"]).await;
    let _worker = nats.instance(&["--accept", "none", "--workers", "4"]).await;
    let caller = front.caller().await;
    for round in 0..2 {
        let run = format!("run{round}");
        nats.put_ends(30_000).await;
        send(&caller, &run, 0..MESSAGES, 0).await;
        let mut watch = caller.watch(watch_request(&run, ms(20))).await.unwrap();
        let (mut done, mut sent) = (0, None);
        while done < MESSAGES {
            let snapshot = within_patience(watch.message()).await.unwrap().unwrap();
            done += snapshot.completions.len() as u64;
            let (depth, shared) = (snapshot.queue_depth.unwrap().now, snapshot.shared_queue.unwrap());
            let uptime = span(snapshot.uptime);
            let looked = uptime.saturating_sub(span(shared.seen_ago));
            if looked > *sent.get_or_insert(uptime) && !snapshot.completions_more {
                let there = depth + shared.leased;
                assert!(
                    done + there >= MESSAGES,
                    "{done} are told as done, and {there} are there"
                );
            }
        }
    }
}

fn span(span: Option<foo_proto::Duration>) -> std::time::Duration {
    span.unwrap().try_into().unwrap()
}

#[tokio::test]
async fn what_a_killed_instance_had_is_done_by_another_and_told_by_all() {
    let Some(nats) = Nats::start().await else { return };
    let front = nats.instance(&["--workers", "0"]).await;
    let caller = front.caller().await;
    let mut worker = nats.instance(&["--workers", "4"]).await;
    let mut sent = 0;
    let kills = 3;
    for _ in 0..kills {
        send(&caller, "run", sent..sent + 16, 500).await;
        sent += 16;
        until_async(async || metric(&worker, "foo_in_service").await == 4).await;
        worker.kill().await;
        worker = nats.instance(&["--workers", "4"]).await;
    }
    let ends = until_told(&caller, "run", usize::try_from(sent).unwrap()).await;
    assert!(ends.values().flatten().all(|end| *end == End::Completed), "{ends:?}");
    until_async(async || metric(&worker, "foo_queue_leased").await == 0).await;
    let twice = told(&caller, "run")
        .await
        .values()
        .map(|ends| ends.len() - 1)
        .sum::<usize>();
    assert!(twice <= 4 * kills, "{twice} were done twice");
    // A watch can resume with another instance, at the position that it had with the first.
    let last = caller.look().await;
    assert!(!last.queue_id.is_empty());
    caller.enqueue(demanding("run/last", ms(0))).await.unwrap();
    let mut watch = worker
        .caller()
        .await
        .watch(resume("run", &last.queue_id, last.completions_end))
        .await
        .unwrap();
    let mut rest = Vec::new();
    while rest.is_empty() {
        let snapshot = within_patience(watch.message()).await.unwrap().unwrap();
        assert_eq!((snapshot.missed, &snapshot.queue_id), (0, &last.queue_id));
        rest.extend(snapshot.completions.into_iter().map(|completion| completion.id));
    }
    assert_eq!(rest, ["run/last"]);
}

/// Sends a message, always with the same id, until it is acknowledged. Returns how often it was refused as unavailable.
async fn send_until_acknowledged(caller: &Caller, id: &str) -> u64 {
    let mut refused = 0;
    loop {
        match caller.enqueue(demanding(id, ms(1))).await {
            Ok(_) => return refused,
            Err(status) => assert_eq!(status.code(), Code::Unavailable, "{status}"),
        }
        refused += 1;
        tokio::time::sleep(ms(20)).await;
    }
}

#[tokio::test]
async fn a_server_that_is_killed_loses_nothing_and_process_goes_on() {
    let Some(mut nats) = Nats::start().await else { return };
    let instance = nats.instance(&["--workers", "4"]).await;
    let caller = instance.caller().await;
    for kill in 0..3 {
        let senders = (0..8).map(|sender| {
            let caller = caller.clone();
            tokio::spawn(async move {
                let mut refused = 0;
                for number in 0..15 {
                    refused += send_until_acknowledged(&caller, &format!("run/{kill}-{sender}-{number}")).await;
                }
                refused
            })
        });
        let senders: Vec<_> = senders.collect();
        until_async(async || metric(&instance, COMPLETED).await > 20 * kill).await;
        nats.kill().await;
        until_async(async || metric(&instance, "foo_queue_connected").await == 0).await;
        let refused = caller.enqueue(demanding("run/away", ms(0))).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
        until_async(async || caller.process(demanding("", ms(1))).await.is_ok()).await;
        assert_eq!(get(instance.admin, "/readyz").await.0, 200);
        nats.start_again().await;
        for sender in senders {
            within_patience(sender).await.unwrap();
        }
    }
    let ends = until_told(&caller, "run", 3 * 8 * 15).await;
    assert!(!ends.contains_key("run/away"), "refused at once, and sent later");
    assert!(ends.values().flatten().all(|end| *end == End::Completed), "{ends:?}");
    assert!(metric(&instance, "foo_queue_reconnects_total").await >= 3);
}

#[tokio::test]
async fn what_a_frozen_server_did_not_confirm_can_be_sent_again_and_is_done_once() {
    let Some(nats) = Nats::start().await else { return };
    let instance = nats
        .instance(&["--queue-timeout", "300ms", "--queue-lease", "30s"])
        .await;
    let caller = instance.caller().await;
    nats.freeze();
    let unsure = caller.enqueue(demanding("run/0", ms(0))).await.unwrap_err();
    assert_eq!(unsure.code(), Code::Unavailable);
    assert!(unsure.message().contains("same id"), "{unsure}");
    assert_eq!(metric(&instance, "foo_queue_unsure_total").await, 1);
    nats.thaw();
    send_until_acknowledged(&caller, "run/0").await;
    let ends = until_told(&caller, "run", 1).await;
    assert_eq!(ends["run/0"], [End::Completed]);
    assert_eq!(metric(&instance, "foo_queue_duplicates_total").await, 1);
}

#[tokio::test]
async fn work_that_takes_longer_than_the_lease_is_not_delivered_again() {
    let Some(nats) = Nats::start().await else { return };
    let [one, other] = [
        nats.instance(&["--queue-lease", "1s"]).await,
        nats.instance(&["--queue-lease", "1s"]).await,
    ];
    let caller = one.caller().await;
    // The work on each message takes longer than three leases, so the instance must renew the lease.
    for number in 0..3 {
        caller
            .enqueue(demanding(&format!("run/{number}"), ms(3200)))
            .await
            .unwrap();
    }
    let ends = until_told(&caller, "run", 3).await;
    assert!(ends.values().all(|ends| *ends == [End::Completed]), "{ends:?}");
    let redelivered = metric(&one, REDELIVERED).await + metric(&other, REDELIVERED).await;
    let lost = metric(&one, "foo_queue_lease_lost_total").await + metric(&other, "foo_queue_lease_lost_total").await;
    assert_eq!((redelivered, lost), (0, 0));
}

#[tokio::test]
async fn one_worker_takes_message_after_message_without_standing_still() {
    let Some(nats) = Nats::start_with("jetstream { store_dir: STORE }\nmax_payload: 2MB").await else {
        return;
    };
    let instance = nats.instance(&["--queue-capacity", "100k"]).await;
    let caller = instance.caller().await;
    let senders = (0..16).map(|sender| {
        let caller = caller.clone();
        tokio::spawn(async move {
            for number in 0..60 {
                let id = format!("run/{sender}-{number}");
                caller.enqueue(demanding(&id, ms(0))).await.unwrap();
            }
        })
    });
    futures_util::future::join_all(senders).await;
    let ends = until_told(&caller, "run", 16 * 60).await;
    assert!(ends.values().all(|ends| *ends == [End::Completed]));
}

#[tokio::test]
async fn a_front_over_a_durable_queue_leaves_its_messages_to_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let durable = ["--queue", "durable", "--queue-dir", folder.path().to_str().unwrap()];
    let front = Program::start(&[&durable[..], &["--workers", "0"]].concat(), &[]).await;
    send(&front.caller().await, "run", 0..3, 0).await;
    assert_eq!(metric(&front, "foo_queue_depth").await, 3);
    front.kill().await;
    let next = Program::start(&durable, &[]).await;
    until_told(&next.caller().await, "run", 3).await;
}
