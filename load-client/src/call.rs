//! What to send, and what the answer means: the one place where a status becomes an outcome.

use std::time::Duration;

use bytes::Bytes;
use foo_proto::v1::{EnqueueRequest, EnqueueResponse, Message, ProcessRequest, ProcessResponse};
use prost::Message as _;
use tonic::Code;

use crate::{
    outcome::Outcome,
    scenario::{Rpc, Scenario},
    transport::{Answer, Method, frame},
};

/// A method of FooService and what goes into every call of it.
#[derive(Debug, Clone)]
pub struct Call {
    rpc: Rpc,
    /// Where to.
    pub method: Method,
    payload: Vec<u8>,
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// For the ledger.
    pub outcome: Outcome,
    /// As the service measured it, where the answer says so.
    pub queue_wait: Option<Duration>,
    /// What is known of a message that was not accepted.
    pub fate: Fate,
    /// What was said of a send that failed, or found no service.
    pub reason: Option<String>,
}

/// Where the message of a call is, once the call has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The service has answered for it.
    Accepted,
    /// The service does not have it: it said so, or nothing was ever sent.
    NotThere,
    /// The service may have it or not.
    Unknown,
}

impl Call {
    /// The calls of a scenario.
    pub fn new(scenario: &Scenario) -> Self {
        let path = match scenario.rpc {
            Rpc::Enqueue => "/foo.v1.FooService/Enqueue",
            Rpc::Process => "/foo.v1.FooService/Process",
        };
        Self {
            rpc: scenario.rpc,
            method: Method {
                path,
                metadata: scenario.metadata.clone(),
            },
            payload: vec![0; scenario.payload_size],
        }
    }

    /// Whether an OK means that the message has been processed.
    pub fn ok_means_done(&self) -> bool {
        self.rpc == Rpc::Process
    }

    /// The request for a message, ready to be sent.
    pub fn encode(&self, id: String, demand: Option<Duration>) -> Bytes {
        let message = Some(Message {
            id,
            payload: self.payload.clone(),
            service_demand: demand.map(|demand| demand.try_into().expect("demands are at most an hour")),
        });
        match self.rpc {
            Rpc::Enqueue => frame(&EnqueueRequest { message }),
            Rpc::Process => frame(&ProcessRequest { message }),
        }
    }

    /// What an answer means.
    pub fn interpret(&self, answer: Answer) -> Reply {
        let reply = |outcome, fate, reason| Reply {
            outcome,
            queue_wait: None,
            fate,
            reason,
        };
        match answer {
            Answer::Status { code, body, message } => match code {
                Code::Ok => self.accepted(body),
                // Refusals are what a run is about; nobody needs each explained.
                Code::ResourceExhausted => reply(Outcome::Rejected, Fate::NotThere, None),
                Code::DeadlineExceeded => reply(Outcome::Expired, Fate::Unknown, None),
                Code::Unavailable => reply(Outcome::Unavailable, Fate::Unknown, Some(message)),
                Code::InvalidArgument | Code::Unimplemented | Code::Unauthenticated | Code::PermissionDenied => {
                    reply(Outcome::Failed, Fate::NotThere, Some(format!("{code:?}: {message}")))
                }
                _ => reply(Outcome::Failed, Fate::Unknown, Some(format!("{code:?}: {message}"))),
            },
            Answer::TimedOut => reply(Outcome::Expired, Fate::Unknown, None),
            Answer::NotConnected(reason) => reply(Outcome::Unavailable, Fate::NotThere, Some(reason.to_string())),
            // Whatever code a dying connection is dressed in, no peer has said it.
            Answer::Broken(reason) => reply(Outcome::Unavailable, Fate::Unknown, Some(reason)),
            Answer::Malformed(reason) => reply(Outcome::Failed, Fate::Unknown, Some(reason)),
        }
    }

