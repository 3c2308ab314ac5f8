//! Both ends of the transport, driven by hand.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use witrpc_transport::{
    Admission, Admitted, Answer, Body, ChannelError, ClientChannel, ClientInfo, DisconnectReason,
    Fill, Limit, Outgoing, Peer, Request, SMALL_LEN, Sending, ServerPort, Session, Shutdown,
    Ticket, pad, serve_by,
};

use crate::error::{BindError, ConnectError};
use crate::transport::{BindConfig, ConnectConfig, Transport};

use super::InProcess;
use super::place::Place;

/// Lets in whoever says so, and writes down who leaves.
#[derive(Default)]
struct Doorman(Mutex<Vec<u64>>);

impl Admission for Doorman {
    fn admit(&self, hello: &[u8], _: &ClientInfo) -> Admitted {
        match hello {
            b"friend" => Admitted::Welcome {
                welcome: b"come in".to_vec(),
                session: Session::new(Arc::new(())),
            },
            _ => Admitted::Refusal(b"stay out".to_vec()),
        }
    }

    fn left(&self, client: &ClientInfo, _: &Session) {
        self.0.lock().unwrap().push(client.id);
    }
}

fn bind(place: &InProcess) -> Arc<dyn ServerPort> {
    bind_with(place, Arc::default())
}

fn bind_with(place: &InProcess, doorman: Arc<Doorman>) -> Arc<dyn ServerPort> {
    place.bind(BindConfig::new(doorman)).expect("nobody else serves here")
}

fn hello(hello: &[u8], wait_for_server: Duration) -> ConnectConfig {
    ConnectConfig { wait_for_server, ..ConnectConfig::new(hello.to_vec()) }
}

fn connect(place: &InProcess) -> Arc<dyn ClientChannel> {
    place.connect(hello(b"friend", Duration::ZERO)).expect("the doorman knows this word")
}

/// Takes all requests that have arrived.
fn take(port: &Arc<dyn ServerPort>) -> Vec<(Arc<dyn Peer>, Request)> {
    let mut taken = Vec::new();
    port.scanner().turn(
        None,
        &mut serve_by(|peer, request| {
            let Request { ticket, tag, deadline, .. } = *request;
            let payload = std::mem::take(&mut request.payload);
            taken.push((Arc::clone(peer), Request::new(ticket, tag, payload, deadline)));
            ControlFlow::Continue(())
        }),
    );
    taken
}

fn wait(
    client: &Arc<dyn ClientChannel>,
    ticket: Ticket,
    limit: &mut Limit,
) -> Result<Answer, ChannelError> {
    let mut answer = Answer::default();
    client.wait_answer(ticket, limit, &mut answer)?;
    Ok(answer)
}

fn small(tag: u32) -> Outgoing<'static> {
    const BODY: [u8; SMALL_LEN] = pad(b"body");
    Outgoing::new(tag, Body::Small { padded: &BODY, len: 4 })
}

fn bytes_of(payload: &witrpc_transport::Payload) -> Vec<u8> {
    let mut bytes = vec![0; payload.len()];
    payload.copy_to(0, &mut bytes);
    bytes
}

/// Counts how often it is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

struct Ramp(usize);

impl Fill for Ramp {
    fn len(&self) -> usize {
        self.0
    }

    fn write_at(&self, offset: usize, out: &mut [u8]) {
        for (place, byte) in out.iter_mut().enumerate() {
            *byte = (offset + place) as u8;
        }
    }
}

#[test]
fn a_call_goes_there_and_back() {
    let place = InProcess::new();
    let port = bind(&place);
    let client = connect(&place);
    assert_eq!(client.welcome(), b"come in");

    let ramp = Ramp(1000);
    let large = Outgoing::new(7, Body::Large(&ramp));
    let ticket = client.try_send(large).unwrap().expect("a lane is free");
    let (peer, request) = take(&port).pop().expect("the request has arrived");
    assert_eq!(port.clients(), [peer.client().clone()]);
    assert_eq!(peer.client().pid, std::process::id());
    assert_eq!(request.tag, 7);
    let expected: Vec<u8> = (0..1000).map(|place| place as u8).collect();
    assert_eq!(bytes_of(&request.payload), expected);

    peer.answer(request.ticket, small(9)).unwrap();
    let answer = wait(&client, ticket, &mut Limit::Never).unwrap();
    assert_eq!((answer.tag, bytes_of(&answer.payload)), (9, b"body".to_vec()));
}

