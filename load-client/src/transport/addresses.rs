//! The addresses of a name: how they are found, in which order they are tried, and how errors show them.

use std::{collections::BTreeSet, io, net::SocketAddr, time::Duration};

use tokio::{net::lookup_host, time::timeout};

/// How long finding the addresses of a name may take (arbitrary: it takes milliseconds).
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

/// The addresses of a host name, or the address itself if the host is written as one.
pub(super) async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    match timeout(LOOKUP_TIMEOUT, lookup_host((host, port))).await {
        Ok(Ok(addresses)) => Ok(addresses.collect()),
        Ok(Err(error)) => Err(io::Error::new(
            error.kind(),
            format!("the host name {host:?} is not known: {error}"),
        )),
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("the host name {host:?} was not found within {LOOKUP_TIMEOUT:?}: does DNS answer?"),
        )),
    }
}

/// Puts the zone of an IPv6 address into an error as the user wrote it: an address shows the number of the zone.
pub(super) fn with_zone(error: io::Error, host: &str, addresses: &[SocketAddr]) -> io::Error {
    match (host.split_once('%'), addresses.first()) {
        // An error of the operating system stays as it is, because a new error would lose its number.
        (Some((_, zone)), Some(SocketAddr::V6(address))) if error.raw_os_error().is_none() => {
            let number = format!("%{}]", address.scope_id());
            io::Error::new(error.kind(), error.to_string().replace(&number, &format!("%{zone}]")))
        }
        _ => error,
    }
}

/// The addresses of a name, beginning with a different one for each number: the first connections go to one each. The
/// others follow, for an address that cannot be reached.
pub(super) fn in_turn(addresses: Vec<SocketAddr>, first: usize) -> Vec<SocketAddr> {
    // A resolver changes the order, so that clients that take the first address spread over all. Sorting gives a fixed
    // order, in which each number begins at another address.
    let mut addresses: Vec<SocketAddr> = BTreeSet::from_iter(addresses).into_iter().collect();
    let count = addresses.len().max(1);
    addresses.rotate_left(first % count);
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_dealt_to_the_addresses_of_a_name_whatever_their_order() {
        let [a, b, c] = ["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"].map(|address| address.parse().unwrap());
        let first = |addresses: [SocketAddr; 3], first| in_turn(addresses.to_vec(), first)[0];
        assert_eq!([0, 1, 2, 3].map(|number| first([c, a, b], number)), [a, b, c, a]);
        assert_eq!(first([b, c, a], 1), b);
        assert_eq!(
            in_turn(vec![a, a, b], 1),
            [b, a],
            "the others are there if it cannot be reached"
        );
        assert!(in_turn(Vec::new(), 7).is_empty());
    }

    #[test]
    fn an_error_shows_the_zone_as_it_was_written() {
        let address: SocketAddr = "[fe80::1%7]:1".parse().unwrap();
        let error = || {
            io::Error::new(
                io::ErrorKind::ConnectionRefused,
                format!("connection refused by {address}"),
            )
        };
        let shown = |host| with_zone(error(), host, &[address]).to_string();
        assert_eq!(shown("fe80::1%eth0"), "connection refused by [fe80::1%eth0]:1");
        assert_eq!(shown("fe80::1%7"), error().to_string());
        assert_eq!(shown("name"), error().to_string());
    }
}
