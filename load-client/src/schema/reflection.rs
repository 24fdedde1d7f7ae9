//! Asks a server for the descriptions of its services, by gRPC server reflection.
//!
//! The method streams, but one question and one answer look on the wire as a unary call does: so it goes through the same
//! transport as the load. Both versions of the protocol have the same messages.

use std::time::Duration;

use http::uri::PathAndQuery;
use prost::Message;
use prost_reflect::{DescriptorPool, prost_types::FileDescriptorProto};
use tonic::Code;
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, ServerReflectionResponse, server_reflection_request::MessageRequest,
    server_reflection_response::MessageResponse,
};

use super::{
    error::{SchemaError, unknown_service},
    name::MethodName,
    pool::{self, Files},
};
use crate::{
    outcome::StatusCode,
    plain,
    transport::{ACCEPTS_GZIP, Answer, Method, Transport, dial::Dial, frame},
};

/// A server that can be asked for descriptions.
#[derive(Clone)]
pub struct Server<'a> {
    /// The connection to the server.
    pub dial: &'a Dial,
    /// The metadata of every call.
    pub metadata: &'a http::HeaderMap,
    /// How long the server may take to come up, and again for every answer.
    pub patience: Duration,
    /// Called at once, with a line for people, if the server cannot be reached at the first attempt.
    pub troubled: &'a (dyn Fn(&str) + Sync),
}

/// The versions of the reflection service, the newest first.
const VERSIONS: [&str; 2] = [
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];
/// The most files that may describe a service (arbitrary: far more than any service needs).
const MOST_FILES: usize = 1000;

/// Why a question has no answer.
enum Unanswered {
    /// This version of the reflection service did not answer; the other one may.
    Now(String),
    /// The server does not answer at all.
    AtAll(String),
}

struct Reflection<'a> {
    server: &'a Server<'a>,
    transport: Transport,
    method: Method,
}

/// Collects the descriptions of a service and of all types that it uses.
///
/// `types` are the names of further messages that the server is asked for.
pub(super) async fn describe(
    server: &Server<'_>,
    name: &MethodName,
    types: &[String],
) -> Result<DescriptorPool, SchemaError> {
    let patience = server.patience;
    let transport = Transport::connect(server.dial, 0..1, patience, patience, server.troubled).await?;
    let mut metadata = server.metadata.clone();
    metadata.extend([ACCEPTS_GZIP]);
    let method = Method {
        path: PathAndQuery::from_static(VERSIONS[0]),
        metadata,
        keep_metadata: false,
    };
    let mut reflection = Reflection {
        server,
        transport,
        method,
    };
    let services = reflection.services().await?;
    let Some(described) = reflection
        .files(MessageRequest::FileContainingSymbol(name.service.clone()))
        .await?
    else {
        return Err(reflection.unknown(name, services));
    };
    let mut files = Files::default();
    files.add_all(described);
    reflection.add_types(&mut files, types).await?;
    reflection.add_imports(&mut files).await?;
    let pool = files.resolved().map_err(|error| reflection.failed(error))?;
    let is_listed = services.as_ref().is_some_and(|list| list.contains(&name.service));
    match pool.get_service_by_name(&name.service) {
        Some(_) => Ok(pool),
        None if is_listed => Err(reflection.failed(format!("it lists {}, and does not describe it", name.service))),
        None => Err(reflection.unknown(name, services)),
    }
}

