//! Callers that go away, while they wait or while their message is in service: their places are free at once, and their
//! messages are counted as cancelled.

use crate::support::{TestBed, fixed_limit, in_order, message, times};
use foo_service::{
    config::Settings,
    job::{Door, JobOutcome, RequestOutcome},
    ledger::Levels,
};

fn line_of_one() -> Settings {
    Settings {
        max_waiting: 1,
        ..in_order()
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_leaves_the_line_frees_its_place_there() {
    let bed = TestBed::start(line_of_one());
    let caller = bed.caller().await;
    let served = tokio::spawn(caller.process(message("served")));
    bed.at(10).await;
    let leaving = tokio::spawn(caller.process(message("leaving")));
    bed.at(20).await;
    caller.process(message("refused")).await.unwrap_err();
    leaving.abort();
    bed.at(30).await;
    assert_eq!(bed.ledger.levels().waiting, 0);
    let next = tokio::spawn(caller.process(message("next")));
    served.await.unwrap().unwrap();
    assert_eq!(times(&next.await.unwrap().unwrap()), (220, 250));
    let door = bed.process_door();
    assert_eq!((door.of(JobOutcome::Cancelled), door.of(JobOutcome::Completed)), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_leaves_in_service_frees_its_worker() {
    let bed = TestBed::start(line_of_one());
    let caller = bed.caller().await;
    let leaving = tokio::spawn(caller.process(message("leaving")));
    bed.at(10).await;
    let next = tokio::spawn(caller.process(message("next")));
    bed.at(100).await;
    leaving.abort();
    // The next call is served from 100 on, when the other caller went away, and not from 250 on.
    assert_eq!(times(&next.await.unwrap().unwrap()), (90, 250));
    assert_eq!(bed.process_door().of(JobOutcome::Cancelled), 1);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_waits_for_a_worker_past_the_limit_can_leave_too() {
    let settings = Settings {
        concurrency_limit: Some(2),
        limit_kind: fixed_limit(),
        max_waiting: 0,
        ..in_order()
    };
    let bed = TestBed::start(settings);
    let caller = bed.caller().await;
    caller.enqueue(message("queued")).await.unwrap();
    bed.at(10).await;
    let leaving = tokio::spawn(caller.process(message("leaving")));
    bed.at(20).await;
    let staying = tokio::spawn(caller.process(message("staying")));
    bed.at(30).await;
    leaving.abort();
    assert_eq!(times(&staying.await.unwrap().unwrap()), (230, 250));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_frees_everything_its_callers_had() {
    // With guards that do nothing when they are dropped this test fails: all four messages stay in the system.
    let bed = TestBed::start(Settings {
        max_waiting: 3,
        ..in_order()
    });
    let (connection, cut) = tokio::io::duplex(1 << 16);
    let mut far = bed.dial().await;
    let wire = tokio::spawn(async move {
        let mut cut = cut;
        let _ = tokio::io::copy_bidirectional(&mut cut, &mut far).await;
    });
    let doomed = crate::support::Caller::over(connection).await;
    let calls: Vec<_> = (0..4)
        .map(|_| tokio::spawn(doomed.process(message("doomed"))))
        .collect();
    bed.at(10).await;
    assert_eq!((bed.ledger.levels().in_service, bed.ledger.levels().waiting), (1, 3));
    wire.abort();
    bed.at(20).await;
    assert_eq!(bed.ledger.levels(), Levels::default());
    assert_eq!(bed.process_door().of(JobOutcome::Cancelled), 4);
    for call in calls {
        call.await.unwrap().unwrap_err();
    }
    let caller = bed.caller().await;
    assert_eq!(times(&caller.process(message("next")).await.unwrap()), (0, 250));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_breaks_off_in_its_body_has_left_and_that_is_neither_a_fault_nor_a_refusal() {
    // tonic turns a broken body into an error, which reaches the layer that counts calls as if it were an answer.
    let bed = TestBed::start(in_order());
    let half_a_frame = [0, 0, 0, 0, 100, 1].as_slice();
    for (sent, reset) in [
        (&[][..], None),
        (half_a_frame, None),
        (half_a_frame, Some(h2::Reason::ENHANCE_YOUR_CALM)),
    ] {
        let (sender, connection) = h2::client::handshake(bed.dial().await).await.unwrap();
        let connection = tokio::spawn(connection);
        let request = http::Request::post("http://service/foo.v1.FooService/Process")
            .header("content-type", "application/grpc")
            .body(())
            .unwrap();
        let (_answer, mut body) = sender.ready().await.unwrap().send_request(request, false).unwrap();
        body.send_data(sent.into(), false).unwrap();
        bed.at(bed.now() + 1).await;
        if let Some(reason) = reset {
            body.send_reset(reason);
            bed.at(bed.now() + 1).await;
        }
        connection.abort();
        bed.at(bed.now() + 1).await;
    }
    let count = |outcome| bed.ledger.requests(Door::Process, outcome);
    assert_eq!(RequestOutcome::ALL.map(count).iter().sum::<u64>(), 3);
    assert_eq!(count(RequestOutcome::Cancelled), 3);
    assert_eq!((bed.process_door().admitted, bed.process_door().refused), (0, 3));
}
