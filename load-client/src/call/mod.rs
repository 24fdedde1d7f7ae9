//! Encodes the request of each send and interprets its answer. Only this module turns a status into an outcome.
//!
//! A call is of a unary method of any service, with a message made from JSON. The RPC methods of FooService are built
//! in: their message types are known at compile time, and an answer of Process contains the queue wait.

mod fields;
mod placeholder;
mod reply;
mod said;
mod template;
mod template_error;
mod unfit;
mod wire;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use bytes::Bytes;
use foo_proto::v1::{EnqueueRequest, EnqueueResponse, Message, ProcessRequest, ProcessResponse};
use http::{HeaderMap, uri::PathAndQuery};
use prost::{DecodeError, Message as _};
use prost_reflect::{DynamicMessage, MessageDescriptor, MethodDescriptor};
use tokio::sync::Notify;
use tonic::Code;

pub use self::{
    placeholder::Ticket,
    reply::{Fate, Reply, measured},
    said::Said,
    template_error::TemplateError,
    unfit::types_named_in,
};
use self::{placeholder::Values, template::Template};
use crate::{
    outcome::{Outcome, StatusCode},
    policy::{PUSHBACK, Pushback},
    scenario::{Rpc, Scenario},
    transport::{ACCEPTS_GZIP, Answer, Method, frame},
};

/// A method, and the content of every call of it.
#[derive(Debug)]
pub struct Call {
    /// The method to call, with the path of its requests.
    pub method: Method,
    content: Content,
    /// True once the service has answered that it does not have this method of FooService; `Notify` wakes the task that
    /// waits for that.
    unimplemented: (AtomicBool, Notify),
}

/// The kind of message that is sent, and how its answer is read.
#[derive(Debug)]
enum Content {
    Enqueue { payload: Vec<u8> },
    Process { payload: Vec<u8> },
    Other(Other),
}

/// A message made from JSON.
#[derive(Debug)]
struct Other {
    message: Template,
    /// The clients and the seed of the run; the values of placeholders depend on them.
    clients: u32,
    seed: u64,
    answer: MessageDescriptor,
    /// True once an answer could be decoded as that type. Decoding every answer would cost more than the call.
    answer_fits: AtomicBool,
}

impl Call {
    /// Calls of the RPC of FooService that the scenario names; of Process if it names a method of another service.
    pub fn foo(scenario: &Scenario) -> Self {
        let payload = vec![0; scenario.payload_size];
        let (path, content) = match scenario.rpc {
            Rpc::Enqueue => ("/foo.v1.FooService/Enqueue", Content::Enqueue { payload }),
            Rpc::Process | Rpc::Other(_) => ("/foo.v1.FooService/Process", Content::Process { payload }),
        };
        Self::new(PathAndQuery::from_static(path), &scenario.metadata, content).reading(scenario)
    }

    /// Calls of a unary method, with a message made from JSON, which may have the placeholders of `--data`.
    ///
    /// # Errors
    ///
    /// If the JSON does not make a message of the method's type.
    pub fn other(method: &MethodDescriptor, data: &str, scenario: &Scenario) -> Result<Self, TemplateError> {
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        let content = Content::Other(Other {
            message: Template::compile(&method.input(), data)?,
            clients: scenario.clients,
            seed: scenario.seed,
            answer: method.output(),
            answer_fits: AtomicBool::new(false),
        });
        let path = PathAndQuery::try_from(path).expect("names in protobuf are letters, digits, dots and underscores");
        let mut metadata = scenario.metadata.clone();
        metadata.extend([ACCEPTS_GZIP]);
        Ok(Self::new(path, &metadata, content).reading(scenario))
    }

    /// Keeps the metadata of answers if the clients need it.
    fn reading(mut self, scenario: &Scenario) -> Self {
        self.method.keep_metadata = scenario.policies.reads_pushback();
        self
    }

    fn new(path: PathAndQuery, metadata: &HeaderMap, content: Content) -> Self {
        let method = Method {
            path,
            metadata: metadata.clone(),
            keep_metadata: false,
        };
        Self {
            method,
            content,
            unimplemented: (AtomicBool::new(false), Notify::new()),
        }
    }

    /// Encodes and frames the message of one send.
    pub fn encode(&self, ticket: Ticket<'_>) -> Bytes {
        let message = |payload: &Vec<u8>| {
            Some(Message {
                id: ticket.to_string(),
                payload: payload.clone(),
                service_demand: ticket
                    .demand
                    .map(|demand| demand.try_into().expect("demands are at most an hour")),
            })
        };
        match &self.content {
            Content::Enqueue { payload } => frame(&EnqueueRequest {
                message: message(payload),
            }),
            Content::Process { payload } => frame(&ProcessRequest {
                message: message(payload),
            }),
            Content::Other(other) => other.message.fill(|| Values::new(ticket, other.clients, other.seed)),
        }
    }

    /// True if the service has answered that it does not have this method of FooService, so it is not a FooService.
    pub fn is_refuted(&self) -> bool {
        self.unimplemented.0.load(Relaxed)
    }

    /// Waits until `is_refuted` is true. Only one task may wait. Cancel-safe.
    pub async fn refuted(&self) {
        self.unimplemented.1.notified().await;
    }

    fn refute(&self) {
        if !matches!(self.content, Content::Other(_)) {
            self.unimplemented.0.store(true, Relaxed);
            self.unimplemented.1.notify_one();
        }
    }