#[test]
fn an_answer_wakes_the_thread_that_waits() {
    let place = InProcess::new();
    let port = bind(&place);
    let client = connect(&place);
    let waits = thread::spawn(move || {
        let ticket = client.try_send(small(1)).unwrap().expect("a lane is free");
        wait(&client, ticket, &mut Limit::Never).map(|answer| answer.tag)
    });
    let (peer, request) = loop {
        if let Some(taken) = take(&port).pop() {
            break taken;
        }
        if !port.scanner().arm(None) {
            port.park(None);
        }
    };
    peer.answer(request.ticket, small(2)).unwrap();
    assert_eq!(waits.join().unwrap(), Ok(2));
}

#[test]
fn only_so_many_calls_are_in_flight() {
    let place = InProcess::new().lanes(1);
    let port = bind(&place);
    let client = connect(&place);
    let first = client.try_send(small(1)).unwrap().expect("a lane is free");
    assert_eq!(client.try_send(small(2)).unwrap(), None);

    let mut cx = Context::from_waker(Waker::noop());
    let mut late = (Sending::default(), Limit::At(Instant::now()));
    let polled = client.poll_send(&mut cx, &mut late.0, small(3), &mut late.1);
    assert_eq!(polled, Poll::Ready(Err(ChannelError::NoFreeLane)));

    let (mut given_up, mut patient) = (Sending::default(), Sending::default());
    assert!(client.poll_send(&mut cx, &mut given_up, small(4), &mut Limit::Never).is_pending());
    assert!(client.poll_send(&mut cx, &mut patient, small(5), &mut Limit::Never).is_pending());
    client.abandon(given_up.ticket.expect("a call that waits for a lane has a ticket"));

    let (peer, request) = take(&port).pop().unwrap();
    peer.answer(request.ticket, small(6)).unwrap();
    let tags: Vec<_> = take(&port).iter().map(|(_, request)| request.tag).collect();
    assert_eq!(tags, [5], "only the patient call gets the lane");
    let sent = client.poll_send(&mut cx, &mut patient, small(5), &mut Limit::Never);
    assert!(matches!(sent, Poll::Ready(Ok(_))));
    assert_eq!(wait(&client, first, &mut Limit::Never).unwrap().tag, 6);
}

#[test]
fn calls_that_nobody_polls_any_more_pass_through_their_lane() {
    let place = InProcess::new().lanes(1);
    let port = bind(&place);
    let client = connect(&place);
    client.try_send(small(1)).unwrap().expect("a lane is free");
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let mut cx = Context::from_waker(&waker);
    let mut queued: [Sending; 3] = Default::default();
    for (tag, sending) in (2..).zip(&mut queued) {
        let sent = client.poll_send(&mut cx, sending, small(tag), &mut Limit::Never);
        assert!(sent.is_pending());
    }
    for tag in 1..=4 {
        let (peer, request) = take(&port).pop().expect("the one before has been answered");
        assert_eq!(request.tag, tag);
        // Given up after it was sent: it keeps its lane until it is answered, and no longer.
        if tag == 3 {
            client.abandon(queued[1].ticket.unwrap());
        }
        peer.answer(request.ticket, small(10 + tag)).unwrap();
    }
    assert_eq!(count.0.load(Ordering::SeqCst), 2, "an answer wakes those who still wait for it");
    assert!(client.try_send(small(5)).unwrap().is_some(), "the lane is free");
    let sent = client.poll_send(&mut cx, &mut queued[2], small(4), &mut Limit::Never);
    let Poll::Ready(Ok(ticket)) = sent else { panic!("{sent:?}") };
    assert_eq!(wait(&client, ticket, &mut Limit::Never).unwrap().tag, 14);
}

