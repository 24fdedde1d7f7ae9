//! `load-client health`: asks a running load client whether it is alive, for containers that have no shell.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

use foo_flags::Address;

/// Asks the load client that serves its metrics at `address`, and waits for the answer. If `address` means all
/// interfaces (such as 0.0.0.0), loopback is asked.
///
/// # Errors
///
/// If a step takes longer than `limit`, if the connection fails, or if the answer is not OK. In the last case the error
/// shows the answer.
pub fn ask(address: &Address, limit: Duration) -> io::Result<()> {
    let mut connection = connect(address, limit)?;
    connection.set_read_timeout(Some(limit))?;
    connection.set_write_timeout(Some(limit))?;
    connection.write_all(b"GET /livez HTTP/1.0\r\n\r\n")?;
    // Reads no further than the status; the rest of the answer does not matter.
    let mut status = [0; "HTTP/1.0 200".len()];
    connection.read_exact(&mut status)?;
    if status.starts_with(b"HTTP/1.") && status.ends_with(b" 200") {
        Ok(())
    } else {
        Err(io::Error::other(String::from_utf8_lossy(&status)))
    }
}

/// Connects to the first of the resolved addresses that accepts a connection.
fn connect(address: &Address, limit: Duration) -> io::Result<TcpStream> {
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    for address in address.resolve()? {
        match TcpStream::connect_timeout(&reachable(address), limit) {
            Ok(connection) => return Ok(connection),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// The address at which a listener on `listen` is reached: loopback if it listens on all interfaces.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    /// The result of [`ask`] for a server that gives one answer.
    fn verdict(answer: &'static str) -> io::Result<()> {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let mut asked = [0; 23];
            connection.read_exact(&mut asked).unwrap();
            assert_eq!(&asked, b"GET /livez HTTP/1.0\r\n\r\n");
            connection.write_all(answer.as_bytes()).unwrap();
        });
        let verdict = ask(&address.into(), Duration::from_secs(60));
        server.join().unwrap();
        verdict
    }

    #[test]
    fn only_who_says_so_is_alive() {
        assert!(verdict("HTTP/1.0 200 OK\r\n\r\nalive\n").is_ok());
        assert!(verdict("HTTP/1.1 503 Service Unavailable\r\n\r\n").is_err());
        assert!(verdict("SSH-2.0-OpenSSH").is_err());
        assert!(verdict("").is_err());
    }

    #[test]
    fn where_nobody_listens_nobody_is_alive() {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(ask(&address.into(), Duration::from_secs(60)).is_err());
    }
}
