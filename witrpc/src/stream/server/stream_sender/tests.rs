//! What can happen while a pull is answered.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::codec::encode_item;
use crate::server::tests::eavesdropper::Eavesdropper;

use super::*;

fn flow(peer: &Arc<Eavesdropper>) -> Arc<StreamSender<u64>> {
    let session = witrpc_transport::Peer::session(&**peer).clone();
    StreamSender::new(&session, 1, encode_item::<u64>, peer.asks(0), Counted::nowhere())
}

#[test]
fn no_answer_is_given_under_the_lock() {
    let looked = Arc::new(OnceLock::<Arc<StreamSender<u64>>>::new());
    let at = Arc::clone(&looked);
    let peer = Eavesdropper::new(move || {
        drop(at.get().unwrap().state.try_lock().expect("no thread holds it"));
    });
    let flow = looked.get_or_init(|| flow(&peer));
    assert_eq!(flow.pull(peer.asks(1)), StreamStatus::GoesOn);
    assert!(flow.put(7) == Room::More, "the pull that waits is answered");
    assert!(flow.put(8) == Room::More);
    assert_eq!(flow.pull(peer.asks(2)), StreamStatus::GoesOn);
    assert_eq!(flow.pull(peer.asks(3)), StreamStatus::GoesOn);
    flow.end(StreamEnd::Finished);
    drop(flow.close());
    assert_eq!(peer.answers(), [1, 2, 3]);
}

#[test]
fn a_pull_gets_what_was_made_without_the_lock_and_then_each_item_at_once() {
    let asked = Instant::now();
    while !witrpc_rt::has_heavy_barrier() {
        if asked.elapsed() > Duration::from_secs(30) {
            eprintln!("skipped: this system has no membarrier");
            return;
        }
        std::thread::yield_now();
    }
    let peer = Eavesdropper::new(|| {});
    let flow = flow(&peer);
    assert!((0..1_000).all(|item| flow.put(item) == Room::More));
    assert!(lock(&flow.state).batch.len() < 1_000, "the last are in a run");
    assert_eq!(flow.pull(peer.asks(1)), StreamStatus::GoesOn);
    assert_eq!(peer.answers(), [1]);
    assert_eq!(flow.pull(peer.asks(2)), StreamStatus::GoesOn);
    assert_eq!(peer.answers(), [1], "there is nothing");
    assert!(flow.put(1_000) == Room::More);
    assert_eq!(peer.answers(), [1, 2], "the item is seen before the next");
    assert!((0..1_000).all(|item| flow.put(item) == Room::More));
    drop(flow.close());
    assert!((0..1_000).any(|item| flow.put(item) == Room::Closed), "the producer learns of it");
}

/// As by a task that its waker polls at once.
#[test]
fn a_pull_that_comes_while_another_is_answered_is_answered_next() {
    let looked = Arc::new(OnceLock::<(Arc<StreamSender<u64>>, Arc<Eavesdropper>)>::new());
    let at = Arc::clone(&looked);
    let peer = Eavesdropper::new(move || {
        let (flow, peer) = at.get().unwrap();
        match peer.answers().last() {
            Some(1) => {
                assert!(flow.put(8) == Room::More, "behind what is on its way");
                assert_eq!(flow.pull(peer.asks(2)), StreamStatus::GoesOn);
            }
            Some(2) => flow.end(StreamEnd::Finished),
            _ => {}
        }
    });
    let (flow, peer) = looked.get_or_init(|| (flow(&peer), peer));
    assert_eq!(flow.pull(peer.asks(1)), StreamStatus::GoesOn);
    assert!(flow.put(7) == Room::More);
    assert_eq!(peer.answers(), [1, 2]);
    assert_eq!(flow.pull(peer.asks(3)), StreamStatus::Over);
    assert_eq!(peer.answers(), [1, 2, 3]);
}
