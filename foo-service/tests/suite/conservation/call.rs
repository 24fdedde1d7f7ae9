//! A call of a random schedule, as its caller sees it.

use std::error::Error;

use foo_service::job::{Door, RequestOutcome};
use futures_util::FutureExt;
use tokio::task::JoinHandle;
use tonic::{Code, Request, Status};

use super::schedule::{Body, Call};
use crate::support::{Caller, demanding, message};

/// The run of all queued messages.
pub(super) const RUN: &str = "run";

/// A call that was sent.
pub(super) struct Made {
    pub(super) door: Door,
    /// Whether the call's message was sent; if not, only the headers were.
    pub(super) whole: bool,
    /// Whether it is certain that the service received the call.
    pub(super) received: bool,
    /// How the call ended; `None` while it is in progress.
    pub(super) end: Option<End>,
    task: JoinHandle<End>,
}

/// How a call ended, as far as its caller knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Answered(RequestOutcome),
    /// The caller went away, or its connection broke.
    Gone,
}

impl Made {
    /// Sends `call`; `number` makes the id of its message unique.
    pub(super) fn new(call: Call, number: usize, caller: Caller) -> Self {
        Self {
            door: call.door,
            whole: call.body != Body::NeverComes,
            received: false,
            end: None,
            task: tokio::spawn(async move { end(call, number, &caller).await }),
        }
    }

    /// Records the answer, if it has arrived.
    pub(super) fn hear(&mut self) {
        if self.end.is_none() && self.task.is_finished() {
            let end = (&mut self.task).now_or_never().expect("it is finished");
            self.end = Some(end.expect("a caller does not panic"));
        }
    }

    /// The caller goes away, unless the call has ended.
    pub(super) fn leave(&mut self) {
        self.hear();
        if self.end.is_none() {
            self.task.abort();
            self.end = Some(End::Gone);
        }
    }
}

async fn end(call: Call, number: usize, caller: &Caller) -> End {
    let id = format!("{RUN}/{number}");
    let message = match call.body {
        Body::NeverComes => return headers_only(call, caller).await,
        Body::Malformed => message(&"x".repeat(200)),
        Body::Message(None) => message(&id),
        Body::Message(Some(demand)) => demanding(&id, demand),
    };
    let mut request = Request::new(message);
    if let Some(deadline) = call.deadline {
        request.set_timeout(deadline);
    }
    match call.door {
        Door::Enqueue => told(caller.send_enqueue(request).await),
        Door::Process => told(caller.send_process(request).await),
    }
}

async fn headers_only(call: Call, caller: &Caller) -> End {
    let method = match call.door {
        Door::Enqueue => "Enqueue",
        Door::Process => "Process",
    };
    let deadline = call.deadline.map(|deadline| format!("{}m", deadline.as_millis()));
    match caller.send_headers(method, deadline.as_deref()).await {
        Ok(status) => End::Answered(outcome(Code::from_bytes(status.as_bytes()))),
        Err(_) => End::Gone,
    }
}

fn told<T>(answer: Result<T, Status>) -> End {
    match answer {
        Ok(_) => End::Answered(RequestOutcome::Ok),
        // tonic also turns a broken connection into a status. The service itself never answers UNKNOWN.
        Err(status) if status.source().is_some() || status.code() == Code::Unknown => End::Gone,
        Err(status) => End::Answered(outcome(status.code())),
    }
}

/// The outcome that the service maps to this status code.
fn outcome(code: Code) -> RequestOutcome {
    match code {
        Code::ResourceExhausted => RequestOutcome::Rejected,
        Code::DeadlineExceeded => RequestOutcome::Expired,
        Code::Unavailable => RequestOutcome::Unavailable,
        Code::InvalidArgument => RequestOutcome::Invalid,
        _ => RequestOutcome::Failed,
    }
}