#[test]
fn an_abandoned_lane_comes_back_with_the_answer() {
    let place = InProcess::new().lanes(1);
    let port = bind(&place);
    let client = connect(&place);
    let ticket = client.try_send(small(1)).unwrap().unwrap();
    let gave_up = wait(&client, ticket, &mut Limit::Within(Duration::ZERO));
    assert_eq!(gave_up.err(), Some(ChannelError::TimedOut));
    assert_eq!(client.try_send(small(2)).unwrap(), None, "the server may still read the request");

    let (peer, request) = take(&port).pop().unwrap();
    peer.answer(request.ticket, small(3)).unwrap();
    assert!(client.try_send(small(4)).unwrap().is_some());
}

#[test]
fn an_answer_that_nobody_fetches_holds_no_lane() {
    let place = InProcess::new().lanes(1);
    let port = bind(&place);
    let client = connect(&place);
    for _ in 0..3 {
        let _leaked = client.try_send(small(1)).unwrap().expect("the lane came back");
        let (peer, request) = take(&port).pop().unwrap();
        peer.answer(request.ticket, small(2)).unwrap();
    }
}

#[test]
fn a_lane_that_is_kept_goes_to_nobody_who_waits_for_one() {
    let place = InProcess::new().lanes(1);
    let port = bind(&place);
    let client = connect(&place);
    let mut cx = Context::from_waker(Waker::noop());
    let answered = |tag| {
        let [(peer, request)] = take(&port).try_into().ok().expect("one has arrived");
        assert_eq!(request.tag, tag);
        peer.answer(request.ticket, small(tag + 100)).unwrap();
    };
    let mut kept = client.lane_to_keep().unwrap();
    let mut queued = Sending::default();
    for tag in 1..4 {
        assert_eq!(kept.poll_send(&mut cx, small(tag)), Poll::Ready(Ok(())));
        if tag == 1 {
            let sent = client.poll_send(&mut cx, &mut queued, small(9), &mut Limit::Never);
            assert!(sent.is_pending());
        }
        answered(tag);
        let mut answer = Answer::default();
        assert_eq!(kept.wait_answer(&mut answer), Ok(()));
        assert_eq!(answer.tag, tag + 100);
        assert_eq!(client.try_send(small(8)).unwrap(), None);
    }
    let mut next = client.lane_to_keep().unwrap();
    assert!(next.poll_send(&mut cx, small(5)).is_pending());
    drop(kept);
    answered(9);
    assert_eq!(next.poll_send(&mut cx, small(5)), Poll::Ready(Ok(())));
    let given_up = client.lane_to_keep().map(|mut lane| lane.poll_send(&mut cx, small(6)));
    assert!(given_up.unwrap().is_pending(), "and it is dropped");
    drop(next);
    assert_eq!(client.try_send(small(7)).unwrap(), None, "the server may still read the request");
    answered(5);
    assert!(client.try_send(small(7)).unwrap().is_some());
    answered(7);
    let mut last = client.lane_to_keep().unwrap();
    assert!(last.poll_send(&mut cx, small(7)).is_ready());
    client.disconnect();
    assert!(last.wait_answer(&mut Answer::default()).is_err());
    assert!(matches!(last.poll_send(&mut cx, small(7)), Poll::Ready(Err(_))));
}

