//! A shared queue whose server was changed, has no room, refuses some requests, or does not have the queue.

use crate::{
    shared_queue_limits::fails,
    support::{
        demanding, ms,
        nats::{Nats, metric, until_told},
        program::run,
        until_async,
    },
};
use async_nats::jetstream::{self, consumer, stream};
use foo_proto::v1::{JobOutcome as End, Message};
use tonic::Code;

const COMPLETED: &str = "foo_jobs_total{door=\"enqueue\",outcome=\"completed\"}";

#[tokio::test]
async fn a_queue_that_was_changed_on_its_server_is_refused_with_what_differs() {
    let Some(nats) = Nats::start().await else { return };
    drop(nats.instance(&[]).await);
    let url = nats.url();
    let context = jetstream::new(async_nats::connect(&url).await.unwrap());
    let refused = async |parts: &[&str]| {
        let (code, said) = fails(&["--queue", &url, "--queue-lease", "2s"]).await;
        assert_eq!(code, Some(2), "{said}");
        assert!(parts.iter().all(|part| said.contains(part)), "{said}");
    };
    for name in ["FOO_foo", "FOO_foo_DEAD"] {
        let is = context.get_stream(name).await.unwrap().cached_info().config.clone();
        let aged = stream::Config {
            max_age: ms(86_400_000),
            ..is.clone()
        };
        let small = stream::Config {
            max_bytes: 1_000_000,
            ..is.clone()
        };
        for (changed, what) in [(aged, "86400s"), (small, "1000000")] {
            context.update_stream(&changed).await.unwrap();
            refused(&[name, what, "unlimited"]).await;
        }
        context.update_stream(&is).await.unwrap();
    }
    let work = context.get_stream("FOO_foo").await.unwrap();
    let workers: consumer::PullConsumer = work.get_consumer("workers").await.unwrap();
    let is = workers.cached_info().config.clone();
    let changed = consumer::Config {
        max_ack_pending: 7,
        ..is.clone()
    };
    work.update_consumer(changed).await.unwrap();
    refused(&["the consumer of FOO_foo", "max_ack_pending", "7"]).await;
    work.update_consumer(is).await.unwrap();
    nats.instance(&[]).await;
}

#[tokio::test]
async fn the_command_for_dead_letters_creates_no_queue() {
    let Some(nats) = Nats::start().await else { return };
    let url = nats.url();
    let (code, _, said) = run(&["dead-letters", "list", "--queue", &url, "--queue-name", "other"], &[]).await;
    assert_ne!(code, Some(0), "{said}");
    assert!(said.contains("FOO_other") && said.contains("--queue-name"), "{said}");
    let context = jetstream::new(async_nats::connect(&url).await.unwrap());
    assert!(context.get_stream("FOO_other").await.is_err());
}

#[tokio::test]
async fn dead_letters_that_cannot_be_read_are_an_error() {
    let nats = Nats::start_with(
        "jetstream { store_dir: STORE }\nmax_payload: 2MB\nauthorization { users: [ { user: foo, password: secret, permissions: \
         { publish: { deny: \"$JS.API.STREAM.MSG.GET.>\" } } } ] }",
    );
    let Some(nats) = nats.await else { return };
    let file = nats.folder().join("credentials");
    std::fs::write(&file, "foo:secret\n").unwrap();
    let flags = ["--queue-credentials", file.to_str().unwrap()];
    nats.instance(&flags).await;
    let options = async_nats::ConnectOptions::with_user_and_password("foo".to_owned(), "secret".to_owned());
    let context = jetstream::new(options.connect(nats.url()).await.unwrap());
    context
        .publish("foo.foo.dead", "x".into())
        .await
        .unwrap()
        .await
        .unwrap();
    let url = nats.url();
    let place = ["--queue", &url, "--queue-lease", "2s", "--queue-timeout", "300ms"];
    for action in [&["list"][..], &["retry", "--all"]] {
        let (code, out, said) = run(&[&["dead-letters"][..], action, &place[..], &flags[..]].concat(), &[]).await;
        assert!(code != Some(0) && out.is_empty(), "{code:?} {out}");
        assert!(said.contains("dead letter 1 cannot be read"), "{said}");
    }
}

#[tokio::test]
async fn a_queue_whose_server_has_no_room_even_for_completions_is_emptied() {
    let Some(nats) = Nats::start_with("jetstream { store_dir: STORE, max_file_store: 4MB }\nmax_payload: 2MB").await
    else {
        return;
    };
    let front = nats.instance(&["--workers", "0"]).await;
    let caller = front.caller().await;
    let mut sent = 0;
    let refused = loop {
        let large = Message {
            payload: vec![7; 1 << 20],
            ..demanding(&format!("run/{sent}"), ms(0))
        };
        match caller.enqueue(large).await {
            Ok(_) => sent += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    let worker = nats.instance(&["--accept", "none"]).await;
    until_async(async || metric(&worker, COMPLETED).await == sent).await;
    // The ones that ended when there was room again are reported.
    let ends = until_told(&caller, "run", 1).await;
    assert!(ends.values().all(|ends| *ends == [End::Completed]), "{ends:?}");
}
