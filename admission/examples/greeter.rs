//! A tonic greeter that answers four calls at once, in 20 ms each. Run: `cargo run --example greeter 127.0.0.1:50051`.

use std::{convert::Infallible, env, future::Future, pin::Pin, task, time::Duration};

use tonic::{Request, Response, Status, body::Body, codegen::http, server, transport};
use tonic_prost::ProstCodec;
use tower_admission::{grpc::GrpcAdmissionLayer, room::Admission};

#[derive(Clone, PartialEq, prost::Message)]
struct Hello {
    #[prost(string, tag = "1")]
    text: String,
}

#[derive(Clone)]
struct Greeter;

type Pending<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl server::UnaryService<Hello> for Greeter {
    type Response = Hello;
    type Future = Pending<Response<Hello>, Status>;

    fn call(&mut self, request: Request<Hello>) -> Self::Future {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let text = format!("Hello, {}!", request.into_inner().text);
            Ok(Response::new(Hello { text }))
        })
    }
}

// The same code as tonic-prost-build generates for a service with one method.
impl tower::Service<http::Request<Body>> for Greeter {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pending<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> task::Poll<Result<(), Infallible>> {
        task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move { Ok(server::Grpc::new(ProstCodec::default()).unary(Greeter, request).await) })
    }
}

impl server::NamedService for Greeter {
    const NAME: &'static str = "helloworld.Greeter";
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = env::args().nth(1).ok_or("usage: greeter HOST:PORT")?;
    let incoming = transport::server::TcpIncoming::bind(address.parse()?)?;
    println!("{}", incoming.local_addr()?);
    let protection = GrpcAdmissionLayer::new(Admission::builder().workers(4).build());
    let server = transport::Server::builder().layer(protection).add_service(Greeter);
    Ok(server.serve_with_incoming(incoming).await?)
}