    /// Interprets an answer. The message in it is decoded only if it is needed.
    pub fn interpret(&self, answer: Answer) -> Reply {
        let mut pushback = None;
        let (status, (outcome, fate), said) = match answer {
            Answer::Status {
                code,
                own,
                body,
                message,
                metadata,
            } => {
                let value = metadata.as_ref().and_then(|metadata| metadata.get(PUSHBACK));
                pushback = value.map(|value| Pushback::read(value.as_bytes()));
                let ended = match code {
                    Code::Ok => return self.accepted(body),
                    Code::ResourceExhausted => (Outcome::Rejected, Fate::NotThere),
                    Code::DeadlineExceeded => (Outcome::Expired, Fate::Unknown),
                    Code::Unavailable => (Outcome::Unavailable, Fate::Unknown),
                    Code::InvalidArgument | Code::Unimplemented | Code::Unauthenticated | Code::PermissionDenied => {
                        // A "not found" from a proxy says nothing about the service behind it.
                        if code == Code::Unimplemented && own {
                            self.refute();
                        }
                        (Outcome::Failed, Fate::NotThere)
                    }
                    _ => (Outcome::Failed, Fate::Unknown),
                };
                let status = StatusCode::from(code);
                (Some(status), ended, Said::Status(status, message))
            }
            Answer::TimedOut => (None, (Outcome::Expired, Fate::Unknown), Said::Nothing),
            Answer::NotConnected(reason) => {
                let ended = (Outcome::Unavailable, Fate::NotThere);
                (None, ended, Said::NotConnected(reason))
            }
            // There is no status: on a broken connection, a status code would not come from the service.
            Answer::Broken(reason) => (None, (Outcome::Unavailable, Fate::Unknown), Said::Broken(reason)),
            Answer::Malformed(reason) => (None, (Outcome::Failed, Fate::Unknown), Said::Broken(reason)),
        };
        Reply {
            outcome,
            queue_wait: None,
            fate,
            status,
            said,
            pushback,
        }
    }

    fn accepted(&self, body: Bytes) -> Reply {
        let queue_wait = match &self.content {
            Content::Enqueue { .. } => EnqueueResponse::decode(body).map(|_acknowledged| None),
            Content::Process { .. } => ProcessResponse::decode(body).map(|response| response.queue_wait),
            Content::Other(other) => other.check(body).map(|()| None),
        };
        match queue_wait {
            Ok(queue_wait) => Reply::accepted(queue_wait),
            Err(undecodable) => Reply::undecodable(&undecodable),
        }
    }
}

impl Other {
    /// Decodes answers until one is of the method's type. Later answers are not decoded; the transport checks that they
    /// are complete.
    fn check(&self, body: Bytes) -> Result<(), DecodeError> {
        if !self.answer_fits.load(Relaxed) {
            DynamicMessage::decode(self.answer.clone(), body)?;
            self.answer_fits.store(true, Relaxed);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, time::Duration};

    use h2::{Reason, server::SendResponse};
    use tokio::{io::DuplexStream, sync::mpsc};

    use super::*;
    use crate::transport::{Transport, dial::Dial};

    const SECOND: Duration = Duration::from_secs(1);
    type Peer = h2::server::Connection<DuplexStream, Bytes>;

    /// The outcome of a call that its peer answers with `answer`.
    async fn outcome(answer: impl FnOnce(&mut Peer, SendResponse<Bytes>) + Send + 'static) -> Outcome {
        let (connections, mut arriving) = mpsc::channel(1);
        tokio::spawn(async move {
            let mut peer = h2::server::handshake(arriving.recv().await.unwrap()).await.unwrap();
            let (_, call) = peer.accept().await.unwrap().unwrap();
            answer(&mut peer, call);
            let _ = poll_fn(|context| peer.poll_closed(context)).await;
        });
        let path = PathAndQuery::from_static("/foo.v1.FooService/Process");
        let payload = Vec::new();
        let call = Call::new(path, &HeaderMap::new(), Content::Process { payload });
        let transport = Transport::connect(&Dial::memory(connections), 0..1, SECOND, SECOND, |_| {}).await;
        let message = || {
            call.encode(Ticket {
                run_id: "run",
                client: 0,
                number: 0,
                demand: None,
            })
        };
        let transport = transport.unwrap();
        let heads = transport.heads(&call.method);
        call.interpret(transport.unary(0, &heads, message).await).outcome
    }

    #[tokio::test(start_paused = true)]
    async fn a_status_that_no_peer_has_sent_is_no_refusal() {
        // Tried: with tonic's mapping of h2's errors in `transport/grpc.rs`, the last two outcomes are Rejected.
        let refused = outcome(|_, mut call| {
            let answer = http::Response::builder().header("grpc-status", "8").body(());
            call.send_response(answer.unwrap(), true).unwrap();
        });
        assert_eq!(refused.await, Outcome::Rejected);
        // gRPC libraries turn HTTP/2's ENHANCE_YOUR_CALM into RESOURCE_EXHAUSTED, as if the service had no room.
        let reset = outcome(|_, mut call| call.send_reset(Reason::ENHANCE_YOUR_CALM));
        assert_eq!(reset.await, Outcome::Unavailable);
        let ended = outcome(|peer, _| peer.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM));
        assert_eq!(ended.await, Outcome::Unavailable);
    }

    #[test]
    fn only_the_services_own_word_refutes_it() {
        // Tried: without the check of `own`, the error page of a proxy counted as proof that the service is not a
        // FooService.
        for own in [false, true] {
            let payload = Vec::new();
            let path = PathAndQuery::from_static("/foo.v1.FooService/Process");
            let call = Call::new(path, &HeaderMap::new(), Content::Process { payload });
            let reply = call.interpret(Answer::Status {
                code: Code::Unimplemented,
                own,
                message: String::new(),
                body: Bytes::new(),
                metadata: None,
            });
            assert_eq!(reply.outcome, Outcome::Failed);
            assert_eq!(call.is_refuted(), own);
        }
    }
}
