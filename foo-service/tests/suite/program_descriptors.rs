//! The program with too few file descriptors: it warns at the start, serves as many connections as possible, logs a shortage
//! at a bounded rate, and is not ready while the shortage lasts.

use std::net::SocketAddr;

use crate::support::{message, page::get, program::Program, until_async};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

async fn crowd(address: SocketAddr, size: usize) -> Vec<TcpStream> {
    let mut crowd = Vec::new();
    for _ in 0..size {
        crowd.push(TcpStream::connect(address).await.unwrap());
    }
    crowd
}

#[tokio::test]
async fn a_limit_that_is_too_small_is_told_and_those_that_fit_are_served() {
    let mut program = Program::start_with_descriptors(64, &[]).await;
    program
        .logged("the limit of 64 file descriptors allows 16 connections, not the 1000")
        .await;
    let caller = program.caller().await;
    caller.process(message("in")).await.unwrap();
    let crowd = crowd(program.address, 100).await;
    let admin = program.admin;
    until_async(async || {
        let (status, page) = get(admin, "/readyz").await;
        status == 503 && page.contains("limit of 64 file descriptors")
    })
    .await;
    assert_eq!(get(admin, "/livez").await.0, 200);
    caller.process(message("still served")).await.unwrap();
    drop(crowd);
    until_async(async || get(admin, "/readyz").await == (200, "ready\n".to_owned())).await;
    program.logged("connections are closed as they come").await;
    let again = program.log_so_far();
    assert!(
        again.iter().filter(|line| line.contains("WARN")).count() <= 2,
        "{again:?}"
    );
}

#[tokio::test]
async fn running_out_of_descriptors_is_told_once_and_shows_in_readiness() {
    let mut program = Program::start(&[], &[]).await;
    let mut kept = TcpStream::connect(program.admin).await.unwrap();
    let mut readiness = async || {
        kept.write_all(b"GET /readyz HTTP/1.1\r\nhost: admin\r\n\r\n")
            .await
            .unwrap();
        let mut answer = vec![0; 4096];
        let read = kept.read(&mut answer).await.unwrap();
        String::from_utf8(answer[..read].to_vec()).unwrap()
    };
    // Asked twice: before the second answer the admin port has already tried to accept another connection.
    for _ in 0..2 {
        assert!(readiness().await.starts_with("HTTP/1.1 200 "));
    }
    // The process already has more than 8 open, so it can open no more.
    program.limit_descriptors(8);
    let _waits = crowd(program.address, 1).await;
    until_async(async || {
        let answer = readiness().await;
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("no file descriptors are left")
    })
    .await;
    program.logged("connections cannot be accepted").await;
    program.limit_descriptors(1000);
    program.logged("connections are accepted again").await;
    until_async(async || readiness().await.starts_with("HTTP/1.1 200 ")).await;
    program.caller().await.process(message("served again")).await.unwrap();
}
