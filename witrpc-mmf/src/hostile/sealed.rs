//! Messages that do not open end the connection, whether a client or a server has written them.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use witrpc_transport::{
    Body, ChannelError, DisconnectReason, Limit, Outgoing, Plain, Short, ShortAnswer, Ticket,
};

use crate::client::Client;
use crate::link::head::{Head, LineKind};
use crate::link::sealed::{Cipher, FORGED};
use crate::memory::layout::INLINE_LEN;
use crate::rendezvous::tests::PATIENCE;

use super::client::Honest;
use super::server::{Hostile, call};
use super::{LANES, Said};

const KEYS: Plain = Plain::new(true);

/// Returns a function that returns the honest lines of lane 0, one after the other.
fn honest_lines() -> impl FnMut() -> Said {
    let cipher = Cipher::new(Box::new(KEYS), LANES as usize);
    move || {
        let head = Head::new(LineKind::Inline, 0, 1);
        let body = Short::of_padded(&[7; INLINE_LEN], 1).expect("it is short");
        let sealed = cipher.seal_inline(0, head, &body).expect("it is new");
        Said { head: head.to_word(), inline: *sealed.words() }
    }
}

/// Returns lines that do not open as the second of their lane, each with its description.
fn forged_lines() -> Vec<(&'static str, Said)> {
    let mut next = honest_lines();
    let (first, second, third) = (next(), next(), next());
    let mut flipped = second;
    flipped.inline[1] ^= 1 << 17;
    vec![
        ("a repeated line", first),
        ("a line that comes too early", third),
        ("a line of another head", second.tagged()),
        ("a changed line", flipped),
        ("a line in clear", Said::kind(LineKind::Inline, 1)),
        ("a longer line than can be sealed", Said::kind(LineKind::Inline, 25)),
        ("a buffer in clear", Said::kind(LineKind::Buffered, 100)),
        ("an empty buffer in clear", Said::kind(LineKind::Buffered, 0)),
        ("a block in clear", Said::block(100)),
        ("a block that holds nothing", Said::block(0).at(0, 1, 23)),
        ("a block without a tag", Said::block(76)),
        ("a segment in clear", Said::segment(1_000, 0, 100)),
    ]
}

#[test]
fn a_message_that_does_not_open_ends_only_its_connection() {
    let honest = Honest::start_with(KEYS);
    let bystander = honest.bystander();
    for (what, forged) in forged_lines() {
        let (raw, _link) = honest.hostile();
        honest.answers(&raw, 1, honest_lines()());
        honest.ends(&raw, 2, forged);
        let rule = honest.broken().expect("it has just ended");
        assert!(
            rule == FORGED || ["block", "buffer", "segment"].iter().any(|what| rule.contains(what)),
            "{what}: {rule}"
        );
        honest.serves(&bystander);
    }
}

#[test]
fn an_answer_that_does_not_open_ends_the_connection() {
    let server = Hostile::start_with(KEYS);
    for (what, forged) in forged_lines() {
        let (client, raw) = server.client();
        let hostile = std::thread::spawn(move || {
            for (seq, said) in (1..).zip([honest_lines()(), forged]) {
                assert!(raw.answer(seq, said).is_continue(), "the client did not go on to {seq}");
            }
            raw
        });
        assert_eq!(call(&client, PATIENCE), Ok(0), "{what}");
        let outcome = call(&client, PATIENCE);
        assert!(matches!(outcome, Err(ChannelError::Misbehaved(_))), "{what}: {outcome:?}");
        assert_eq!(client.lost(), Some(DisconnectReason::Misbehaved), "{what}");
        hostile.join().expect("both lines were asked for");
    }
}

#[test]
fn a_short_call_leaves_an_answer_that_does_not_open_to_the_general_path() {
    let server = Hostile::start_with(KEYS);
    for (what, forged) in forged_lines() {
        let (client, raw) = server.client();
        for (seq, said) in (1..).zip([honest_lines()(), forged]) {
            let ticket = client.send_short(0, &Short::default()).expect("a lane is free");
            assert!(
                raw.answer(seq, said).is_continue(),
                "{what}: the client did not go on to {seq}"
            );
            match (seq, poll_short(&client, ticket)) {
                (1, Some(answer)) => assert_eq!(answer.body.bytes(), [7], "{what}"),
                (2, None) => {}
                (_, outcome) => panic!("{what}: {outcome:?} of call {seq}"),
            }
            if seq == 2 {
                let outcome = client.wait_answer(ticket, &mut Limit::Within(PATIENCE), drop);
                assert!(matches!(outcome, Err(ChannelError::Misbehaved(_))), "{what}: {outcome:?}");
            }
        }
    }
}

/// Looks once for the answer of a short call, which is there.
fn poll_short(client: &Arc<Client>, ticket: Ticket) -> Option<ShortAnswer> {
    match client.poll_short(&mut Context::from_waker(Waker::noop()), ticket) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("it does not look at the line"),
    }
}

#[test]
fn a_short_call_is_not_sent_where_a_number_might_be_used_twice() {
    let honest = Honest::start_with(KEYS);
    let client = honest.bystander();
    let send = |len| {
        let body = Short::of_padded(&[0; INLINE_LEN], len).expect("it is short");
        client.send_short(7, &body).is_some()
    };
    assert!(send(24), "what fits with its tag");
    assert!(!send(25), "more than fits with its tag");
    client.cipher().spend(1);
    assert!(!send(1), "on a lane that is spent");
    assert_eq!(client.lost(), None, "the general path ends it");
}

#[test]
fn a_connection_ends_before_a_number_is_used_twice() {
    let honest = Honest::start_with(KEYS);
    let (client, bystander) = (honest.bystander(), honest.bystander());
    honest.serves(&client);
    client.cipher().spend(0);
    let refused =
        client.try_send(Outgoing::new(7, Body::Small { padded: &[0; INLINE_LEN], len: 1 }));
    assert_eq!(refused, Err(ChannelError::Disconnected(DisconnectReason::KeysSpent)));
    assert_eq!(client.lost(), Some(DisconnectReason::KeysSpent));
    honest.serves(&bystander);
    assert_eq!(honest.broken(), None);
}

#[test]
fn a_client_that_goes_on_at_the_end_of_its_numbers_is_disconnected() {
    let honest = Honest::start_with(KEYS);
    let (raw, _link) = honest.hostile();
    let mut next = honest_lines();
    honest.answers(&raw, 1, next());
    honest.server.clients().iter().for_each(|connection| connection.cipher().spend(0));
    honest.ends(&raw, 2, next());
    assert!(honest.broken().is_some_and(|rule| rule.contains("numbers")), "{:?}", honest.broken());
}