#[test]
fn a_future_is_woken_at_its_limit_and_nothing_stays_behind() {
    struct Notify(mpsc::Sender<()>);
    impl Wake for Notify {
        fn wake(self: Arc<Self>) {
            self.0.send(()).expect("the test waits");
        }
    }
    let place = InProcess::new();
    let port = bind(&place);
    let channel = Place::connect(&place.place, &hello(b"friend", Duration::ZERO)).unwrap();
    let (woken, wakes) = mpsc::channel();
    let waker = Waker::from(Arc::new(Notify(woken)));
    let mut cx = Context::from_waker(&waker);

    let mut ticket = channel.try_send(small(1)).unwrap().unwrap();
    let mut limit = Limit::Within(Duration::from_millis(1));
    let mut answer = Answer::default();
    let mut polled = channel.poll_answer(&mut cx, &mut ticket, &mut limit, &mut answer);
    while polled.is_pending() {
        wakes.recv().expect("the timer wakes");
        polled = channel.poll_answer(&mut cx, &mut ticket, &mut limit, &mut answer);
    }
    assert!(matches!(polled, Poll::Ready(Err(ChannelError::TimedOut))));
    let (peer, request) = take(&port).pop().unwrap();
    peer.answer(request.ticket, small(2)).unwrap();
    assert_eq!(channel.leftovers(), (0, 0));

    let mut ticket = channel.try_send(small(3)).unwrap().unwrap();
    let mut limit = Limit::Within(Duration::from_secs(3600));
    assert!(channel.poll_answer(&mut cx, &mut ticket, &mut limit, &mut answer).is_pending());
    assert_eq!(channel.leftovers(), (1, 1));
    let (peer, request) = take(&port).pop().unwrap();
    peer.answer(request.ticket, small(4)).unwrap();
    assert!(channel.poll_answer(&mut cx, &mut ticket, &mut limit, &mut answer).is_ready());
    assert_eq!(channel.leftovers(), (0, 0));
}

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
fn messages_over_the_limit_are_refused_on_both_ways() {
    let place = InProcess::new().max_message_size(99);
    let port = bind(&place);
    let client = connect(&place);
    let ramp = Ramp(100);
    let large = Outgoing::new(0, Body::Large(&ramp));
    let too_large = ChannelError::TooLarge { len: 100, max: 99 };
    assert_eq!(client.try_send(large), Err(too_large));

    let ticket = client.try_send(small(1)).unwrap().unwrap();
    let (peer, request) = take(&port).pop().unwrap();
    assert_eq!(peer.answer(request.ticket, large), Err(too_large));
    peer.answer(request.ticket, small(2)).expect("the call is still unanswered");
    assert_eq!(wait(&client, ticket, &mut Limit::Never).unwrap().tag, 2);
}

#[test]
fn a_place_has_one_server_at_a_time() {
    let place = InProcess::named("one server at a time");
    let nobody = place.connect(hello(b"friend", Duration::ZERO));
    assert!(matches!(nobody, Err(ConnectError::NobodyServes { .. })));
    let first = bind(&InProcess::named("one server at a time"));
    assert!(matches!(
        place.bind(BindConfig::new(Arc::<Doorman>::default())),
        Err(BindError::NameInUse { .. })
    ));
    first.close(Shutdown::Now);
    let _second = bind(&place);
    connect(&place);
}

#[test]
fn a_client_can_wait_for_its_server() {
    let place = InProcess::new();
    let later = place.clone();
    let client = thread::spawn(move || later.connect(hello(b"friend", Duration::from_secs(60))));
    let _port = bind(&place);
    assert!(client.join().unwrap().is_ok());
}

#[test]
fn who_is_turned_away_leaves_no_trace() {
    let place = InProcess::new().max_clients(1);
    let port = bind(&place);
    let refused = place.connect(hello(b"foe", Duration::ZERO));
    assert!(matches!(refused, Err(ConnectError::Refused(words)) if words == b"stay out"));
    let client = connect(&place);
    let second = place.connect(hello(b"friend", Duration::ZERO));
    assert!(matches!(second, Err(ConnectError::TooManyClients)));
    drop(client);
    assert_eq!(port.clients(), []);
    let _next = connect(&place);
    port.stop_accepting();
    let late = place.connect(hello(b"friend", Duration::ZERO));
    assert!(matches!(late, Err(ConnectError::ShuttingDown)));
}

#[test]
fn limits_out_of_bounds_are_refused() {
    for (place, named) in [
        (InProcess::new().lanes(0), "lanes"),
        (InProcess::new().lanes(1025), "lanes"),
        (InProcess::new().max_clients(0), "max_clients"),
    ] {
        let refused = place.bind(BindConfig::new(Arc::<Doorman>::default()));
        assert!(matches!(refused, Err(BindError::LimitOutOfRange { limit, .. }) if limit == named));
    }
}

