//! The task behind a link: it dials, serves, and dials again when the connection ends or its peer takes no more calls.
//!
//! A peer that sends GOAWAY wants no new calls, and goes on with the open ones. So the task dials the next connection at
//! once, and keeps the old one until its calls have ended. It pauses after an attempt that fails, and after a connection
//! that ends at once without one answer. If a peer serves and then closes in good order, the task dials again without a
//! pause.

use std::{
    future::{pending, poll_fn},
    io,
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering::Relaxed},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use h2::{PingPong, client::SendRequest};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{
    dial::{Dial, Io},
    state::{Ready, State, Traffic},
    trouble,
};

/// Flow control: room for the answers of everything that one connection has in flight.
const CONNECTION_WINDOW: u32 = 16 << 20;
/// Flow control: room for the answer of one stream. Answers are small, or read at once.
const STREAM_WINDOW: u32 = 1 << 20;
/// The most given-up streams that h2 remembers, so that late frames for them are no error. Many deadlines may pass at
/// once.
const MAX_RESET_STREAMS: usize = 16_384;
/// How long a target may take to answer in HTTP/2 once it is connected (arbitrary).
const HTTP2_TIMEOUT: Duration = Duration::from_secs(5);
/// The pause after the first failed attempt. It doubles with each failure, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// The most connections of a link that are kept for their open calls after a GOAWAY (arbitrary: a peer that says it
/// after each of many slow calls must not use up the files of this process). With so many, the next one waits until one
/// of them has ended.
const MOST_LINGERING: usize = 32;
/// The longest wait for the answer to a keep-alive ping (gRPC's usual value). It is shorter if the interval between
/// pings is shorter.
const LONGEST_KEEPALIVE_WAIT: Duration = Duration::from_secs(20);
/// After so many failures, a link no longer tries to find out what the target speaks instead of HTTP/2: each attempt
/// costs connections.
const MOST_PROBES: u32 = 3;

type Connection = h2::client::Connection<Pin<Box<dyn Io>>, Bytes>;

/// A connection whose peer has answered.
struct Opened {
    sender: SendRequest<Bytes>,
    connection: Connection,
    pings: PingPong,
}

/// Why a connection takes no more new calls.
enum End {
    /// The peer takes no new calls; the open ones go on.
    Leaving,
    /// The connection has ended, for this reason.
    Over(Arc<str>),
}

/// The time between attempts to connect, which grows while they fail.
#[derive(Default)]
struct Pace {
    /// Failed attempts, and connections without an answer, since the last good connection.
    vain: u32,
}

impl Pace {
    /// Waits after a failed attempt, unless the attempt itself took as long as the longest pause.
    async fn failed(&mut self, began: Instant) {
        let pause = self.next_pause();
        if began.elapsed() >= LONGEST_PAUSE {
            self.vain = 0;
        } else {
            sleep(pause).await;
        }
    }

    /// Waits after a connection that came up and has ended: only if it ended soon, without an answer, and was not the
    /// first to do so (a call may have an answer that it has not noted yet).
    async fn ended(&mut self, began: Instant, served: bool) {
        if served || began.elapsed() >= LONGEST_PAUSE {
            self.vain = 0;
        } else if self.vain == 0 {
            self.vain = 1;
        } else {
            let pause = self.next_pause();
            sleep_until(began + pause).await;
        }
    }

    fn next_pause(&mut self) -> Duration {
        let pause = FIRST_PAUSE * 2_u32.saturating_pow(self.vain);
        self.vain += 1;
        pause.min(LONGEST_PAUSE)
    }
}

/// Keeps a link up until this task is aborted.
pub(super) async fn keep_up(dial: Dial, state: watch::Sender<State>, traffic: Arc<Traffic>) {
    let mut pace = Pace::default();
    let mut probes = 0..MOST_PROBES;
    let mut lingering = JoinSet::new();
    for generation in 1.. {
        while lingering.try_join_next().is_some() {}
        if lingering.len() >= MOST_LINGERING {
            lingering.join_next().await;
        }
        let began = Instant::now();
        let opened = match open(&dial, &mut probes).await {
            Ok(opened) => opened,
            Err(error) => {
                let reason = error.to_string().into();
                state.send_replace(match error.kind() {
                    io::ErrorKind::InvalidData => State::Unfit(reason),
                    _ => State::Down(reason),
                });
                pace.failed(began).await;
                continue;
            }
        };
        let Opened {
            sender,
            mut connection,
            pings,
        } = opened;
        state.send_replace(State::Up(Ready {
            sender: sender.clone(),
            generation,
        }));
        match serve(&mut connection, sender, pings, &dial, &traffic).await {
            End::Leaving => {
                state.send_replace(State::Dialling);
                lingering.spawn(async move {
                    let _ = connection.await;
                });
            }
            End::Over(reason) => {
                *traffic.broke.lock().expect("no code panics with it locked") = Some((generation, Arc::clone(&reason)));
                state.send_replace(State::Down(reason));
                // The calls on the connection must not learn of its end before the reason is known.
                drop(connection);
            }
        }
        pace.ended(began, traffic.served.swap(false, Relaxed)).await;
    }
}

