//! Short calls of futures, against a server whose answers the test writes.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use witrpc_transport::{ChannelError, Limit, Short, Ticket, WaitPolicy};

use crate::client::Client;
use crate::link::head::LineKind;
use crate::rendezvous::tests::PATIENCE;

use super::server::Hostile;
use super::{LANES, Said};

fn begin(client: &Client) -> Ticket {
    client.send_short(0, &Short::default()).expect("a lane is free")
}

/// Polls until there is an answer, or the general path is to look for it.
fn short_answer(client: &Arc<Client>, ticket: Ticket) -> Option<u32> {
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(answer) = client.poll_short(&mut cx, ticket) {
            return answer.map(|answer| answer.tag);
        }
    }
}

fn general_answer(client: &Arc<Client>, mut ticket: Ticket) -> Poll<Result<u32, ChannelError>> {
    let mut cx = Context::from_waker(Waker::noop());
    client.poll_answer(&mut cx, &mut ticket, &mut Limit::Within(PATIENCE), |answer| answer.tag)
}

#[test]
fn an_answer_that_is_there_ends_the_call_and_frees_the_lane() {
    let server = Hostile::start();
    let (client, raw) = server.client();
    for seq in 1..=u64::from(2 * LANES) {
        let ticket = begin(&client);
        assert!(raw.answer(seq, Said::kind(LineKind::Inline, 0)).is_continue());
        assert_eq!(short_answer(&client, ticket), Some(0));
    }
}

#[test]
fn a_late_answer_is_left_to_the_general_path_which_does_not_spin_again() {
    let server = Hostile::start();
    let (client, raw) = server.client_that(WaitPolicy::Adaptive);
    let granted = client.spin().outcomes();
    let ticket = begin(&client);
    assert_eq!(short_answer(&client, ticket), None);
    assert_eq!(general_answer(&client, ticket), Poll::Pending);
    let noted = client.spin().outcomes();
    assert_ne!(noted, granted, "it has looked in vain");
    assert_eq!(general_answer(&client, ticket), Poll::Pending);
    assert_eq!(client.spin().outcomes(), noted, "to look again is not to spin again");
    assert!(raw.answer(1, Said::kind(LineKind::Inline, 0)).is_continue());
    assert_eq!(general_answer(&client, ticket), Poll::Ready(Ok(0)));
}

#[test]
fn an_answer_of_another_kind_is_left_to_the_general_path() {
    let server = Hostile::start();
    let (client, raw) = server.client();
    let ticket = begin(&client);
    assert!(raw.answer(1, Said::kind(LineKind::Discard, 0)).is_continue());
    assert_eq!(short_answer(&client, ticket), None);
    assert_eq!(general_answer(&client, ticket), Poll::Ready(Err(ChannelError::PeerNoMemory)));
}

#[test]
fn a_call_that_is_given_up_while_it_looks_frees_its_lane() {
    let server = Hostile::start();
    let (client, raw) = server.client_that(WaitPolicy::Adaptive);
    for seq in 1..=u64::from(2 * LANES) {
        let ticket = begin(&client);
        let looked = client.poll_short(&mut Context::from_waker(Waker::noop()), ticket);
        assert!(looked.is_pending(), "the server has not answered");
        assert!(raw.answer(seq, Said::kind(LineKind::Inline, 0)).is_continue());
        client.abandon(ticket);
        assert_eq!(client.abandoned(), 0);
    }
}
