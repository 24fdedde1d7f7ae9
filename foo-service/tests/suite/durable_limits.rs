//! Failures of a durable queue: its disk is full, its settings contradict each other, its folder is in use.

use crate::support::{
    demanding, ms,
    page::{get, samples},
    program::{Program, run},
    until_async, within_patience,
};
use foo_proto::v1::Message;
use tonic::Code;

/// The maximum file size of the process, in blocks of 512 bytes: 8 MiB. It simulates a disk that is nearly full.
const BLOCKS: u32 = 16_384;

async fn done(program: &Program) -> u64 {
    let (_, page) = get(program.admin, "/metrics").await;
    samples(&page)["foo_jobs_total{door=\"enqueue\",outcome=\"completed\"}"]
        .parse()
        .unwrap()
}

#[tokio::test]
async fn a_full_disk_is_unavailable_and_everything_else_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let flags = [
        "--queue",
        "durable",
        "--queue-dir",
        folder.path().to_str().unwrap(),
        "--workers",
        "2",
    ];
    let mut program = Program::start_with_small_files(BLOCKS, &flags).await;
    let caller = program.caller().await;
    // Calls of Process occupy both workers until the disk is full, so that messages stay on the queue.
    let occupies = demanding("", ms(60_000));
    let occupying: Vec<_> = (0..2).map(|_| tokio::spawn(caller.process(occupies.clone()))).collect();
    until_async(async || {
        let (_, page) = get(program.admin, "/metrics").await;
        samples(&page)["foo_in_service"] == "2"
    })
    .await;
    let large = |number: u64| Message {
        payload: vec![7; 256 << 10],
        ..demanding(&format!("run/{number}"), ms(0))
    };
    let mut acknowledged = 0;
    let refused = loop {
        match caller.enqueue(large(acknowledged)).await {
            Ok(_) => acknowledged += 1,
            Err(status) => break status,
        }
        assert!(acknowledged < 1000, "the disk is never full");
    };
    assert_eq!(refused.code(), Code::Unavailable);
    assert_eq!(
        refused.message(),
        "the queue cannot be written; try again with the same id"
    );
    assert!(acknowledged > 0);
    program.logged("the queue cannot be written").await;

    // Process still works, and all acknowledged messages are processed.
    for call in &occupying {
        call.abort();
    }
    within_patience(caller.process(demanding("", ms(1)))).await.unwrap();
    until_async(async || done(&program).await == acknowledged).await;
    // That frees room in the file, so the queue accepts messages again.
    until_async(async || caller.enqueue(large(acknowledged)).await.is_ok()).await;
    until_async(async || done(&program).await == acknowledged + 1).await;
    program.terminate();
    assert_eq!(program.exit_code().await, Some(0));
}

#[tokio::test]
async fn a_folder_belongs_to_one_process_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--queue", "durable", "--queue-dir", folder.path().to_str().unwrap()];
    let program = Program::start(&flags, &[]).await;
    let (code, _, said) = run(
        &[
            &["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"],
            &flags[..],
        ]
        .concat(),
        &[],
    )
    .await;
    assert_eq!(code, Some(1));
    assert!(
        said.contains("open in another process") && said.contains("--queue-dir"),
        "{said}"
    );
    program.kill().await;
    Program::start(&flags, &[]).await;
}

#[tokio::test]
async fn settings_that_make_no_sense_with_or_without_a_durable_queue_are_usage_errors() {
    for (flags, parts) in [
        (&["--queue", "durable"][..], &["--queue-dir"][..]),
        (
            &["--queue", "durable", "--queue-dir", "x", "--when-full", "drop-oldest"],
            &["--queue durable", "--when-full drop-oldest", "never"],
        ),
        (
            &["--queue", "durable", "--queue-dir", "x", "--when-full", "wait"],
            &["--when-full wait"],
        ),
        (&["--queue-dir", "x"], &["--queue-dir has no effect", "--queue durable"]),
        (
            &["--queue", "unbounded", "--queue-dedupe", "1m"],
            &["--queue-dedupe has no effect", "--queue durable"],
        ),
    ] {
        let (code, _, said) = run(flags, &[]).await;
        assert_eq!(code, Some(2), "{flags:?}: {said}");
        assert!(parts.iter().all(|part| said.contains(part)), "{flags:?}: {said}");
    }
    let nowhere = ["--queue", "durable", "--queue-dir", "/dev/null/queue"];
    let (code, _, said) = run(&nowhere, &[]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("/dev/null/queue") && said.contains("--queue-dir"),
        "{said}"
    );
    assert!(
        Program::start(
            &[],
            &[
                ("FOO_QUEUE", "durable"),
                ("FOO_QUEUE_DIR", tempfile::tempdir().unwrap().path().to_str().unwrap())
            ]
        )
        .await
        .start_line
        .contains("queue=durable")
    );
}
