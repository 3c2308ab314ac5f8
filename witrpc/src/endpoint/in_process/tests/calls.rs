//! Calls, their lanes and their limits.

use super::*;

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
        if !port.scanner().request_wakeup(None) {
            port.park(None);
        }
    };
    peer.answer(request.ticket, small(2)).unwrap();
    assert_eq!(waits.join().unwrap(), Ok(2));
}

#[test]
fn calls_are_in_flight_up_to_the_limit() {
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
fn calls_that_are_not_polled_any_more_pass_through_their_lane() {
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
        // It was given up after it was sent, so it keeps its lane until it is answered.
        if tag == 3 {
            client.abandon(queued[1].ticket.unwrap());
        }
        peer.answer(request.ticket, small(10 + tag)).unwrap();
    }
    assert_eq!(
        count.0.load(Ordering::SeqCst),
        2,
        "an answer wakes the callers that still wait for it"
    );
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
fn an_answer_that_is_not_fetched_holds_no_lane() {
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
fn a_lane_that_is_kept_goes_to_no_call_that_waits_for_one() {
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
    let channel = InProcessPlace::connect(&place.place, &hello(b"friend", Duration::ZERO)).unwrap();
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
