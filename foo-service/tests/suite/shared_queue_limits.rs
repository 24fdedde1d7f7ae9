//! Where a shared queue ends: it is full, a message ends its workers again and again, its server does not fit or is away, its settings
//! make no sense.

use crate::support::{
    demanding, message, ms,
    nats::{Nats, metric, send, until_told},
    page::get,
    program::run,
    until_async,
};
use foo_proto::v1::{JobOutcome as End, Message};
use tonic::Code;

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
async fn an_instance_that_has_just_started_takes_no_more_messages_than_it_has_workers() {
    let Some(nats) = Nats::start().await else { return };
    let front = nats.instance(&["--workers", "0"]).await;
    let _worker = nats.instance(&[]).await;
    send(&front.caller().await, "run", 0..3, 60_000).await;
    let mut leased = 0;
    until_async(async || {
        leased = metric(&front, "foo_queue_leased").await;
        leased > 0 && leased + metric(&front, "foo_queue_depth").await == 3
    })
    .await;
    assert_eq!(leased, 1);
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
        let flags = ["--queue", &url, "--queue-lease", "1s"];
        // The flags may stand before the action and after it.
        let words = if action[0] == "list" {
            [&["dead-letters"], action, &flags[..]].concat()
        } else {
            [&["dead-letters"], &flags[..], action].concat()
        };
        let (code, out, said) = run(&words, &[]).await;
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
pub(crate) async fn fails(flags: &[&str]) -> (Option<i32>, String) {
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
