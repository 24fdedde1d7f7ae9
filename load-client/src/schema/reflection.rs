//! Asks a server what it is, by gRPC server reflection.
//!
//! The method streams, but one question and one answer look on the wire as a unary call does: so it goes through the same
//! transport as the load. Both versions of the protocol have the same messages.

use std::collections::BTreeMap;

use http::uri::PathAndQuery;
use prost::Message;
use prost_reflect::{DescriptorPool, prost_types::FileDescriptorProto};
use tonic::Code;
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, ServerReflectionResponse, server_reflection_request::MessageRequest,
    server_reflection_response::MessageResponse,
};

use super::{SchemaError, Server, unknown_service};
use crate::transport::{Answer, Method, Transport, frame};

/// The newest first.
const VERSIONS: [&str; 2] = [
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];
/// Files that a service may be described by (arbitrary: far over what any needs, and still an end).
const MOST_FILES: usize = 1000;

/// A server that answers.
struct Reflection<'a> {
    server: &'a Server<'a>,
    transport: Transport,
    method: Method,
}

/// Everything that a service needs to be understood.
pub(super) async fn describe(server: &Server<'_>, service: &str) -> Result<DescriptorPool, SchemaError> {
    let transport = Transport::connect(server.dial, 0..1, server.patience, server.patience).await?;
    let method = Method {
        path: PathAndQuery::from_static(VERSIONS[0]),
        metadata: server.metadata.clone(),
    };
    let mut reflection = Reflection {
        server,
        transport,
        method,
    };
    let services = reflection.services().await?;
    let Some(described) = reflection
        .files(MessageRequest::FileContainingSymbol(service.to_owned()))
        .await?
    else {
        return Err(unknown_service(service, services.into_iter()));
    };
    let files = reflection.with_imports(described).await?;
    let mut pool = DescriptorPool::new();
    pool.add_file_descriptor_protos(files)
        .map_err(|error| reflection.failed(error.to_string()))?;
    Ok(pool)
}

impl Reflection<'_> {
    /// Which services there are; finds out which version the server speaks.
    async fn services(&mut self) -> Result<Vec<String>, SchemaError> {
        for version in VERSIONS {
            self.method.path = PathAndQuery::from_static(version);
            match self.ask(MessageRequest::ListServices(String::new())).await? {
                Some(MessageResponse::ListServicesResponse(list)) => {
                    return Ok(list.service.into_iter().map(|service| service.name).collect());
                }
                Some(_) => return Err(self.failed("it does not list its services".to_owned())),
                None => {}
            }
        }
        Err(SchemaError::NoReflection {
            target: self.server.dial.to_string(),
        })
    }

    /// The files that answer a question; `None` if there are none.
    async fn files(&self, question: MessageRequest) -> Result<Option<Vec<FileDescriptorProto>>, SchemaError> {
        match self.ask(question).await? {
            Some(MessageResponse::FileDescriptorResponse(files)) => files
                .file_descriptor_proto
                .iter()
                .map(|file| FileDescriptorProto::decode(&**file).map_err(|error| self.failed(error.to_string())))
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

    /// The files with all that they import. Some servers send these along, some want to be asked for each.
    async fn with_imports(
        &self,
        described: Vec<FileDescriptorProto>,
    ) -> Result<impl Iterator<Item = FileDescriptorProto> + use<>, SchemaError> {
        let mut files: BTreeMap<String, FileDescriptorProto> = BTreeMap::new();
        let mut new = described;
        loop {
            files.extend(new.drain(..).map(|file| (file.name().to_owned(), file)));
            let imports = files.values().flat_map(|file| &file.dependency);
            let Some(missing) = imports.into_iter().find(|import| !files.contains_key(*import)).cloned() else {
                return Ok(files.into_values());
            };
            if files.len() >= MOST_FILES {
                return Err(self.failed(format!("the service is described by more than {MOST_FILES} files")));
            }
            new = match self.files(MessageRequest::FileByFilename(missing.clone())).await? {
                Some(files) if files.iter().any(|file| file.name() == missing) => files,
                // Protobuf's own files are the same everywhere, and some servers leave them out.
                _ => match DescriptorPool::global().get_file_by_name(&missing) {
                    Some(file) => vec![file.file_descriptor_proto().clone()],
                    None => return Err(self.failed(format!("the server does not describe {missing}"))),
                },
            };
        }
    }

    /// An answer; `None` if the server has no such method, or does not know what was asked for (not all put that into an
    /// answer).
    async fn ask(&self, question: MessageRequest) -> Result<Option<MessageResponse>, SchemaError> {
        let request = frame(&ServerReflectionRequest {
            host: String::new(),
            message_request: Some(question),
        });
        let body = match self
            .transport
            .unary(0, &self.transport.heads(&self.method), request)
            .await
        {
            Answer::Status {
                code: Code::Ok, body, ..
            } => body,
            Answer::Status {
                code: Code::Unimplemented | Code::NotFound,
                ..
            } => return Ok(None),
            Answer::Status { code, message, .. } => return Err(self.failed(format!("{code:?}: {message}"))),
            Answer::TimedOut => return Err(self.failed(format!("no answer within {:?}", self.server.patience))),
            Answer::NotConnected(reason) => return Err(self.failed(reason.to_string())),
            Answer::Broken(reason) | Answer::Malformed(reason) => return Err(self.failed(reason)),
        };
        let response = ServerReflectionResponse::decode(body).map_err(|error| self.failed(error.to_string()))?;
        match response.message_response {
            Some(answer) => Ok(Some(answer)),
            None => Err(self.failed("the answer is empty".to_owned())),
        }
    }

    fn failed(&self, reason: String) -> SchemaError {
        SchemaError::Reflection {
            target: self.server.dial.to_string(),
            reason,
        }
    }
}
