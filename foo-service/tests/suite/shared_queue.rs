//! A shared queue over a real nats-server. Several instances use it, any instance may start or stop meanwhile, and no message
//! that was acknowledged is lost.

use crate::support::{
    Caller, demanding, message, ms,
    nats::{Nats, metric, resume, told, until_told},
    page::get,
    program::{Program, run},
    until_async, within_patience,
};
use foo_proto::v1::{JobOutcome as End, Message};
use tonic::Code;

const COMPLETED: &str = "foo_jobs_total{door=\"enqueue\",outcome=\"completed\"}";
const REDELIVERED: &str = "foo_queue_redeliveries_total";

/// Sends messages that take no time, one after the other; all are acknowledged.
async fn send(caller: &Caller, run: &str, messages: std::ops::Range<u64>, demand: u64) {
    for number in messages {
        let message = demanding(&format!("{run}/{number}"), ms(demand));
        caller.enqueue(message).await.unwrap();
    }
}

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
    // At most the one that was in hand, and was given back.
    assert!(metric(&one, REDELIVERED).await <= 1);
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
    // A watch goes on with another instance where it was with the first.
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

/// Sends each message until it is acknowledged, with the same id; returns how often it was refused as unavailable.
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
async fn the_bound_is_exact_and_counts_what_is_in_service() {
    let Some(nats) = Nats::start().await else { return };
    let front = nats.instance(&["--workers", "0", "--queue-capacity", "100"]).await;
    let caller = front.caller().await;
    let answers = (0..300).map(|number| caller.enqueue(demanding(&format!("run/{number}"), ms(0))));
    let answers = futures_util::future::join_all(answers).await;
    let refused: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    assert_eq!(refused.len(), 200);
    for status in refused {
        assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
        assert!(status.metadata().contains_key("grpc-retry-pushback-ms"));
    }
    until_async(async || metric(&front, "foo_queue_depth").await == 100).await;
    // A repeat of one that is there is acknowledged all the same.
    let there = answers.iter().position(Result::is_ok).unwrap();
    let again = caller.enqueue(demanding(&format!("run/{there}"), ms(0))).await.unwrap();
    assert!(again.duplicate);
    let _worker = nats.instance(&["--queue-capacity", "100", "--accept", "none"]).await;
    until_told(&caller, "run", 100).await;
    caller.enqueue(demanding("run/more", ms(0))).await.unwrap();
}

#[tokio::test]
async fn a_message_that_ends_its_worker_again_and_again_is_put_aside_and_can_be_queued_again() {
    let Some(nats) = Nats::start().await else { return };
    let flags = ["--queue-max-deliveries", "2", "--queue-lease", "1s"];
    let front = nats.instance(&["--workers", "0", "--queue-lease", "1s"]).await;
    let caller = front.caller().await;
    caller.enqueue(demanding("run/poison", ms(60_000))).await.unwrap();
    for _ in 0..2 {
        let worker = nats.instance(&flags).await;
        until_async(async || metric(&worker, "foo_in_service").await == 1).await;
        worker.kill().await;
    }
    let worker = nats.instance(&flags).await;
    let ends = until_told(&caller, "run", 1).await;
    assert_eq!(ends["run/poison"], [End::DeadLettered]);
    until_async(async || metric(&worker, "foo_queue_dead_letters_total").await == 1).await;
    until_async(async || metric(&front, "foo_queue_leased").await == 0).await;
    // The others are unharmed.
    caller.enqueue(demanding("run/other", ms(0))).await.unwrap();
    until_told(&caller, "run", 2).await;

    let url = nats.url();
    let letters = async |action: &[&str]| {
        let (code, out, said) = run(
            &[&["dead-letters", "--queue", &url, "--queue-lease", "1s"], action].concat(),
            &[],
        )
        .await;
        assert_eq!(code, Some(0), "{said}");
        out
    };
    let list = letters(&["list"]).await;
    assert!(
        list.contains("\"run/poison\"") && list.contains("2 deliveries"),
        "{list}"
    );
    assert!(letters(&["retry", "--all"]).await.contains("1: queued again"));
    assert_eq!(letters(&["list"]).await, "");
    until_async(async || metric(&worker, "foo_in_service").await == 1).await;
}