impl Reflection<'_> {
    /// The names of the services; `None` if the server does not list them. Also finds out which version the server
    /// speaks.
    ///
    /// If the newer version fails with any status, this asks for the older one: firewalls and proxies block what they do
    /// not know, with any status. If both versions fail, this reports the failure that says more.
    async fn services(&mut self) -> Result<Option<Vec<String>>, SchemaError> {
        let mut failure = None;
        for version in VERSIONS {
            self.method.path = PathAndQuery::from_static(version);
            match self.ask(MessageRequest::ListServices(String::new())).await {
                Ok(Some(MessageResponse::ListServicesResponse(list))) => {
                    let names = list.service.into_iter();
                    return Ok(Some(names.map(|service| plain::word(&service.name)).collect()));
                }
                Ok(Some(_)) => return Ok(None),
                Ok(None) => {}
                Err(Unanswered::Now(reason)) => failure = failure.or(Some(reason)),
                Err(Unanswered::AtAll(reason)) => return Err(self.failed(reason)),
            }
        }
        Err(match failure {
            Some(reason) => self.failed(reason),
            None => SchemaError::NoReflection {
                target: self.server.dial.to_string(),
            },
        })
    }

    /// The files that answer a question; `None` if there are none.
    async fn files(&self, question: MessageRequest) -> Result<Option<Vec<FileDescriptorProto>>, SchemaError> {
        let answer = self.ask(question).await.map_err(|unanswered| match unanswered {
            Unanswered::Now(reason) | Unanswered::AtAll(reason) => self.failed(reason),
        })?;
        match answer {
            Some(MessageResponse::FileDescriptorResponse(files)) => files
                .file_descriptor_proto
                .iter()
                .map(|file| pool::decode(file).map_err(|error| self.failed(error)))
                .collect::<Result<_, _>>()
                .map(Some),
            Some(MessageResponse::ErrorResponse(error)) if Code::from_i32(error.error_code) == Code::NotFound => {
                Ok(None)
            }
            None => Ok(None),
            Some(MessageResponse::ErrorResponse(error)) => Err(self.failed(error.error_message)),
            Some(_) => Err(self.failed("it answers something else than it was asked".to_owned())),
        }
    }

    /// Adds all that the files import. Some servers send these along, some want to be asked for each, and some leave out
    /// protobuf's own.
    async fn add_imports(&self, files: &mut Files) -> Result<(), SchemaError> {
        while let Some(missing) = files.missing() {
            if files.len() >= MOST_FILES {
                return Err(self.failed(format!("the service is described by more than {MOST_FILES} files")));
            }
            match self.files(MessageRequest::FileByFilename(missing.clone())).await? {
                Some(new) if new.iter().any(|file| file.name() == missing) => {
                    files.add_all(new);
                }
                _ => return Err(self.failed(format!("the server does not describe {missing}"))),
            }
        }
        Ok(())
    }

    /// Adds the files of messages. A type that the server does not know is no error here: it becomes one where the type is
    /// needed.
    async fn add_types(&self, files: &mut Files, types: &[String]) -> Result<(), SchemaError> {
        for name in types {
            if let Some(new) = self.files(MessageRequest::FileContainingSymbol(name.clone())).await? {
                files.add_all(new);
            }
        }
        Ok(())
    }

    /// Asks one question. `None` if the server has no such method, or does not know the name that was asked for (some
    /// servers say that with a status).
    async fn ask(&self, question: MessageRequest) -> Result<Option<MessageResponse>, Unanswered> {
        let request = frame(&ServerReflectionRequest {
            host: String::new(),
            message_request: Some(question),
        });
        let heads = self.transport.heads(&self.method);
        let body = match self.transport.unary(0, &heads, || request.clone()).await {
            Answer::Status {
                code: Code::Ok, body, ..
            } => body,
            Answer::Status {
                code: Code::Unimplemented | Code::NotFound,
                ..
            } => return Ok(None),
            Answer::Status { code, message, .. } => {
                let code = StatusCode::from(code).label();
                return Err(Unanswered::Now(format!("{code}: {message}")));
            }
            Answer::Broken(reason) | Answer::Malformed(reason) => return Err(Unanswered::Now(reason)),
            Answer::NotConnected(reason) => return Err(Unanswered::AtAll(reason.to_string())),
            Answer::TimedOut => {
                let patience = self.server.patience;
                return Err(Unanswered::AtAll(format!("no answer within {patience:?}")));
            }
        };
        let response = ServerReflectionResponse::decode(body).map_err(|error| Unanswered::Now(error.to_string()))?;
        match response.message_response {
            Some(answer) => Ok(Some(answer)),
            None => Err(Unanswered::Now("the answer is empty".to_owned())),
        }
    }

    /// The error for a service that the server does not describe; `services` are those that it lists, if it lists any.
    fn unknown(&self, name: &MethodName, services: Option<Vec<String>>) -> SchemaError {
        match services {
            Some(list) => unknown_service(name, list.into_iter()),
            None => self.failed(format!(
                "it does not describe {}, and does not list its services",
                name.service
            )),
        }
    }

    fn failed(&self, reason: impl Into<String>) -> SchemaError {
        SchemaError::Reflection {
            target: self.server.dial.to_string(),
            reason: plain::word(&reason.into()),
        }
    }
}
