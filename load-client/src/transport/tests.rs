//! Tests peers that go away, in virtual time: what becomes of calls, and how often the peers are dialled.

use std::{future::poll_fn, time::Duration};

use bytes::Bytes;
use h2::{Reason, server::SendResponse};
use http::{HeaderMap, uri::PathAndQuery};
use tokio::{
    io::DuplexStream,
    sync::mpsc,
    task::{JoinSet, yield_now},
    time::{Instant, sleep},
};

use super::{
    dial::{ConnectionOptions, Dial},
    *,
};

const SECOND: Duration = Duration::from_secs(1);
const CALLS: usize = 3_000;

type Peer = h2::server::Connection<DuplexStream, Bytes>;
type Caller = SendResponse<Bytes>;

/// A target in this process, and the receiver of the connections to it.
fn target() -> (Dial, mpsc::Receiver<DuplexStream>) {
    let (connections, arriving) = mpsc::channel(1);
    (Dial::memory(connections), arriving)
}

async fn accept(arriving: &mut mpsc::Receiver<DuplexStream>) -> Peer {
    h2::server::handshake(arriving.recv().await.unwrap()).await.unwrap()
}

async fn next(peer: &mut Peer) -> Caller {
    peer.accept().await.unwrap().unwrap().1
}

/// Answers with a status, so that no message is needed.
fn answer(mut call: Caller) {
    let answer = http::Response::builder().header("grpc-status", "8").body(());
    // The caller may have gone.
    let _ = call.send_response(answer.unwrap(), true);
}

async fn finish(mut peer: Peer) {
    let _ = poll_fn(|context| peer.poll_closed(context)).await;
}

async fn connected(dial: &Dial, timeout: Duration) -> Arc<Transport> {
    Arc::new(Transport::connect(dial, 0..1, timeout, SECOND, |_| {}).await.unwrap())
}

fn heads(transport: &Transport) -> RequestHeaders {
    transport.heads(&Method {
        path: PathAndQuery::from_static("/any.Service/Method"),
        metadata: HeaderMap::new(),
        keep_metadata: false,
    })
}

/// Makes one call.
async fn call(transport: Arc<Transport>) -> Answer {
    let heads = heads(&transport);
    transport.unary(0, &heads, || Bytes::from_static(&[0; 5])).await
}

#[tokio::test(start_paused = true)]
async fn the_future_of_a_call_is_small() {
    // The future of a request has this one and 200 bytes more, and is on the heap. Above 1,032 bytes glibc's malloc is slower.
    // With async functions that took the answer's headers and body by value, a request had 1,336 bytes.
    let (dial, mut arriving) = target();
    tokio::spawn(async move { finish(accept(&mut arriving).await).await });
    let transport = connected(&dial, SECOND).await;
    let heads = heads(&transport);
    let size = size_of_val(&transport.unary(0, &heads, Bytes::new));
    assert!(size <= 700, "{size} bytes");
}

fn is_answered(answer: &Answer) -> bool {
    matches!(answer, Answer::Status { .. })
}

