//! Fetches pages of the admin port over real TCP, and parses the samples of `/metrics`.

use std::{collections::BTreeMap, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The status and the body of the answer to `GET path`.
pub(crate) async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut connection = TcpStream::connect(address).await.expect("the admin port listens");
    let request = format!("GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status line"), body.to_owned())
}

/// The samples of a page in the Prometheus text format, by name and labels. Values are texts, to be compared exactly.
pub(crate) fn samples(page: &str) -> BTreeMap<String, String> {
    page.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').expect("a series and a value");
            (series.to_owned(), value.to_owned())
        })
        .collect()
}