/// Drives a connection for as long as it takes new calls.
async fn serve(
    connection: &mut Connection,
    mut sender: SendRequest<Bytes>,
    pings: PingPong,
    dial: &Dial,
    traffic: &Traffic,
) -> End {
    let driven = poll_fn(|context: &mut Context<'_>| {
        if let Poll::Ready(ended) = Pin::new(&mut *connection).poll(context) {
            return Poll::Ready(End::Over(match ended {
                Ok(()) => "the connection was closed".into(),
                Err(error) => trouble::http2(&error).into(),
            }));
        }
        // h2 reports a GOAWAY, or stream ids that are used up, only to callers that would send another request.
        match sender.poll_ready(context) {
            Poll::Ready(Err(_)) => Poll::Ready(End::Leaving),
            _ => Poll::Pending,
        }
    });
    tokio::select! {
        biased;
        end = driven => end,
        reason = swallowed(pings, dial.options().keepalive, traffic) => End::Over(reason),
    }
}

/// Pings the peer at intervals, and returns if an answer does not come.
async fn swallowed(mut pings: PingPong, keepalive: Option<Duration>, traffic: &Traffic) -> Arc<str> {
    let Some(interval) = keepalive else {
        return pending().await;
    };
    let patience = interval.min(LONGEST_KEEPALIVE_WAIT);
    loop {
        sleep(interval).await;
        // Servers do not like pings without calls: gRPC's own close the connection for them ("too_many_pings").
        if traffic.streams.load(Relaxed) == 0 {
            continue;
        }
        match timeout(patience, pings.ping(h2::Ping::opaque())).await {
            Ok(Ok(_)) => {}
            // The connection has failed, and reports that itself.
            Ok(Err(_)) => return pending().await,
            Err(_) => {
                return format!("the connection is dead: no answer to a keep-alive ping within {patience:?}").into();
            }
        }
    }
}

/// Opens a connection, and waits until its peer has answered. An error of kind `InvalidData` says that another attempt
/// would not help.
async fn open(dial: &Dial, probes: &mut impl Iterator<Item = u32>) -> io::Result<Opened> {
    let stream = dial.dial().await?;
    match timeout(HTTP2_TIMEOUT, speak(stream)).await {
        Ok(Ok(opened)) => Ok(opened),
        Ok(Err(error)) => {
            let instead = match probes.next() {
                Some(_) => dial.finds_instead().await,
                None => None,
            };
            Err(instead.map_or(error, trouble::unfit))
        }
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("connected, but nothing there speaks HTTP/2: no answer within {HTTP2_TIMEOUT:?}"),
        )),
    }
}

/// Starts HTTP/2 on a stream, and waits until the peer has answered: that bytes can be sent proves nothing.
async fn speak(stream: Pin<Box<dyn Io>>) -> io::Result<Opened> {
    let (sender, mut connection) = h2::client::Builder::new()
        .enable_push(false)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .initial_window_size(STREAM_WINDOW)
        .max_concurrent_reset_streams(MAX_RESET_STREAMS)
        .max_local_error_reset_streams(None)
        .handshake(stream)
        .await
        .map_err(as_io)?;
    let mut pings = connection.ping_pong().expect("it is taken once");
    let answered = {
        let mut pong = pin!(pings.ping(h2::Ping::opaque()));
        tokio::select! {
            biased;
            ended = &mut connection => {
                let closed = || io::Error::new(io::ErrorKind::ConnectionAborted, "the connection was closed at once");
                return Err(ended.err().map_or_else(closed, as_io));
            }
            pong = &mut pong => pong,
        }
    };
    answered.map_err(as_io)?;
    Ok(Opened {
        sender,
        connection,
        pings,
    })
}

/// The stream's own error, if the stream failed; otherwise an error that says that HTTP/2 failed.
fn as_io(error: h2::Error) -> io::Error {
    if error.is_io() {
        error.into_io().expect("it is one")
    } else {
        io::Error::other(format!(
            "what answers there does not speak HTTP/2 as it should: {error}"
        ))
    }
}
