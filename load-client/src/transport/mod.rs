//! The transport: it sends an encoded message with metadata and returns a status with bytes. It uses a few HTTP/2
//! connections that reconnect by themselves.
//!
//! It is built directly on h2. The additions of a client library (per-request allocation, a task and a channel between)
//! cost more than HTTP/2 itself, and hide whether a status came from the peer.

mod addresses;
mod answer;
pub mod dial;
mod frame;
mod grpc;
mod link;
mod method;
mod race;
mod state;
mod status;
#[cfg(test)]
mod tests;
mod tls;
mod trouble;
mod upkeep;
pub mod url;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::{Instant, timeout_at};

pub use self::{
    answer::{Answer, AnswerMetadata},
    frame::{ACCEPTS_GZIP, FRAME_HEADER, frame},
    method::Method,
};
use self::{dial::Dial, grpc::Attempt, link::Link};
use crate::effort::StreamWaits;

/// How often a call is sent again that the peer has not processed because it takes no more calls on that connection
/// (arbitrary: a peer may take one call per connection, and many calls may wait; the deadline is the usual end).
const MOST_RESENDS: u32 = 1000;

/// The end of an error about one target of several: a run with a wrong URL must not look like a run against a service
/// that fails.
const ONE_OF_SEVERAL: &str = ". A run begins only when every URL answers: start this instance, or leave its URL out. Of an instance \
                              that goes away later, requests count as unavailable";

/// The request headers of a method, for each connection of a transport.
#[derive(Debug)]
pub struct RequestHeaders {
    heads: Vec<http::Request<()>>,
    keep_metadata: bool,
}

/// A few connections, to one target or to several in turn.
#[derive(Debug)]
pub struct Transport {
    links: Vec<Link>,
    timeout: Duration,
    timeout_header: http::HeaderValue,
}

/// Why the connections could not be made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConnectError {
    /// There was no connection within the time limit.
    #[error(
        "{target}: no connection within {limit:?}: {reason}{} --connect-timeout waits longer{}",
        trouble::question(.reason),
        if *.one_of_several { ONE_OF_SEVERAL } else { "" }
    )]
    Late {
        /// The target as text for errors: a URL without credentials.
        target: String,
        /// Whether there are other targets.
        one_of_several: bool,
        /// How long the transport tried to connect.
        limit: Duration,
        /// Why the last attempt failed.
        reason: Arc<str>,
    },
    /// Client and server do not fit each other, and waiting does not help.
    #[error("{target}: {reason}")]
    Unfit {
        /// The target, as errors name it.
        target: String,
        /// What is wrong, and what to do.
        reason: Arc<str>,
    },
}

impl Transport {
    /// Starts the connections of these numbers and waits until all are up.
    ///
    /// `timeout` is the deadline of every call: it is sent to the peer, and enforced here too. `limit` is how long the
    /// connections may take. `troubled` is called at once, with a line for people, if the first attempt at a target
    /// fails and others follow.
    pub async fn connect(
        dial: &Dial,
        connections: impl IntoIterator<Item = usize>,
        timeout: Duration,
        limit: Duration,
        troubled: impl Fn(&str),
    ) -> Result<Self, ConnectError> {
        let deadline = Instant::now() + limit;
        let dials: Vec<Dial> = connections.into_iter().map(|number| dial.nth(number)).collect();
        let links: Vec<Link> = dials.iter().cloned().map(Link::start).collect();
        for (dial, link) in dials.iter().zip(&links) {
            let target = || dial.to_string();
            let said = |reason: &str| {
                let target = dial.to_string();
                troubled(&format!(
                    "{target}: {reason}; trying again for {limit:?} (--connect-timeout)"
                ));
            };
            match timeout_at(deadline, link.up(said)).await {
                Ok(Ok(())) => {}
                Ok(Err(reason)) => {
                    return Err(ConnectError::Unfit {
                        target: target(),
                        reason,
                    });
                }
                Err(_elapsed) => {
                    return Err(ConnectError::Late {
                        target: target(),
                        one_of_several: dial.target_count() > 1,
                        limit,
                        reason: link.reason_down(),
                    });
                }
            }
        }
        Ok(Self {
            links,
            timeout,
            timeout_header: grpc::timeout_value(timeout),
        })
    }

