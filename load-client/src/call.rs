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
                queue_wait: queue_wait.and_then(|wait| wait.try_into().ok()),
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