#[test]
fn a_request_rings_once_for_a_poller_that_went_to_sleep() {
    let place = InProcess::new();
    let port = bind(&place);
    let client = connect(&place);
    let mut scanner = port.scanner();
    let mut nothing = serve_by(|_, _| ControlFlow::Continue(()));
    assert!(!scanner.turn(None, &mut nothing));
    assert!(!scanner.arm(None));
    client.try_send(small(1)).unwrap().unwrap();
    port.park(None);
    assert!(scanner.turn(None, &mut nothing));

    assert!(!scanner.arm(None));
    client.try_send(small(2)).unwrap().unwrap();
    assert!(scanner.arm(None), "there is something to do");
    assert!(!scanner.turn(Some(&|_, _| false), &mut nothing));
    assert!(!scanner.arm(Some(&|_, _| false)), "what may not be taken is no reason to stay awake");

    client.try_send(small(3)).unwrap().unwrap();
    let mut taken = Vec::new();
    let mut take = serve_by(|_, request| {
        taken.push(request.tag);
        ControlFlow::Continue(())
    });
    assert!(scanner.turn(Some(&|_, tag| tag == 3), &mut take));
    assert!(!scanner.turn(Some(&|_, tag| tag == 3), &mut take));
    assert!(scanner.turn(None, &mut take));
    drop(take);
    assert_eq!(taken, [3, 2], "those that wait are left in their order");
}

#[test]
fn a_request_behind_a_slow_handler_rings_for_help() {
    let place = InProcess::new();
    let port = bind(&place);
    let client = connect(&place);
    client.try_send(small(1)).unwrap().unwrap();
    let mut helped = Vec::new();
    port.scanner().turn(
        None,
        &mut serve_by(|_, _| {
            client.try_send(small(2)).unwrap().unwrap();
            thread::scope(|scope| {
                scope.spawn(|| {
                    port.park(None);
                    helped.extend(take(&port).into_iter().map(|(_, request)| request.tag));
                });
            });
            ControlFlow::Break(())
        }),
    );
    assert_eq!(helped, [2]);
}

#[test]
fn whoever_stands_by_looks_again_while_a_handler_is_slow() {
    let place = InProcess::new();
    let port = bind(&place);
    let client = connect(&place);
    client.try_send(small(1)).unwrap().unwrap();
    port.scanner().turn(
        None,
        &mut serve_by(|_, _| {
            client.try_send(small(2)).unwrap().unwrap();
            // The first time it is the ring that wakes; one that came too early must not be the last.
            port.park(None);
            port.park(None);
            ControlFlow::Break(())
        }),
    );
    assert_eq!(take(&port).len(), 1);
}

#[test]
fn nothing_stays_behind_of_calls_given_up_around_the_end_of_a_connection() {
    let place = InProcess::new().lanes(2);
    let _port = bind(&place);
    let channel = Place::connect(&place.place, &hello(b"friend", Duration::ZERO)).unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    let before = channel.try_send(small(1)).unwrap().unwrap();
    let after = channel.try_send(small(2)).unwrap().unwrap();
    let mut queued = Sending::default();
    assert!(channel.poll_send(&mut cx, &mut queued, small(3), &mut Limit::Never).is_pending());
    let mut late = (Sending::default(), Limit::At(Instant::now()));
    let polled = channel.poll_send(&mut cx, &mut late.0, small(4), &mut late.1);
    assert_eq!(polled, Poll::Ready(Err(ChannelError::NoFreeLane)));
    // Three calls, one of which stands in the queue too.
    assert_eq!(channel.leftovers(), (4, 0));
    channel.abandon(before);
    assert_eq!(channel.abandoned(), 1);
    channel.disconnect();
    channel.abandon(after);
    channel.abandon(queued.ticket.unwrap());
    assert_eq!(channel.leftovers(), (0, 0));
}

#[test]
fn who_leaves_is_told_once_however_it_goes() {
    let place = InProcess::new();
    let doorman = Arc::<Doorman>::default();
    let port = bind_with(&place, Arc::clone(&doorman));
    let left = || doorman.0.lock().unwrap().clone();
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