    /// The calls that had to wait for a stream so far, because the peer limits how many are open on a connection.
    pub fn stream_waits(&self) -> StreamWaits {
        let mut all = StreamWaits::default();
        for link in &self.links {
            all.merge(&link.stream_waits());
        }
        all
    }

    /// Which of the connections are up.
    pub fn connected(&self) -> Vec<bool> {
        self.links.iter().map(Link::is_up).collect()
    }

    /// Prepares calls of a method, over these connections.
    pub fn heads(&self, method: &Method) -> RequestHeaders {
        let head = |link: &Link| grpc::head(link.base(), method, &self.timeout_header);
        RequestHeaders {
            heads: self.links.iter().map(head).collect(),
            keep_metadata: method.keep_metadata,
        }
    }

    /// Makes a call over connection `index` (any number: they are taken in turn). Waits for the answer or the deadline.
    /// Dropping the future resets the stream.
    ///
    /// `heads` are of this transport. `message` returns the message behind a frame header, as [`frame()`] makes it. It is
    /// called once per send. If the peer has certainly not processed the message, the message is sent again, a bounded
    /// number of times and within the same deadline.
    pub fn unary(
        &self,
        index: usize,
        heads: &RequestHeaders,
        message: impl Fn() -> Bytes,
    ) -> impl Future<Output = Answer> {
        let index = index % self.links.len();
        let head = &heads.heads[index];
        self.call(index, head, heads.keep_metadata, self.timeout, message)
    }

    /// Like [`Self::unary`], with a deadline of its own. `previous` is the number of earlier attempts of the request,
    /// which is sent to the peer (gRFC A6).
    pub async fn attempt(
        &self,
        index: usize,
        heads: &RequestHeaders,
        timeout: Duration,
        previous: u32,
        message: impl Fn() -> Bytes,
    ) -> Answer {
        let index = index % self.links.len();
        let head = grpc::attempt_head(&heads.heads[index], timeout, previous);
        self.call(index, &head, heads.keep_metadata, timeout, message).await
    }

    #[expect(
        clippy::manual_async_fn,
        reason = "an async function would store its arguments twice in the future of each call"
    )]
    fn call(
        &self,
        index: usize,
        head: &http::Request<()>,
        keep_metadata: bool,
        timeout: Duration,
        message: impl Fn() -> Bytes,
    ) -> impl Future<Output = Answer> {
        async move {
            let link = &self.links[index];
            let deadline = Instant::now() + timeout;
            let exchange = async {
                // The generation of the last connection that takes no more calls.
                let mut generation = 0;
                let mut resends = 0;
                let mut refused = false;
                loop {
                    let mut ready = match link.ready(generation).await {
                        Ok(ready) => ready,
                        Err(reason) => return Answer::NotConnected(reason),
                    };
                    let exchange = grpc::exchange(&mut ready, link, head, &message, keep_metadata);
                    let (reason, leaving) = match exchange.await {
                        Attempt::Ended(answer) => return answer,
                        Attempt::Unprocessed { reason, leaving } => (reason, leaving),
                    };
                    if leaving {
                        if resends >= MOST_RESENDS {
                            let times = resends + 1;
                            let reason =
                                format!("told to go away {times} times, and never processed; at last: {reason}");
                            return Answer::NotConnected(reason.into());
                        }
                        generation = ready.generation;
                        resends += 1;
                    } else {
                        // A peer that rejects a call may be full: the call is sent once more, as gRPC's own clients do, and
                        // then given up.
                        if refused {
                            return Answer::NotConnected(reason.into());
                        }
                        refused = true;
                    }
                }
            };
            timeout_at(deadline, exchange).await.unwrap_or(Answer::TimedOut)
        }
    }
}
