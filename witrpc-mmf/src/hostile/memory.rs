//! Messages for which one side has no private memory: their call ends, and nothing else does.

use witrpc_transport::{Body, ChannelError, Outgoing, Plain};

use crate::link::head::{Head, LineKind};
use crate::link::line;
use crate::memory::try_alloc::shortage;
use crate::memory::words::Mapped;

use super::Said;
use super::client::{Honest, Zeros, call};

const SEALED: Plain = Plain::new(true);
const LONG: Zeros = Zeros(1_000);

/// Returns a message that, sealed, goes in one block, which is opened in private memory. `tag`
/// selects the answer.
fn long_request(tag: u32) -> Outgoing<'static> {
    Outgoing::new(tag, Body::Large(&LONG))
}

#[test]
fn a_sealed_request_without_memory_is_refused_and_the_next_opens() {
    let honest = Honest::start_with(SEALED);
    let client = honest.bystander();
    for _ in 0..3 {
        // This thread serves.
        shortage::strike_next();
        let refused = honest.while_serving(|| call(&client, long_request(7)));
        assert_eq!(refused, Err(ChannelError::PeerNoMemory));
        // On the same lane, whose pieces both sides have counted.
        assert_eq!(honest.while_serving(|| call(&client, long_request(7))), Ok(7));
    }
    assert_eq!((honest.broken(), client.lost()), (None, None));
}

#[test]
fn a_sealed_answer_without_memory_is_skipped_and_the_next_opens() {
    let honest = Honest::start_with(SEALED);
    let client = honest.bystander();
    for _ in 0..3 {
        let lost = honest.while_serving(|| {
            shortage::strike_next();
            call(&client, long_request(3))
        });
        assert_eq!(lost, Err(ChannelError::NoMemory { len: LONG.0 }));
        assert_eq!(honest.while_serving(|| call(&client, long_request(3))), Ok(3));
    }
    assert_eq!((honest.broken(), client.lost()), (None, None));
}

#[test]
fn a_request_in_segments_without_memory_is_refused_at_the_first() {
    let honest = Honest::start();
    let (raw, _link) = honest.hostile();
    let response = raw.peer_line(raw.layout.response_line(0));
    let kind = || Head::from_word(line::copy_out::<Mapped>(response).head).map(|head| head.kind);
    shortage::strike_next();
    honest.answers(&raw, 1, Said::segment(1_000, 0, 100));
    assert_eq!(kind(), Some(LineKind::Discard));
    honest.answers(&raw, 2, Said::segment(1_000, 0, 100));
    assert_eq!(kind(), Some(LineKind::Next));
    assert_eq!(honest.broken(), None);
}
