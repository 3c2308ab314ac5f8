//! The end of a connection, and what it leaves.

use super::*;

#[test]
fn every_way_to_end_a_connection_has_its_reason() {
    use ChannelError::Disconnected;
    use DisconnectReason::{ClosedHere, Dismissed, PeerDied, ServerShutDown};
    type End = fn(&dyn ClientChannel, Arc<dyn ServerPort>);
    let ways: [(End, ChannelError, ChannelError); 5] = [
        (|client, _| client.disconnect(), Disconnected(ClosedHere), Disconnected(ClosedHere)),
        (
            |_, port| assert!(port.disconnect(port.clients()[0].id)),
            Disconnected(Dismissed),
            Disconnected(Dismissed),
        ),
        (
            |_, port| port.close(Shutdown::Now),
            Disconnected(ServerShutDown),
            Disconnected(ServerShutDown),
        ),
        (
            |_, port| port.close(Shutdown::Drained),
            ChannelError::ShuttingDown,
            ChannelError::ShuttingDown,
        ),
        (|_, port| drop(port), ChannelError::PeerDied, Disconnected(PeerDied)),
    ];
    for (end, pending, later) in ways {
        let place = InProcess::new();
        let port = bind(&place);
        let client = connect(&place);
        let ticket = client.try_send(small(1)).unwrap().unwrap();
        end(&*client, port);
        assert_eq!(wait(&client, ticket, &mut Limit::Never).err(), Some(pending));
        assert_eq!(client.try_send(small(2)), Err(later));
        assert_eq!(client.lost(), Some(later));
    }
}

#[test]
fn a_draining_server_answers_what_has_arrived_and_takes_nothing_new() {
    let place = InProcess::new();
    let port = bind(&place);
    let client = connect(&place);
    let ticket = client.try_send(small(1)).unwrap().unwrap();
    port.drain();
    let refused = client.try_send(small(2));
    assert_eq!(refused, Err(ChannelError::ShuttingDown));
    let (peer, request) = take(&port).pop().expect("it had arrived before");
    peer.answer(request.ticket, small(3)).unwrap();
    assert_eq!(wait(&client, ticket, &mut Limit::Never).unwrap().tag, 3);
}

#[test]
fn nothing_stays_behind_of_calls_given_up_around_the_end_of_a_connection() {
    let place = InProcess::new().lanes(2);
    let _port = bind(&place);
    let channel = InProcessPlace::connect(&place.place, &hello(b"friend", Duration::ZERO)).unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    let before = channel.try_send(small(1)).unwrap().unwrap();
    let after = channel.try_send(small(2)).unwrap().unwrap();
    let mut queued = Sending::default();
    assert!(channel.poll_send(&mut cx, &mut queued, small(3), &mut Limit::Never).is_pending());
    let mut late = (Sending::default(), Limit::At(Instant::now()));
    let polled = channel.poll_send(&mut cx, &mut late.0, small(4), &mut late.1);
    assert_eq!(polled, Poll::Ready(Err(ChannelError::NoFreeLane)));
    // Three calls, one of which is in the queue too.
    assert_eq!(channel.leftovers(), (4, 0));
    channel.abandon(before);
    assert_eq!(channel.abandoned(), 1);
    channel.disconnect();
    channel.abandon(after);
    channel.abandon(queued.ticket.unwrap());
    assert_eq!(channel.leftovers(), (0, 0));
}

#[test]
fn the_end_of_a_client_is_reported_once_whatever_ends_it() {
    let place = InProcess::new();
    let admission = Arc::<WordAdmission>::default();
    let port = bind_with(&place, Arc::clone(&admission));
    let left = || admission.0.lock().unwrap().clone();
    let [leaves, is_dropped, is_sent_away, stays] = [(); 4].map(|()| connect(&place));
    let ids: Vec<_> = port.clients().iter().map(|client| client.id).collect();

    leaves.disconnect();
    leaves.disconnect();
    drop(leaves);
    drop(is_dropped);
    assert_eq!(left(), ids[..2]);
    assert!(port.disconnect(ids[2]));
    assert!(!port.disconnect(ids[2]));
    drop(is_sent_away);
    assert_eq!(left(), ids[..3]);
    port.close(Shutdown::Now);
    drop((stays, port));
    assert_eq!(left(), ids);
}

#[test]
fn nothing_that_waits_outlives_the_server_or_its_client() {
    let place = InProcess::new();
    let port = bind(&place);
    let [leaves, dismissed, stays] = [(); 3].map(|()| connect(&place));
    let mut kept = Vec::new();
    for client in [&leaves, &dismissed, &stays] {
        client.try_send(small(1)).unwrap();
    }
    for (peer, _) in take(&port) {
        kept.push(Arc::downgrade(&peer));
    }
    for client in [&leaves, &dismissed, &stays] {
        client.try_send(small(2)).unwrap();
    }
    drop(leaves);
    assert!(kept[0].upgrade().is_none(), "the client has gone");
    let id = kept[1].upgrade().unwrap().client().id;
    assert!(port.disconnect(id));
    drop(dismissed);
    assert!(kept[1].upgrade().is_none(), "the client was dismissed");
    port.close(Shutdown::Now);
    drop(stays);
    assert!(kept[2].upgrade().is_none(), "the server has ended");
}