#[tokio::test]
async fn work_that_takes_longer_than_the_lease_is_not_delivered_again() {
    let Some(nats) = Nats::start().await else { return };
    let [one, other] = [
        nats.instance(&["--queue-lease", "1s"]).await,
        nats.instance(&["--queue-lease", "1s"]).await,
    ];
    let caller = one.caller().await;
    // One is in service for three leases. Another waits in the hand of an instance whose worker a call of Process has.
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
async fn ids_and_payloads_of_every_kind_stay_what_they_are() {
    let Some(nats) = Nats::start().await else { return };
    let instance = nats.instance(&["--workers", "4"]).await;
    let caller = instance.caller().await;
    let ids = [
        "run/a\r\nNats-Rollup: all",
        "run/\0",
        "run/ a ",
        "run/a",
        "run/🦀🦀🦀",
        "run/grüße",
    ];
    for id in ids {
        caller.enqueue(demanding(id, ms(0))).await.unwrap();
    }
    let largest = Message {
        payload: vec![7; 1 << 20],
        ..demanding(&format!("run/{}", "x".repeat(124)), ms(0))
    };
    caller.enqueue(largest).await.unwrap();
    let ends = until_told(&caller, "run", ids.len() + 1).await;
    assert!(ids.iter().all(|id| ends[*id] == [End::Completed]), "{ends:?}");
}

/// Starts an instance that must fail; returns what it says.
async fn fails(flags: &[&str]) -> (Option<i32>, String) {
    let listen = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    let (code, _, said) = run(&[&listen, flags].concat(), &[]).await;
    (code, said)
}

#[tokio::test]
async fn a_server_that_does_not_fit_is_said_at_the_start_with_what_to_do() {
    let Some(nats) = Nats::start().await else { return };
    drop(nats.instance(&[]).await);
    let url = nats.url();
    for (flags, parts) in [
        (
            &["--queue-capacity", "5"][..],
            &["--queue-capacity", "FOO_foo", "1000", "5"][..],
        ),
        (&["--queue-lease", "7s"], &["--queue-lease", "7s", "2s"]),
        (&["--queue-dedupe", "1m"], &["--queue-dedupe"]),
        (&["--max-payload", "4MiB"], &["max_payload", "--max-payload"]),
    ] {
        let lease: &[&str] = if flags.contains(&"--queue-lease") {
            &[]
        } else {
            &["--queue-lease", "2s"]
        };
        let (code, said) = fails(&[&["--queue", &url], lease, flags].concat()).await;
        assert_eq!(code, Some(2), "{flags:?}: {said}");
        assert!(parts.iter().all(|part| said.contains(part)), "{flags:?}: {said}");
    }
    let plain = Nats::start_with("max_payload: 2MB").await.unwrap();
    let (code, said) = fails(&["--queue", &plain.url()]).await;
    assert!(code == Some(2) && said.contains("JetStream"), "{said}");

    let locked = Nats::start_with(
        "jetstream { store_dir: STORE }\nmax_payload: 2MB\nauthorization { user: foo, password: secret }",
    );
    let locked = locked.await.unwrap();
    let (code, said) = fails(&["--queue", &locked.url()]).await;
    assert!(code == Some(2) && said.contains("--queue-credentials"), "{said}");
    let file = locked.folder().join("credentials");
    std::fs::write(&file, "foo:secret\n").unwrap();
    locked.instance(&["--queue-credentials", file.to_str().unwrap()]).await;
}

#[tokio::test]
async fn a_server_that_is_away_at_the_start_is_waited_for() {
    let Some(mut nats) = Nats::start().await else { return };
    nats.kill().await;
    let instance = nats.instance_of(&[]).await;
    let (status, why) = get(instance.admin, "/readyz").await;
    assert!(status == 503 && why.contains("cannot reach"), "{why}");
    let caller = instance.caller().await;
    assert_eq!(caller.enqueue(message("")).await.unwrap_err().code(), Code::Unavailable);
    caller.process(demanding("", ms(1))).await.unwrap();
    nats.start_again().await;
    until_async(async || get(instance.admin, "/readyz").await.0 == 200).await;
    send(&caller, "run", 0..3, 0).await;
    until_told(&caller, "run", 3).await;
}

#[tokio::test]
async fn settings_that_make_no_sense_with_a_shared_queue_or_a_role_are_usage_errors() {
    for (flags, parts) in [
        (&["--queue", "nats://u:secret@h"][..], &["--queue-credentials"][..]),
        (&["--queue", "http://h"], &["nats://"]),
        (
            &["--queue", "nats://h", "--when-full", "drop-oldest"],
            &["--when-full drop-oldest"],
        ),
        (&["--queue-name", "a"], &["--queue-name", "shared queue"]),
        (&["--queue", "nats://h", "--queue-name", "a b"], &["--queue-name"]),
        (&["--queue", "nats://h", "--queue-dir", "x"], &["--queue-dir"]),
        (&["--queue", "nats://h", "--queue-cert", "x"], &["--queue-key"]),
        (&["--workers", "0"], &["--workers 0", "--queue"]),
        (&["--accept", "none"], &["--accept none", "--queue"]),
        (
            &["--queue", "nats://h", "--workers", "0", "--accept", "none"],
            &["nothing"],
        ),
    ] {
        let (code, said) = fails(flags).await;
        assert_eq!(code, Some(2), "{flags:?}: {said}");
        assert!(
            parts.iter().all(|part| said.contains(part)) && !said.contains("secret"),
            "{flags:?}: {said}"
        );
    }
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
