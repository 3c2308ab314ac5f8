//! Peers that name invalid leases, or release what they were not lent.

use std::sync::Arc;

use witrpc_transport::{Body, ChannelError, Lent, Outgoing, Ticket};

use crate::memory::layout::INLINE_LEN;
use crate::rendezvous::tests::PATIENCE;

use super::client::Honest;
use super::server::{Hostile, call};
use super::{Raw, Said, broken_leases};

/// Stores this generation in every slot, as if all the peer's blocks had been released under it.
fn release_everything(raw: &Raw, table: usize, generation: u32) {
    for granule in 0..raw.layout.granules() {
        raw.own.word32(table + granule * 4).store(generation, std::sync::atomic::Ordering::Release);
    }
}

#[test]
fn a_client_that_names_an_invalid_lease_ends_only_its_connection() {
    let honest = Honest::start();
    let bystander = honest.bystander();
    for said in broken_leases() {
        let (raw, _link) = honest.hostile();
        honest.ends(&raw, 1, said);
        honest.serves(&bystander);
    }
}

#[test]
fn a_server_that_names_an_invalid_lease_loses_its_client() {
    let server = Hostile::start();
    for said in broken_leases() {
        let (client, raw) = server.client();
        let hostile = std::thread::spawn(move || raw.answer(1, said));
        let outcome = call(&client, PATIENCE);
        assert!(matches!(outcome, Err(ChannelError::Misbehaved(_))), "{said:x?}: {outcome:?}");
        let _ = hostile.join().expect("the line was asked for");
    }
}

#[test]
fn a_granule_that_is_leased_cannot_be_leased_again() {
    let honest = Honest::start();
    let bystander = honest.bystander();
    // The handler keeps granules 3 to 5.
    let kept = || Said::leases(&[[3, 1, 600]]).with_tag(2);
    for again in [[3, 1, 600], [5, 1, 1], [2, 1, 257], [4, 1, 0], [1, 1, 2_000]] {
        let (raw, _link) = honest.hostile();
        honest.answers(&raw, 1, kept());
        honest.answers(&raw, 2, Said::leases(&[[6, 1, 100], [2, 1, 100]]));
        honest.ends(&raw, 3, Said::leases(&[again]));
        honest.serves(&bystander);
    }
}

#[test]
fn a_lease_is_named_once_under_each_generation() {
    let honest = Honest::start();
    let bystander = honest.bystander();
    for stale in [1, 2, 4, 0] {
        let (raw, _link) = honest.hostile();
        for generation in 1..=2 {
            honest.answers(&raw, generation, Said::leases(&[[3, generation, 600]]));
        }
        honest.ends(&raw, 3, Said::leases(&[[3, stale, 600]]));
        honest.serves(&bystander);
    }
}

#[test]
fn a_client_that_releases_what_it_was_not_lent_ends_only_its_connection() {
    let honest = Honest::start();
    let bystander = honest.bystander();
    let (raw, _link) = honest.hostile();
    honest.answers(&raw, 1, Said::leases(&[[3, 1, 10]]));
    release_everything(&raw, raw.layout.client_release(), 1);
    let clients = honest.server.clients();
    let hostile = clients.iter().max_by_key(|client| client.id()).expect("it is connected");
    let writer = hostile.try_alloc(&[100]).expect("there is space").remove(0);
    assert!(hostile.claim(Arc::new(writer.freeze())).is_none());
    honest.ends(&raw, 2, Said::leases(&[[3, 2, 10]]));
    honest.serves(&bystander);
}

#[test]
fn a_server_that_releases_what_it_was_not_lent_loses_its_client() {
    let server = Hostile::start();
    let (client, raw) = server.client();
    release_everything(&raw, raw.layout.server_release(), 1);
    let writer = client.try_alloc(&[100]).expect("there is space").remove(0);
    assert!(client.claim(Arc::new(writer.freeze())).is_none());
    assert!(matches!(
        client.try_alloc(&[1]).map(drop),
        Err(ChannelError::Disconnected(witrpc_transport::DisconnectReason::Misbehaved))
    ));
}

#[test]
fn releasing_a_block_twice_changes_nothing() {
    let server = Hostile::start();
    let (client, raw) = server.client();
    let table = raw.layout.server_release();
    let lease = Arc::new(client.try_alloc(&[100]).expect("there is space").remove(0).freeze());
    client.claim(Arc::clone(&lease)).expect("it is at home").commit();
    for generation in 1..10 {
        release_everything(&raw, table, generation);
        release_everything(&raw, table, generation);
        client.claim(Arc::clone(&lease)).expect("it has come back").commit();
        // Once more, after it was lent under the next generation.
        release_everything(&raw, table, generation);
        assert!(client.claim(Arc::clone(&lease)).is_none(), "it counted as released");
        assert!(client.try_alloc(&[1]).is_ok(), "the connection goes on");
    }
}

#[test]
fn a_release_under_a_generation_that_was_not_lent_ends_the_connection() {
    for generation in [2, 9] {
        let server = Hostile::start();
        let (client, raw) = server.client();
        let lease = Arc::new(client.try_alloc(&[100]).expect("there is space").remove(0).freeze());
        client.claim(Arc::clone(&lease)).expect("it is at home").commit();
        release_everything(&raw, raw.layout.server_release(), generation);
        assert!(client.claim(Arc::clone(&lease)).is_none());
        assert!(matches!(
            client.try_alloc(&[1]).map(drop),
            Err(ChannelError::Disconnected(witrpc_transport::DisconnectReason::Misbehaved))
        ));
    }
}

/// So no answer with leases waits for space: it would keep the connection that keeps it.
#[test]
fn an_answer_with_leases_that_does_not_fit_its_line_is_not_sent() {
    let honest = Honest::start();
    let (_raw, _link) = honest.hostile();
    honest.serve(|| !honest.server.clients().is_empty());
    let connection = honest.server.clients().remove(0);
    let lease = Arc::new(connection.try_alloc_one(100).expect("the arena is empty").freeze());
    for (spare, fits) in [(1, false), (0, true)] {
        let claim = connection.claim(Arc::clone(&lease)).expect("it is at home");
        let body =
            Body::Small { padded: &[0; INLINE_LEN], len: connection.longest_body_with(1) + spare };
        let leases = [Lent::new(claim)];
        let body = Body::Leasing { body: &body, leases: &leases };
        let message = Outgoing::new(0, body);
        let outcome = connection.answer(Ticket::new(0, 1), message);
        let too_large = ChannelError::TooLarge { len: INLINE_LEN + spare, max: INLINE_LEN };
        assert_eq!(outcome, if fits { Ok(()) } else { Err(too_large) });
    }
    assert!(connection.claim(lease).is_none(), "it is lent");
}
