//! `--target`: a running service to be compared.

use crate::{
    scenario::Rpc,
    transport::url::{Url, UrlError},
};

/// A running service to be compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The name of the target in the report. The RPC does not depend on it.
    pub name: String,
    /// The RPC to call; `None` if `--mode` names it.
    pub rpc: Option<Rpc>,
    /// The URL of the running service.
    pub url: Url,
}

pub(super) fn target(text: &str) -> Result<Target, String> {
    let forms = "must be written as NAME=enqueue:URL or NAME=process:URL, like sync=process:http://host:port";
    let (name, address) = text.split_once('=').ok_or(forms)?;
    if name.is_empty() {
        return Err(format!("has no name before the =; it {forms}"));
    }
    let (rpc, address) = [Rpc::Enqueue, Rpc::Process]
        .into_iter()
        .find_map(|rpc| {
            let rest = address.strip_prefix(rpc.label())?.strip_prefix(':')?;
            Some((Some(rpc), rest))
        })
        .unwrap_or((None, address));
    let url = address
        .parse()
        .map_err(|error: UrlError| format!("{error}; it {forms}"))?;
    Ok(Target {
        name: name.to_owned(),
        rpc,
        url,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_says_which_rpc_is_called_and_its_name_does_not() {
        let read = |text: &str| target(text).map(|target| (target.name, target.rpc, target.url.to_string()));
        let url = "http://localhost:1".to_owned();
        assert_eq!(
            read("sync=enqueue:http://localhost:1"),
            Ok(("sync".to_owned(), Some(Rpc::Enqueue), url.clone()))
        );
        assert_eq!(
            read("async=process:http://localhost:1"),
            Ok(("async".to_owned(), Some(Rpc::Process), url.clone()))
        );
        assert_eq!(read("async=http://localhost:1"), Ok(("async".to_owned(), None, url)));
        for wrong in [
            "http://localhost:1",
            "=enqueue:http://localhost:1",
            "a=other:http://localhost:1",
            "a=enqueue:",
            "a=",
        ] {
            let error = read(wrong).unwrap_err();
            assert!(
                error.contains("NAME=enqueue:URL or NAME=process:URL"),
                "{wrong}: {error}"
            );
        }
    }
}
