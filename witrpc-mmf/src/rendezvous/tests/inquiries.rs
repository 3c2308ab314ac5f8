//! Inquiries: processes that ask for a server's report.

use std::io::Write;

use crate::rendezvous::record::{Inquiry, PROTOCOL_VERSION};

use super::raw::pending;
use super::unauthenticated::assert_serves;
use super::*;

fn answer(scratch: &Scratch, words: &[u8]) -> Vec<u8> {
    let mut socket = pending(scratch);
    socket.write_all(words).unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    answer
}

#[test]
fn an_inquiry_is_answered_and_makes_no_client() {
    let scratch = Scratch::new();
    let limits = ServerLimits { max_clients: 1, ..limits() };
    let server = Server::start(&scratch.place(), limits);
    assert_eq!(try_to_inquire(&scratch.place()).unwrap(), b"never better");
    let client = try_connect(&scratch.place()).unwrap();
    let (id, _) = server.next_connected();
    // However full the server is, and whether or not it accepts clients.
    assert_eq!(try_to_inquire(&scratch.place()).unwrap(), b"never better");
    server.control.stop_accepting();
    assert_eq!(try_to_inquire(&scratch.place()).unwrap(), b"never better");
    drop(client);
    server.expect_hung_up(id);
    server.end();
    let over = try_to_inquire(&scratch.place());
    assert!(matches!(over, Err(ConnectError::NobodyServes { .. })), "{over:?}");
}

#[test]
fn an_inquiry_of_another_version_is_told_ours_and_no_other_words_are_one() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.place(), limits());
    let inquiry = Inquiry { version: PROTOCOL_VERSION }.encode();
    assert_eq!(answer(&scratch, &inquiry), b"\x0d\0\0\0\0never better");
    let mut newer = inquiry;
    newer[8] = 77;
    assert_eq!(answer(&scratch, &newer), [5, 0, 0, 0, 2, PROTOCOL_VERSION as u8, 0, 0, 0]);
    let mut odd = inquiry;
    odd[15] = 1;
    assert_eq!(answer(&scratch, &odd), []);
    assert_serves(&scratch, &server);
    server.end();
}