#[tokio::test(start_paused = true)]
async fn answers_that_cross_with_their_deadlines_do_not_end_the_connection() {
    // Tried: with h2's own values for both settings on resets in `upkeep.rs`, this fails with too_many_internal_resets.
    let (dial, mut arriving) = target();
    // Only one connection is ever served.
    tokio::spawn(async move {
        let mut peer = accept(&mut arriving).await;
        let refusal = || http::Response::builder().header("grpc-status", "8").body(()).unwrap();
        let mut late = Vec::new();
        for _ in 0..CALLS {
            late.push(next(&mut peer).await);
        }
        tokio::select! {
            () = sleep(SECOND) => {}
            _ = poll_fn(|context| peer.poll_closed(context)) => panic!("the connection ended"),
        }
        let sent = late
            .into_iter()
            .filter_map(|mut call| call.send_response(refusal(), true).ok());
        assert_eq!(sent.count(), CALLS, "each is on its way when its call is given up");
        answer(next(&mut peer).await);
        finish(peer).await;
    });
    let transport = connected(&dial, SECOND).await;
    let mut calls = JoinSet::new();
    for _ in 0..CALLS {
        calls.spawn(call(Arc::clone(&transport)));
    }
    while let Some(answer) = calls.join_next().await {
        assert_eq!(answer.unwrap(), Answer::TimedOut);
    }
    let answer = call(transport).await;
    assert!(is_answered(&answer), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn a_goaway_costs_no_call() {
    // Tried: without `poll_ready` in `upkeep.rs`, the second call fails, with the GOAWAY as its reason.
    let (dial, mut arriving) = target();
    tokio::spawn(async move {
        let mut old = accept(&mut arriving).await;
        let open = next(&mut old).await;
        old.graceful_shutdown();
        tokio::spawn(async move {
            let closed = finish(old);
            // Far longer than the new connection takes.
            let late = async {
                sleep(10 * SECOND).await;
                answer(open);
            };
            tokio::join!(closed, late);
        });
        let mut new = accept(&mut arriving).await;
        answer(next(&mut new).await);
        finish(new).await;
    });
    let transport = connected(&dial, 30 * SECOND).await;
    let started = Instant::now();
    let open = tokio::spawn(call(Arc::clone(&transport)));
    sleep(SECOND).await;
    let new = call(transport).await;
    assert!(is_answered(&new), "{new:?}");
    assert_eq!(started.elapsed().as_secs(), 1, "it goes to a new connection at once");
    assert!(
        is_answered(&open.await.unwrap()),
        "the open one ends on the old connection"
    );
    assert_eq!(started.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn what_a_goaway_leaves_out_is_sent_again_within_its_deadline() {
    let (dial, mut arriving) = target();
    tokio::spawn(async move {
        // A server that has looked at none of its calls when it closes the connection.
        let mut io = arriving.recv().await.unwrap();
        goes_at_the_first_call(&mut io).await;
        let mut new = accept(&mut arriving).await;
        for _ in 0..2 {
            answer(next(&mut new).await);
        }
        finish(new).await;
    });
    let transport = connected(&dial, SECOND).await;
    let (one, other) = tokio::join!(call(Arc::clone(&transport)), call(transport));
    assert!(is_answered(&one) && is_answered(&other), "{one:?} {other:?}");
}

/// Sends a GOAWAY at the first call, which says that no call was processed. The frames are written by hand, because
/// h2's server never says that.
async fn goes_at_the_first_call(io: &mut DuplexStream) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    const SETTINGS_ACK: [u8; 9] = [0, 0, 0, 4, 1, 0, 0, 0, 0];
    const GOAWAY_FROM_0: [u8; 17] = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    io.read_exact(&mut [0; 24]).await.unwrap();
    io.write_all(&[SETTINGS, SETTINGS_ACK].concat()).await.unwrap();
    loop {
        let mut head = [0; 9];
        io.read_exact(&mut head).await.unwrap();
        let mut body = vec![0; usize::from(u16::from_be_bytes([head[1], head[2]]))];
        io.read_exact(&mut body).await.unwrap();
        match (head[3], head[4]) {
            // PING: the answer is the same frame with a flag.
            (6, 0) => {
                head[4] = 1;
                io.write_all(&[&head[..], &body].concat()).await.unwrap();
            }
            // HEADERS.
            (1, _) => {
                // The second call is on its way as well.
                yield_now().await;
                return io.write_all(&GOAWAY_FROM_0).await.unwrap();
            }
            _ => {}
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_closes_after_each_answer_is_dialled_without_a_pause() {
    // Tried: with pauses after every connection that lived under a second, 100 calls take 90 s.
    let (dial, mut arriving) = target();
    tokio::spawn(async move {
        loop {
            let mut peer = accept(&mut arriving).await;
            answer(next(&mut peer).await);
            peer.graceful_shutdown();
            finish(peer).await;
        }
    });
    let transport = connected(&dial, SECOND).await;
    let started = Instant::now();
    for number in 0..100 {
        let answer = call(Arc::clone(&transport)).await;
        assert!(is_answered(&answer), "{number}: {answer:?}");
    }
    assert!(started.elapsed() < SECOND, "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_serves_is_dialled_ever_more_slowly() {
    let (dial, mut arriving) = target();
    let (count, mut counted) = mpsc::channel(1000);
    tokio::spawn(async move {
        loop {
            let mut peer = accept(&mut arriving).await;
            let pong = poll_fn(|context| peer.poll_accept(context));
            let _ = tokio::time::timeout(Duration::from_millis(1), pong).await;
            count.send(()).await.unwrap();
        }
    });
    let transport = connected(&dial, SECOND).await;
    sleep(10 * SECOND).await;
    drop(transport);
    let mut connections = 0;
    while counted.try_recv().is_ok() {
        connections += 1;
    }
    // Pauses of 0, 50, 100, 200, 400 and 800 ms, then of a second.
    assert!((8..=20).contains(&connections), "{connections}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_swallowed_is_noticed_by_keep_alive_and_replaced() {
    // Tried: without `--keepalive`, the second call expires too.
    let (dial, mut arriving) = target();
    let options = ConnectionOptions {
        keepalive: Some(SECOND),
        ..dial.options()
    };
    let dial = dial.with(options);
    tokio::spawn(async move {
        let mut swallowed = accept(&mut arriving).await;
        let _call = next(&mut swallowed).await;
        // From here on the server does not read what arrives on the connection.
        let mut new = accept(&mut arriving).await;
        answer(next(&mut new).await);
        finish(new).await;
    });
    let transport = connected(&dial, 10 * SECOND).await;
    let started = Instant::now();
    let lost = call(Arc::clone(&transport)).await;
    let Answer::Broken(reason) = lost else {
        panic!("{lost:?}")
    };
    assert!(reason.contains("no answer to a keep-alive ping within 1s"), "{reason}");
    assert!(started.elapsed() <= 3 * SECOND, "{:?}", started.elapsed());
    let answer = call(transport).await;
    assert!(is_answered(&answer), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_refused_is_sent_again_once() {
    let (dial, mut arriving) = target();
    let (count, mut counted) = mpsc::channel(1000);
    tokio::spawn(async move {
        let mut peer = accept(&mut arriving).await;
        while let Some(call) = peer.accept().await {
            count.send(()).await.unwrap();
            call.unwrap().1.send_reset(Reason::REFUSED_STREAM);
        }
    });
    let transport = connected(&dial, SECOND).await;
    let answer = call(transport).await;
    assert!(
        matches!(answer, Answer::NotConnected(_)),
        "it was never processed: {answer:?}"
    );
    counted.recv().await.unwrap();
    counted.recv().await.unwrap();
    assert!(counted.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_left_out_many_times_is_sent_again_until_its_deadline() {
    // Tried: with 16 resends, the answer is NotConnected.
    let (dial, mut arriving) = target();
    tokio::spawn(async move {
        for _ in 0..40 {
            let mut io = arriving.recv().await.unwrap();
            goes_at_the_first_call(&mut io).await;
        }
        let mut peer = accept(&mut arriving).await;
        answer(next(&mut peer).await);
        finish(peer).await;
    });
    let transport = connected(&dial, 100 * SECOND).await;
    let answer = call(transport).await;
    assert!(is_answered(&answer), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_left_out_without_end_is_given_up_with_the_count() {
    let (dial, mut arriving) = target();
    tokio::spawn(async move {
        while let Some(mut io) = arriving.recv().await {
            goes_at_the_first_call(&mut io).await;
        }
    });
    let transport = connected(&dial, 10_000 * SECOND).await;
    let answer = call(transport).await;
    let Answer::NotConnected(reason) = answer else {
        panic!("{answer:?}")
    };
    assert!(reason.contains("told to go away 1001 times"), "{reason}");
    assert!(reason.contains("NO_ERROR"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_reset_says_by_which_code() {
    let codes = [
        Reason::ENHANCE_YOUR_CALM,
        Reason::CANCEL,
        Reason::INTERNAL_ERROR,
        Reason::NO_ERROR,
    ];
    let (dial, mut arriving) = target();
    tokio::spawn(async move {
        let mut peer = accept(&mut arriving).await;
        for code in codes {
            next(&mut peer).await.send_reset(code);
        }
        finish(peer).await;
    });
    let transport = connected(&dial, SECOND).await;
    for code in codes {
        let answer = call(Arc::clone(&transport)).await;
        let expected = format!("the stream was reset: {code:?}");
        assert_eq!(answer, Answer::Broken(expected));
    }
}