    fn accepted(&self, body: Bytes) -> Reply {
        let queue_wait = match self.rpc {
            Rpc::Enqueue => EnqueueResponse::decode(body).map(|_acknowledged| None),
            Rpc::Process => ProcessResponse::decode(body).map(|response| response.queue_wait),
        };
        match queue_wait {
            Ok(queue_wait) => Reply {
                outcome: Outcome::Ok,
                queue_wait: queue_wait.and_then(measured),
                fate: Fate::Accepted,
                reason: None,
            },
            Err(undecodable) => Reply {
                outcome: Outcome::Failed,
                queue_wait: None,
                fate: Fate::Unknown,
                reason: Some(format!("the answer cannot be decoded: {undecodable}")),
            },
        }
    }
}

/// The longest duration believed (arbitrary: over a century; sums of such durations are far from what one can hold).
const LONGEST: Duration = Duration::from_secs(u32::MAX as u64);

/// A duration that a service says it has measured; `None` if that makes no sense.
///
/// Not prost's conversion: that one panics on extreme values in builds with debug assertions, and lets through what
/// cannot be added to anything.
pub fn measured(wire: foo_proto::Duration) -> Option<Duration> {
    let seconds = u64::try_from(wire.seconds).ok()?;
    let nanos = u32::try_from(wire.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Duration::new(seconds, nanos)).filter(|duration| *duration <= LONGEST)
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use h2::{Reason, server::SendResponse};
    use tokio::{io::DuplexStream, sync::mpsc};

    use super::*;
    use crate::transport::{Transport, dial::Dial};

    const SECOND: Duration = Duration::from_secs(1);
    type Peer = h2::server::Connection<DuplexStream, Bytes>;

    /// What is made of a call that its peer answers so.
    async fn outcome(answer: impl FnOnce(&mut Peer, SendResponse<Bytes>) + Send + 'static) -> Outcome {
        let (connections, mut arriving) = mpsc::channel(1);
        tokio::spawn(async move {
            let mut peer = h2::server::handshake(arriving.recv().await.unwrap()).await.unwrap();
            let (_, call) = peer.accept().await.unwrap().unwrap();
            answer(&mut peer, call);
            let _ = poll_fn(|context| peer.poll_closed(context)).await;
        });
        let call = Call {
            rpc: Rpc::Process,
            method: Method {
                path: "/foo.v1.FooService/Process",
                metadata: http::HeaderMap::new(),
            },
            payload: Vec::new(),
        };
        let transport = Transport::connect(&Dial::memory(connections), 1, SECOND, SECOND).await;
        let message = call.encode("id".to_owned(), None);
        call.interpret(transport.unwrap().unary(0, &call.method, message).await)
            .outcome
    }

    #[tokio::test(start_paused = true)]
    async fn a_status_that_no_peer_has_sent_is_no_refusal() {
        // Tried with tonic's reading of h2's errors in `transport/grpc.rs`: Rejected.
        let refused = outcome(|_, mut call| {
            let answer = http::Response::builder().header("grpc-status", "8").body(());
            call.send_response(answer.unwrap(), true).unwrap();
        });
        assert_eq!(refused.await, Outcome::Rejected);
        // HTTP/2's ENHANCE_YOUR_CALM: gRPC libraries make RESOURCE_EXHAUSTED of it, as if the service had no room.
        let reset = outcome(|_, mut call| call.send_reset(Reason::ENHANCE_YOUR_CALM));
        assert_eq!(reset.await, Outcome::Unavailable);
        let ended = outcome(|peer, _| peer.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM));
        assert_eq!(ended.await, Outcome::Unavailable);
    }

    #[test]
    fn a_duration_that_makes_no_sense_is_none() {
        // Tried with prost's conversion: it panicked.
        let wire = |seconds, nanos| foo_proto::Duration { seconds, nanos };
        assert_eq!(measured(wire(1, 5)), Some(Duration::new(1, 5)));
        assert_eq!(measured(wire(0, 0)), Some(Duration::ZERO));
        for (seconds, nanos) in [
            (i64::MIN, 0),
            (i64::MIN, i32::MIN),
            (i64::MAX, i32::MAX),
            (1 << 33, 0),
            (-1, 0),
            (0, -1),
            (0, 1_000_000_000),
        ] {
            assert_eq!(measured(wire(seconds, nanos)), None, "{seconds} {nanos}");
        }
    }
}
