//! One call, as its caller sees it.

use std::error::Error;

use foo_service::job::{Door, RequestOutcome};
use futures_util::FutureExt;
use tokio::task::JoinHandle;
use tonic::{Code, Request, Status};

use super::schedule::{Body, Call};
use crate::support::{Caller, demanding, message};

/// The run that all queued messages belong to.
pub(super) const RUN: &str = "run";

/// A call that was made.
pub(super) struct Made {
    pub(super) door: Door,
    /// Whether its message was sent, or only its headers.
    pub(super) whole: bool,
    /// Whether the service is known to have it, or to have had it.
    pub(super) received: bool,
    /// `None`: it is under way.
    pub(super) end: Option<End>,
    task: JoinHandle<End>,
}

/// How a call ended, as far as its caller knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Answered(RequestOutcome),
    /// The caller left, or its connection broke.
    Gone,
}

impl Made {
    /// Makes a call, the `number`th.
    pub(super) fn new(call: Call, number: usize, caller: Caller) -> Self {
        Self {
            door: call.door,
            whole: call.body != Body::NeverComes,
            received: false,
            end: None,
            task: tokio::spawn(async move { end(call, number, &caller).await }),
        }
    }

    /// Takes in what the caller has been told by now.
    pub(super) fn hear(&mut self) {
        if self.end.is_none() && self.task.is_finished() {
            let end = (&mut self.task).now_or_never().expect("it is finished");
            self.end = Some(end.expect("a caller does not panic"));
        }
    }

    /// The caller goes away, if it is still there.
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
        // tonic makes a status of a broken connection too. The service never says UNKNOWN.
        Err(status) if status.source().is_some() || status.code() == Code::Unknown => End::Gone,
        Err(status) => End::Answered(outcome(status.code())),
    }
}

/// The table of statuses, read backwards.
fn outcome(code: Code) -> RequestOutcome {
    match code {
        Code::ResourceExhausted => RequestOutcome::Rejected,
        Code::DeadlineExceeded => RequestOutcome::Expired,
        Code::Unavailable => RequestOutcome::Unavailable,
        Code::InvalidArgument => RequestOutcome::Invalid,
        _ => RequestOutcome::Failed,
    }
}
