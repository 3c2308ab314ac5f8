//! A side that cannot rely on the bookkeeping of its own space ends the connection, and nothing else.

use std::task::{Context, Poll, Waker};

use witrpc_transport::{Body, ChannelError, DisconnectReason, Limit, Outgoing};

use crate::client::SendState;
use crate::link::head::LineKind;
use crate::rendezvous::tests::PATIENCE;

use super::Said;
use super::client::{Honest, Zeros};

const FAULTY: ChannelError = ChannelError::Disconnected(DisconnectReason::Faulty);

#[test]
fn a_client_whose_arena_is_broken_ends_its_connection_when_it_needs_space() {
    let honest = Honest::start();
    let bystander = honest.bystander();

    let client = honest.bystander();
    let kept = client.try_alloc_one(10).expect("there is space");
    client.send_arena().break_for_test();
    honest.serves(&client);
    assert_eq!(client.try_alloc_one(10).unwrap_err(), FAULTY);
    assert_eq!(client.lost(), Some(DisconnectReason::Faulty));
    drop(kept);

    let client = honest.bystander();
    client.send_arena().break_for_test();
    let long = Outgoing::new(7, Body::Large(&Zeros(1_000)));
    assert_eq!(client.try_send(long), Ok(None), "it finds no space");
    let mut sending = SendState::default();
    let sent = client.poll_send(
        &mut Context::from_waker(Waker::noop()),
        &mut sending,
        long,
        &mut Limit::Within(PATIENCE),
    );
    assert_eq!(sent, Poll::Ready(Err(FAULTY)));
    honest.serves(&bystander);
}

#[test]
fn a_server_whose_arena_is_broken_ends_that_connection_at_its_next_request() {
    let honest = Honest::start();
    let (raw, _link) = honest.hostile();
    honest.answers(&raw, 1, Said::kind(LineKind::Inline, 0));
    let clients = honest.server.clients();
    let [connection] = &clients[..] else { panic!("one client is connected") };
    connection.send_arena().break_for_test();
    assert_eq!(connection.try_alloc_one(1).unwrap_err(), ChannelError::NoSpace);
    honest.ends(&raw, 2, Said::kind(LineKind::Inline, 0));
    assert!(honest.broken().is_some_and(|rule| rule.contains("panic")), "{:?}", honest.broken());
    honest.serves(&honest.bystander());
}
