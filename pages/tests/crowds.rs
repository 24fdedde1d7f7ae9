//! Over real sockets: the health page answers no matter what other connections do, and how many they are.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use foo_pages::{MAX_CONNECTIONS, Occupancy, Page, Pages, text};
use http::StatusCode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How long a test waits for an answer that must come. Only a failing test waits for so long.
const PATIENCE: Duration = Duration::from_secs(20);

struct Health;

impl Pages for Health {
    const UPKEEP_EVERY: Duration = Duration::from_secs(1);

    fn page(&self, path: &str) -> Page {
        match path {
            "/livez" => text(StatusCode::OK, "alive\n"),
            _ => text(StatusCode::NOT_FOUND, "nothing\n"),
        }
    }

    fn upkeep(&self) {}
}

fn start() -> (SocketAddr, Arc<Occupancy>) {
    let occupancy = Arc::new(Occupancy::default());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = foo_pages::start("pages", listener, Arc::clone(&occupancy), Health, |error| {
        panic!("{error}")
    });
    (address.unwrap(), occupancy)
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends `head` and returns everything that the server sends until it closes the connection.
fn ask(address: SocketAddr, head: &str) -> String {
    let mut stream = connect(address);
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer comes");
    answer
}

fn health_answers(address: SocketAddr) {
    for _ in 0..20 {
        let answer = ask(address, "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("alive\n"),
            "{answer}"
        );
    }
}

/// Opens `size` connections, and sends `said` on each.
fn crowd(address: SocketAddr, size: usize, said: &str) -> Vec<TcpStream> {
    (0..size)
        .map(|_| {
            let mut stream = connect(address);
            // The server may have closed this connection already, so an error is expected.
            let _ = stream.write_all(said.as_bytes());
            stream
        })
        .collect()
}

fn within_patience(mut condition: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if condition() {
            return;
        }
        thread::sleep(Duration::from_millis(2));
    }
    panic!("it does not come about");
}

#[test]
fn forty_connections_that_are_idle_half_open_or_kept_alive_do_not_silence_it() {
    for said in [
        "",
        "GET /livez HTTP/1.1\r\nHost: x\r\n",
        "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        let (address, occupancy) = start();
        let crowd = crowd(address, 40, said);
        health_answers(address);
        within_patience(|| occupancy.open() <= MAX_CONNECTIONS as u64);
        assert!(occupancy.pushed_out() >= 8);
        drop(crowd);
        within_patience(|| occupancy.open() == 0);
    }
}

#[test]
fn two_thousand_idle_connections_do_not_silence_it() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, raised).unwrap();
    let (address, occupancy) = start();
    let crowd = crowd(address, 2000, "GET /livez HTTP/1.1\r\n");
    health_answers(address);
    within_patience(|| occupancy.pushed_out() >= 2000 - MAX_CONNECTIONS as u64);
    assert!(occupancy.open() <= MAX_CONNECTIONS as u64);
    drop(crowd);
}

#[test]
fn clients_that_go_on_asking_and_heads_that_trickle_in_do_not_silence_it() {
    let (address, _) = start();
    let stop = Arc::new(AtomicBool::new(false));
    let head = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
    let busy: Vec<_> = (0..40)
        .map(|number| {
            let stop = Arc::clone(&stop);
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let mut stream = connect(address);
                    // When the server closes the connection, this client connects again.
                    for byte in head.chunks(if number % 2 == 0 { 1 } else { head.len() }).cycle() {
                        if stop.load(Ordering::Relaxed) || stream.write_all(byte).is_err() {
                            break;
                        }
                        thread::sleep(Duration::from_millis(5));
                        stream.set_nonblocking(true).unwrap();
                        let gone = match stream.read(&mut [0; 4096]) {
                            Ok(read) => read == 0,
                            Err(error) => error.kind() != ErrorKind::WouldBlock,
                        };
                        stream.set_nonblocking(false).unwrap();
                        if gone {
                            break;
                        }
                    }
                    let _ = stream.shutdown(Shutdown::Both);
                }
            })
        })
        .collect();
    health_answers(address);
    stop.store(true, Ordering::Relaxed);
    for thread in busy {
        thread.join().unwrap();
    }
}

#[test]
fn a_keep_alive_client_that_asks_is_not_the_one_that_gives_way() {
    let (address, occupancy) = start();
    let mut kept = connect(address);
    let ask_again = |kept: &mut TcpStream| {
        kept.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = [0; 4096];
        let read = kept.read(&mut answer).unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 200 OK"), "it is still open");
    };
    ask_again(&mut kept);
    let mut idle = crowd(address, MAX_CONNECTIONS - 1, "");
    within_patience(|| occupancy.open() == MAX_CONNECTIONS as u64);
    ask_again(&mut kept);
    idle.extend(crowd(address, 10, ""));
    within_patience(|| occupancy.pushed_out() == 10);
    ask_again(&mut kept);
}

#[test]
fn other_methods_are_told_which_ones_there_are() {
    let (address, _) = start();
    let answer = ask(
        address,
        "POST /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    );
    assert!(
        answer.starts_with("HTTP/1.1 405 ") && answer.to_lowercase().contains("allow: get, head"),
        "{answer}"
    );
}
