//! A TCP connection to one of several addresses, by staggered attempts (RFC 8305, "Happy Eyeballs"). An address that does
//! not answer costs a quarter of a second, not the whole connect timeout.

use std::{collections::BTreeMap, io, net::SocketAddr, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

use super::trouble;

/// The time after which the next address is tried too, if the one before has not answered (recommended by RFC 8305,
/// section 8).
const STAGGER: Duration = Duration::from_millis(250);
/// How long one address has to answer (arbitrary).
pub(super) const ADDRESS_TIMEOUT: Duration = Duration::from_secs(5);
/// The most addresses that an error names (arbitrary: a line that can still be read).
const MOST_NAMED: usize = 3;

/// Connects to the first address that answers. They are tried in the order given.
///
/// # Errors
///
/// If none answers, with the reason for each.
pub(super) async fn connect(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut left = addresses.iter().copied();
    let mut attempts = FuturesUnordered::new();
    let mut failures = Vec::new();
    loop {
        let next = left.next();
        let more = next.is_some();
        attempts.extend(next.map(attempt));
        let ended = tokio::select! {
            biased;
            ended = attempts.next() => ended,
            () = sleep(STAGGER), if more => continue,
        };
        match ended {
            Some((_, Ok(stream))) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Some((address, Err(error))) => {
                // Another address would fail in the same way.
                if trouble::is_out_of_files(&error) {
                    return Err(error);
                }
                failures.push((address, error));
            }
            None => return Err(none(&failures)),
        }
    }
}

async fn attempt(address: SocketAddr) -> (SocketAddr, io::Result<TcpStream>) {
    let connected = timeout(ADDRESS_TIMEOUT, TcpStream::connect(address)).await;
    (
        address,
        connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())),
    )
}

/// The error of all attempts together: each reason once, with the addresses that it applies to.
fn none(failures: &[(SocketAddr, io::Error)]) -> io::Error {
    let Some((_, first)) = failures.first() else {
        return io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    };
    let mut by_reason: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (address, error) in failures {
        by_reason.entry(reason(error)).or_default().push(address.to_string());
    }
    let reasons = by_reason.into_iter().map(|(reason, addresses)| {
        let more = addresses.len().saturating_sub(MOST_NAMED);
        let named = addresses[..addresses.len() - more].join(" and ");
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        reason.replace("ADDRESS", &format!("{named}{more}"))
    });
    io::Error::new(first.kind(), reasons.collect::<Vec<_>>().join("; "))
}

/// The reason of an error, with ADDRESS in place of the address.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused by ADDRESS".to_owned(),
        io::ErrorKind::TimedOut => {
            format!("no answer from ADDRESS within {ADDRESS_TIMEOUT:?}: is it filtered?")
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "there is no route to ADDRESS".to_owned(),
        _ => format!("ADDRESS: {error}"),
    }
}

/// The same addresses, with IPv4 and IPv6 in turn, beginning with the family of the first (RFC 8305, section 4).
pub(super) fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let Some(first) = addresses.first().map(SocketAddr::is_ipv6) else {
        return addresses;
    };
    let count = addresses.len();
    let (ones, others): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|address| address.is_ipv6() == first);
    let (mut ones, mut others) = (ones.into_iter(), others.into_iter());
    let mut mixed = Vec::with_capacity(count);
    while mixed.len() < count {
        mixed.extend(ones.next());
        mixed.extend(others.next());
    }
    mixed
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn families_take_turns() {
        let parse = |text: &str| -> Vec<SocketAddr> { text.split(' ').map(|one| one.parse().unwrap()).collect() };
        let mixed = |text: &str| interleaved(parse(text));
        assert_eq!(
            mixed("[::1]:1 [::2]:1 [::3]:1 1.1.1.1:1"),
            parse("[::1]:1 1.1.1.1:1 [::2]:1 [::3]:1")
        );
        assert_eq!(mixed("1.1.1.1:1 [::1]:1"), parse("1.1.1.1:1 [::1]:1"));
        assert_eq!(interleaved(Vec::new()), []);
    }

    #[tokio::test]
    async fn an_address_that_refuses_is_passed_over_at_once() {
        let serves = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let refuses = "127.0.0.1:1".parse().unwrap();
        // The listener is gone again: both refuse.
        let error = connect(&[refuses, serves]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(
            error.to_string(),
            format!("connection refused by 127.0.0.1:1 and {serves}")
        );
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let serves = listener.local_addr().unwrap();
        assert_eq!(connect(&[refuses, serves]).await.unwrap().peer_addr().unwrap(), serves);
        assert_eq!(connect(&[]).await.unwrap_err().to_string(), "the name has no address");
    }

    #[tokio::test]
    async fn an_address_that_answers_nobody_does_not_use_up_the_time() {
        // A socket whose queue is full answers no more, like an address behind a filter or a broken route.
        let full = tokio::net::TcpSocket::new_v4().unwrap();
        full.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let silent = full.local_addr().unwrap();
        let _listening = full.listen(0).unwrap();
        let mut filling = Vec::new();
        while let Ok(filled) = timeout(STAGGER, TcpStream::connect(silent)).await {
            filling.push(filled.unwrap());
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let serves = listener.local_addr().unwrap();
        let connected = timeout(ADDRESS_TIMEOUT, connect(&[silent, serves])).await;
        assert_eq!(connected.unwrap().unwrap().peer_addr().unwrap(), serves);
    }

    #[test]
    fn an_error_names_each_reason_once_and_not_too_many_addresses() {
        let at = |port: u16| SocketAddr::from(([10, 0, 0, 1], port));
        let refused = |port| (at(port), io::ErrorKind::ConnectionRefused.into());
        let silent = (at(9), io::ErrorKind::TimedOut.into());
        let said = none(&[refused(1), silent, refused(2), refused(3), refused(4), refused(5)]).to_string();
        assert_eq!(
            said,
            "connection refused by 10.0.0.1:1 and 10.0.0.1:2 and 10.0.0.1:3 and 2 more; \
             no answer from 10.0.0.1:9 within 5s: is it filtered?"
        );
    }
}
