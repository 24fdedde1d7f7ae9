//! A caller of FooService: the generated client on one hyper connection.
//!
//! It does not use tonic's `Channel`, which measures `grpc-timeout` itself and would report CANCELLED before the service can
//! answer DEADLINE_EXCEEDED. A `Channel` also opens a new connection when one breaks, which would hide that the service broke
//! it.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use foo_proto::v1::{
    EnqueueRequest, EnqueueResponse, Message, ProcessRequest, ProcessResponse, Snapshot, WatchRequest,
    foo_service_client::FooServiceClient,
};
use futures_util::{Stream, StreamExt, stream};
use http_body_util::StreamBody;
use hyper::{
    body::{Frame, Incoming},
    client::conn::http2,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::AbortHandle,
};
use tonic::{Request, Status, Streaming, body::Body};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tower::{Service, ServiceExt};

/// One HTTP/2 connection, shared by its clones.
#[derive(Clone)]
pub(crate) struct Connection(http2::SendRequest<Body>);

impl Service<http::Request<Body>> for Connection {
    type Response = http::Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, hyper::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(self.0.send_request(request))
    }
}

/// A caller. Its calls can be awaited, or spawned and aborted: aborting makes the caller go away.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) connection: Connection,
    line: AbortHandle,
}

impl Caller {
    /// A caller on the new connection `io`.
    pub(crate) async fn over(io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self::try_over(io).await.expect("the service speaks HTTP/2")
    }

    /// A caller on the new connection `io`, or an error if the service does not accept it.
    pub(crate) async fn try_over(
        io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    ) -> Result<Self, hyper::Error> {
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(io)).await?;
        let line = tokio::spawn(connection).abort_handle();
        let connection = Connection(sender);
        Ok(Self { connection, line })
    }

    /// Breaks the connection, with all calls on it.
    pub(crate) fn cut(&self) {
        self.line.abort();
    }

    fn client(&self) -> FooServiceClient<Connection> {
        // The client's own limit must not apply to messages that are larger than the service accepts.
        FooServiceClient::with_origin(self.connection.clone(), origin()).max_decoding_message_size(usize::MAX)
    }

    pub(crate) fn enqueue(&self, message: Message) -> impl Future<Output = Result<EnqueueResponse, Status>> + use<> {
        self.send_enqueue(Request::new(message))
    }

    pub(crate) fn enqueue_within(
        &self,
        message: Message,
        timeout: Duration,
    ) -> impl Future<Output = Result<EnqueueResponse, Status>> + use<> {
        self.send_enqueue(in_time(message, timeout))
    }

    /// Sends a request to which the test has added metadata.
    pub(crate) fn send_enqueue(
        &self,
        request: Request<Message>,
    ) -> impl Future<Output = Result<EnqueueResponse, Status>> + use<> {
        let mut client = self.client();
        async move {
            let request = request.map(|message| EnqueueRequest { message: Some(message) });
            client.enqueue(request).await.map(tonic::Response::into_inner)
        }
    }

    pub(crate) fn process(&self, message: Message) -> impl Future<Output = Result<ProcessResponse, Status>> + use<> {
        self.send_process(Request::new(message))
    }

    pub(crate) fn process_within(
        &self,
        message: Message,
        timeout: Duration,
    ) -> impl Future<Output = Result<ProcessResponse, Status>> + use<> {
        self.send_process(in_time(message, timeout))
    }

    /// Sends a request to which the test has added metadata.
    pub(crate) fn send_process(
        &self,
        request: Request<Message>,
    ) -> impl Future<Output = Result<ProcessResponse, Status>> + use<> {
        let mut client = self.client();
        async move {
            let request = request.map(|message| ProcessRequest { message: Some(message) });
            client.process(request).await.map(tonic::Response::into_inner)
        }
    }

    /// Calls both RPCs with no message in the request.
    pub(crate) async fn send_nothing(&self) -> (Status, Status) {
        let enqueued = self.client().enqueue(EnqueueRequest::default()).await;
        let processed = self.client().process(ProcessRequest::default()).await;
        (
            enqueued.expect_err("there was no message"),
            processed.expect_err("there was no message"),
        )
    }

    /// Sends the headers of a call without a body. Returns the `grpc-status` of the answer, or how the connection ended.
    pub(crate) fn send_headers(
        &self,
        method: &str,
        timeout: Option<&str>,
    ) -> impl Future<Output = Result<String, hyper::Error>> + use<> {
        let answer = self.send_parts(method, timeout, stream::pending());
        async move {
            let answer = answer.await?;
            let status = answer.headers().get("grpc-status").expect("it is no success");
            Ok(status.to_str().expect("it is a number").to_owned())
        }
    }

    /// Sends the headers of a call, and `body` as the stream yields it. If the call is refused, the `grpc-status` is in the headers
    /// of the answer; after a success it comes later.
    pub(crate) fn send_parts<S: Stream<Item = Bytes> + Send + 'static>(
        &self,
        method: &str,
        timeout: Option<&str>,
        body: S,
    ) -> impl Future<Output = Result<http::Response<Incoming>, hyper::Error>> + use<S> {
        let mut connection = self.connection.clone();
        let mut request = http::Request::post(format!("http://service/foo.v1.FooService/{method}"))
            .header("content-type", "application/grpc");
        if let Some(timeout) = timeout {
            request = request.header("grpc-timeout", timeout);
        }
        let frames = body.map(|bytes| Ok::<_, Status>(Frame::data(bytes)));
        let request = request.body(Body::new(StreamBody::new(frames)));
        async move { connection.ready().await?.call(request.expect("a request")).await }
    }

    pub(crate) async fn watch(&self, request: WatchRequest) -> Result<Streaming<Snapshot>, Status> {
        self.client().watch(request).await.map(tonic::Response::into_inner)
    }

    /// The first snapshot of a new watch: the state of the service.
    pub(crate) async fn look(&self) -> Snapshot {
        let mut snapshots = self.watch(WatchRequest::default()).await.expect("there is room");
        snapshots.message().await.expect("no error").expect("a first snapshot")
    }

    pub(crate) fn health_client(&self) -> HealthClient<Connection> {
        HealthClient::with_origin(self.connection.clone(), origin())
    }

    /// The health status of the whole server and of FooService.
    pub(crate) async fn health(&self) -> [ServingStatus; 2] {
        let mut client = self.health_client();
        let mut answers = [ServingStatus::Unknown; 2];
        for (answer, name) in answers.iter_mut().zip(["", "foo.v1.FooService"]) {
            let request = HealthCheckRequest {
                service: name.to_owned(),
            };
            *answer = client
                .check(request)
                .await
                .expect("health is served")
                .into_inner()
                .status();
        }
        answers
    }
}

/// The URI of requests. The host is not resolved, because the connection already exists.
pub(crate) fn origin() -> http::Uri {
    http::Uri::from_static("http://service")
}

fn in_time(message: Message, timeout: Duration) -> Request<Message> {
    let mut request = Request::new(message);
    request.set_timeout(timeout);
    request
}

/// A watch over the completions of a run.
pub(crate) fn watch_request(run_id: &str, interval: Duration) -> WatchRequest {
    WatchRequest {
        run_id: run_id.to_owned(),
        interval: interval.try_into().ok(),
        ..WatchRequest::default()
    }
}
