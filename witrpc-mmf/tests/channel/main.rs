//! The channel between two ends in one process: every kind of message, in both directions, over
//! each kind of channel.

#![allow(clippy::disallowed_methods, reason = "tests may start threads")]

mod ends;
#[macro_use]
#[path = "../ways/mod.rs"]
mod ways;

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread::{self};

use witrpc_mmf::{Name, Scanner};
use witrpc_transport::{
    Body, ChannelError, DisconnectReason, Exchange, Fill, Limit, Outgoing, WaitPolicy,
};

use ends::{
    Echo, MAX_MESSAGE_LEN, PATIENCE, Register, bind, bind_with, bytes_of, call, connect, drive,
    pattern, send, with_message,
};
use ways::Way;

each_way! {
    messages_of_every_length_come_back_as_they_went
    an_exchange_takes_what_fits_beside_its_lane_and_sends_nothing_else
    futures_get_their_answers_too
    a_message_over_the_limit_is_refused_before_anything_is_sent
    threads_share_a_client_and_each_gets_its_own
    many_large_messages_at_once_all_get_through
    large_answers_are_fetched_one_after_the_other
    unfetched_answers_block_no_others
    a_kept_lane_carries_no_other_call
    a_server_that_closes_is_no_crash
    requests_that_are_over_their_clients_budget_wait_until_answers_are_fetched
    no_client_starves_another
    a_body_that_panics_costs_neither_lane_nor_space
    a_waker_that_panics_ends_no_other_call
    a_client_that_leaves_is_reported_once_with_its_session
}

const LENGTHS: [usize; 17] = [
    0,
    1,
    24,
    25,
    47,
    48,
    49,
    256,
    575,
    576,
    577,
    4_000,
    100_000,
    239_000,
    300_000,
    1_000_000,
    8 << 20,
];

fn messages_of_every_length_come_back_as_they_went(way: Way) {
    let name = Name::unguessable().unwrap();
    let _echo = Echo::start(way, &name, 1 << 20);
    for wait in [WaitPolicy::Adaptive, WaitPolicy::Park, WaitPolicy::Spin] {
        let client = connect(way, &name, wait);
        assert_eq!(client.welcome(), b"hello");
        for (seed, len) in LENGTHS.into_iter().enumerate() {
            let bytes = pattern(len, seed);
            let answer = call(&client, &bytes).expect("an answer");
            assert_eq!(answer.tag, 6);
            assert!(bytes_of(answer.payload) == bytes, "{len} bytes came back changed");
        }
    }
}

fn an_exchange_takes_what_fits_beside_its_lane_and_sends_nothing_else(way: Way) {
    let name = Name::unguessable().unwrap();
    let _echo = Echo::start(way, &name, 1 << 20);
    // A sealed message is longer by its head and its tag, and has no buffer.
    let longest = if way.keys.encryption { 24 } else { 576 };
    for wait in [WaitPolicy::Park, WaitPolicy::Spin] {
        let client = connect(way, &name, wait);
        for (seed, len) in LENGTHS.into_iter().enumerate() {
            let bytes = pattern(len, seed);
            let (tag, answer) = match with_message(5, &bytes, |message| client.exchange(&message)) {
                Exchange::NotSent => {
                    assert!(len > longest, "{len} bytes are not sent");
                    continue;
                }
                Exchange::Answered(answer) => (answer.tag, answer.body.bytes().to_vec()),
                Exchange::Sent(ticket) => {
                    let mut limit = Limit::Within(PATIENCE);
                    let answer = client.wait_answer(ticket, &mut limit, |answer| answer);
                    let answer = answer.expect("an answer");
                    (answer.tag, bytes_of(answer.payload))
                }
            };
            assert_eq!(tag, 6);
            assert!(answer == bytes, "{len} bytes came back changed");
            assert!(len <= longest, "{len} bytes are sent");
        }
    }
}

fn futures_get_their_answers_too(way: Way) {
    let name = Name::unguessable().unwrap();
    let _echo = Echo::start(way, &name, 1 << 20);
    let client = connect(way, &name, WaitPolicy::Adaptive);
    for (seed, len) in LENGTHS.into_iter().enumerate() {
        let bytes = pattern(len, seed);
        let mut ticket = send(&client, 5, &bytes);
        let mut limit = Limit::Within(PATIENCE);
        let answer = drive(|cx| client.poll_answer(cx, &mut ticket, &mut limit, |answer| answer));
        let answer = answer.expect("one");
        assert!(bytes_of(answer.payload) == bytes, "{len} bytes came back changed");
    }
}

fn a_message_over_the_limit_is_refused_before_anything_is_sent(way: Way) {
    let name = Name::unguessable().unwrap();
    let _echo = Echo::start(way, &name, 1 << 20);
    let client = connect(way, &name, WaitPolicy::Adaptive);
    let bytes = vec![0; (8 << 20) + 1];
    let refused = with_message(1, &bytes, |message| client.try_send(message));
    assert_eq!(refused, Err(ChannelError::TooLarge { len: (8 << 20) + 1, max: 8 << 20 }));
    assert!(call(&client, b"still here").is_ok());
}

fn threads_share_a_client_and_each_gets_its_own(way: Way) {
    let name = Name::unguessable().unwrap();
    let _echo = Echo::start(way, &name, 1 << 20);
    let client = connect(way, &name, WaitPolicy::Adaptive);
    thread::scope(|scope| {
        for thread in 0..4 {
            let client = &client;
            scope.spawn(move || {
                for round in 0..500 {
                    let bytes = pattern(round * 7 % 3_000, thread * 1_000 + round);
                    let answer = call(client, &bytes).expect("an answer");
                    assert!(bytes_of(answer.payload) == bytes);
                }
            });
        }
    });
}

/// There are far more messages at once than either arena holds, or than a client's budget lets
/// begin.
fn many_large_messages_at_once_all_get_through(way: Way) {
    let name = Name::unguessable().unwrap();
    let _echo = Echo::start(way, &name, 256 << 10);
    let client = connect(way, &name, WaitPolicy::Park);
    thread::scope(|scope| {
        for thread in 0..6 {
            let client = &client;
            scope.spawn(move || {
                for (round, len) in [5_000_000, 50_000].into_iter().enumerate() {
                    let bytes = pattern(len, thread * 10 + round);
                    let answer = call(client, &bytes).expect("an answer");
                    assert!(bytes_of(answer.payload) == bytes, "{len} bytes came back changed");
                }
            });
        }
    });
}

fn a_kept_lane_carries_no_other_call(way: Way) {
    let name = Name::unguessable().unwrap();
    let _echo = Echo::start(way, &name, 1 << 20);
    for wait in [WaitPolicy::Adaptive, WaitPolicy::Park] {
        let client = connect(way, &name, wait);
        let mut kept = client.lane_to_keep();
        let mut exchange = |bytes: &[u8]| {
            drive(|cx| with_message(5, bytes, |message| kept.poll_send(cx, message)))?;
            kept.wait_answer(|answer| bytes_of(answer.payload))
        };
        for (seed, len) in [0, 1, 20, 48, 49, 256, 4_000, 50_000].into_iter().enumerate() {
            let bytes = pattern(len, seed);
            assert!(exchange(&bytes) == Ok(bytes), "{len} bytes came back changed");
        }
        // All other lanes are taken by calls whose answers are not fetched.
        let others: Vec<_> = std::iter::from_fn(|| {
            with_message(5, b"taken", |message| client.try_send(message)).expect("it is connected")
        })
        .collect();
        assert_eq!(others.len(), 63);
        for round in 0..100_usize {
            let bytes = round.to_le_bytes();
            assert_eq!(exchange(&bytes), Ok(bytes.to_vec()));
        }
        let refused = exchange(&pattern(1_000_000, 1));
        assert!(matches!(refused, Err(ChannelError::TooLarge { len: 1_000_000, .. })));
        assert_eq!(exchange(b"still here"), Ok(b"still here".to_vec()));
        let taken = || with_message(5, b"one more", |message| client.try_send(message));
        assert_eq!(taken(), Ok(None));
        drop(kept);
        let last = taken().expect("it is connected").expect("the lane has come back");
        // A call that is given up takes its lane along, which is freed with the answer.
        client.abandon(last);
        let mut given_up = client.lane_to_keep();
        let sent = drive(|cx| with_message(5, b"", |message| given_up.poll_send(cx, message)));
        assert_eq!(sent, Ok(()));
        drop(given_up);
        assert!(call(&client, b"the last lane").is_ok());
        for ticket in others {
            assert!(client.wait_answer(ticket, &mut Limit::Never, |_| ()).is_ok());
        }
    }
}

/// These answers fill the server's arena several times: those that were set aside, and those of
/// futures that were polled once and never again. Both a blocking call and a future still get
/// theirs.
fn unfetched_answers_block_no_others(way: Way) {
    const LEN: usize = 20_000;
    let name = Name::unguessable().unwrap();
    let _echo = Echo::start(way, &name, 256 << 10);
    for wait in [WaitPolicy::Adaptive, WaitPolicy::Park] {
        let client = connect(way, &name, wait);
        let mut limit = Limit::Within(PATIENCE);
        let mut unfetched: Vec<_> = (0..50)
            .map(|seed| {
                let mut ticket = send(&client, 5, &pattern(LEN, seed));
                if seed % 2 == 0 {
                    client.set_aside(ticket);
                    return (seed, ticket, None);
                }
                let mut cx = Context::from_waker(Waker::noop());
                match client.poll_answer(&mut cx, &mut ticket, &mut limit, |answer| answer) {
                    Poll::Pending => (seed, ticket, None),
                    // Read at once, because an answer that is kept keeps its block.
                    Poll::Ready(answer) => {
                        (seed, ticket, Some(bytes_of(answer.expect("an answer").payload)))
                    }
                }
            })
            .collect();
        let blocking = call(&client, &pattern(LEN, 100)).expect("an answer");
        assert!(bytes_of(blocking.payload) == pattern(LEN, 100));
        let mut ticket = send(&client, 5, &pattern(LEN, 101));
        let polled = drive(|cx| client.poll_answer(cx, &mut ticket, &mut limit, |answer| answer));
        assert!(bytes_of(polled.expect("an answer").payload) == pattern(LEN, 101));
        for (seed, ticket, answer) in &mut unfetched {
            let answer = match answer.take() {
                Some(bytes) => bytes,
                None => {
                    let answer =
                        drive(|cx| client.poll_answer(cx, ticket, &mut limit, |answer| answer));
                    bytes_of(answer.expect("an answer").payload)
                }
            };
            assert!(answer == pattern(LEN, *seed));
        }
    }
}

/// The first segments of answers that are not fetched yet fill the arena, and more answers wait.
/// The answer that is fetched overtakes them.
fn large_answers_are_fetched_one_after_the_other(way: Way) {
    const LEN: usize = 1 << 20;
    let name = Name::unguessable().unwrap();
    let server = bind(way, &name, 256 << 10);
    let client = connect(way, &name, WaitPolicy::Park);
    let tickets: Vec<_> = (0..8).map(|tag| send(&client, tag, b"please")).collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut answered = 0;
            let mut scanner = server.scanner();
            while !done.load(SeqCst) {
                let found = scanner.turn(None, |connection, request| {
                    let answer = pattern(LEN, request.tag as usize);
                    with_message(request.tag, &answer, |answer| {
                        connection.answer(request.ticket, answer)
                    })
                    .expect("no answer is over the limit");
                    answered += 1;
                    ControlFlow::Continue(())
                });
                if !found && !scanner.request_wakeup(None) {
                    server.park(Some(PATIENCE));
                }
            }
            assert_eq!(answered, 8);
        });
        // All have been answered: for each, the line of its answer waits, or its lane waits for
        // space.
        for (seed, ticket) in tickets.into_iter().enumerate() {
            let mut limit = Limit::Within(PATIENCE);
            let answer =
                client.wait_answer(ticket, &mut limit, |answer| answer).expect("an answer");
            assert!(bytes_of(answer.payload) == pattern(LEN, seed));
        }
        done.store(true, SeqCst);
        server.ring();
    });
    server.close();
}

fn a_body_that_panics_costs_neither_lane_nor_space(way: Way) {
    struct Panics(usize);
    impl Fill for Panics {
        fn len(&self) -> usize {
            self.0
        }
        fn write_at(&self, _offset: usize, _out: &mut [u8]) {
            panic!("expected by this test");
        }
    }
    let name = Name::unguessable().unwrap();
    let _echo = Echo::start(way, &name, 256 << 10);
    let client = connect(way, &name, WaitPolicy::Park);
    for len in [100, 50_000] {
        for _ in 0..70 {
            let body = Panics(len);
            let message = Outgoing::new(0, Body::Large(&body));
            let sending = std::panic::AssertUnwindSafe(|| client.try_send(message));
            assert!(std::panic::catch_unwind(sending).is_err());
            let exchanging = std::panic::AssertUnwindSafe(|| client.exchange(&message));
            // What an exchange does not take, it does not look at either.
            let is_taken = len == 100 && !way.keys.encryption;
            assert_eq!(std::panic::catch_unwind(exchanging).is_err(), is_taken);
        }
    }
    let bytes = pattern(50_000, 1);
    let sent = with_message(5, &bytes, |message| client.try_send(message));
    let ticket = sent.expect("connected").expect("a lane and space");
    let mut limit = Limit::Within(PATIENCE);
    assert!(client.wait_answer(ticket, &mut limit, |_| ()).is_ok());
}

fn a_server_that_closes_is_no_crash(way: Way) {
    let name = Name::unguessable().unwrap();
    let echo = Echo::start(way, &name, 1 << 20);
    let client = connect(way, &name, WaitPolicy::Adaptive);
    assert!(call(&client, b"first").is_ok());
    drop(echo);
    let error = drive(|cx| match client.lost() {
        Some(why) => Poll::Ready(why),
        None => {
            cx.waker().wake_by_ref();
            thread::yield_now();
            Poll::Pending
        }
    });
    assert_eq!(error, DisconnectReason::ServerShutDown);
    let refused = with_message(1, b"second", |message| client.try_send(message));
    assert_eq!(refused, Err(ChannelError::Disconnected(DisconnectReason::ServerShutDown)));
}

/// When more than one message of the largest length is held for a client, its long requests wait.
/// When more than four are, all wait, and no thread stays awake for them.
fn requests_that_are_over_their_clients_budget_wait_until_answers_are_fetched(way: Way) {
    const LONG: u32 = 2;
    const SMALL: u32 = 3;
    const LAST: u32 = 7;
    let name = Name::unguessable().unwrap();
    let server = bind(way, &name, 1 << 20);
    let client = connect(way, &name, WaitPolicy::Park);
    let mut tickets = [0, 1, LONG, SMALL, 4, 5, 6, LAST].map(|tag| {
        let request = if tag == LONG { [0; 100].as_slice() } else { b"please" };
        (tag, send(&client, tag, request))
    });
    server.park(None);

    let large = vec![3; MAX_MESSAGE_LEN];
    let len_of = |tag| if [LONG, SMALL, LAST].contains(&tag) { 5 } else { large.len() };
    let mut served = Vec::new();
    let mut scanner = server.scanner();
    let mut turn = |scanner: &mut Scanner<'_>| {
        scanner.turn(None, |connection, request| {
            served.push(request.tag);
            let body = &large[..len_of(request.tag)];
            with_message(request.tag, body, |answer| connection.answer(request.ticket, answer))
                .expect("no answer is over the limit");
            ControlFlow::Continue(())
        })
    };
    assert!(turn(&mut scanner), "the requests within the budget");
    assert!(!turn(&mut scanner), "the others are over it");
    assert!(!scanner.request_wakeup(None), "no thread stays awake for them");

    let fetched = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            // The long request is taken when most answers have been fetched.
            tickets.sort_by_key(|&(tag, _)| tag == LONG);
            for (tag, ticket) in tickets {
                let mut limit = Limit::Within(PATIENCE);
                let answer = client.wait_answer(ticket, &mut limit, |answer| answer);
                let answer = answer.expect("an answer");
                assert_eq!(bytes_of(answer.payload).len(), len_of(tag));
            }
            fetched.store(true, SeqCst);
            server.ring();
        });
        while !fetched.load(SeqCst) {
            if !turn(&mut scanner) && !scanner.request_wakeup(None) {
                server.park(Some(PATIENCE));
            }
        }
    });
    assert_eq!(served[..6], [0, 1, SMALL, 4, 5, 6]);
    served[6..].sort_unstable();
    assert_eq!(served[6..], [LONG, LAST]);
    server.close();
}

/// Serves until `serve` breaks, and answers each request with nothing.
fn turn(scanner: &mut Scanner<'_>, mut serve: impl FnMut(u32) -> ControlFlow<()>) -> bool {
    scanner.turn(None, |connection, request| {
        with_message(0, b"", |answer| connection.answer(request.ticket, answer))
            .expect("it is connected");
        serve(request.tag)
    })
}

/// Both when every call displaces the poller and when none does.
fn no_client_starves_another(way: Way) {
    const BUSY: u32 = 1;
    const QUIET: u32 = 2;
    let name = Name::unguessable().unwrap();
    let server = bind(way, &name, 1 << 20);
    let [busy, quiet] = [(); 2].map(|()| connect(way, &name, WaitPolicy::Park));
    for _ in 0..40 {
        send(&busy, BUSY, b"");
    }
    send(&quiet, QUIET, b"");
    server.park(None);

    // Two threads that take turns as the poller.
    let mut scanners = [server.scanner(), server.scanner()];
    let mut served = Vec::new();
    for scanner in &mut scanners {
        let found = turn(scanner, |tag| {
            served.push(tag);
            ControlFlow::Break(())
        });
        assert!(found);
    }
    served.sort_unstable();
    assert_eq!(served, [BUSY, QUIET]);

    // One poller that stays: it gets to every client, however many calls one client has made.
    send(&quiet, QUIET, b"");
    let mut served = Vec::new();
    let found = turn(&mut scanners[0], |tag| {
        served.push(tag);
        ControlFlow::Continue(())
    });
    assert!(found && served.contains(&QUIET));
    assert!((2..30).contains(&served.len()), "{served:?}");
    server.close();
}

fn a_waker_that_panics_ends_no_other_call(way: Way) {
    struct Panics;
    impl std::task::Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("expected by this test");
        }
    }
    struct Tells(std::sync::mpsc::Sender<()>);
    impl std::task::Wake for Tells {
        fn wake(self: Arc<Self>) {
            let _ = self.0.send(());
        }
    }
    let name = Name::unguessable().unwrap();
    let server = bind(way, &name, 1 << 20);
    let client = connect(way, &name, WaitPolicy::Park);
    let (sender, woken) = std::sync::mpsc::channel();
    let wakers = [Waker::from(Arc::new(Panics)), Waker::from(Arc::new(Tells(sender)))];
    for (tag, waker) in (0..).zip(&wakers) {
        let mut ticket = send(&client, tag, b"");
        let mut limit = Limit::Within(PATIENCE);
        let mut cx = Context::from_waker(waker);
        assert!(client.poll_answer(&mut cx, &mut ticket, &mut limit, |_| ()).is_pending());
    }
    server.park(None);
    assert!(turn(&mut server.scanner(), |_| ControlFlow::Continue(())));
    woken.recv_timeout(PATIENCE).expect("the second is woken too");
    assert_eq!(client.lost(), None);
    server.close();
}

fn a_client_that_leaves_is_reported_once_with_its_session(way: Way) {
    let name = Name::unguessable().unwrap();
    let (tell, told) = mpsc::channel();
    let server = bind_with(way, &name, 1 << 20, Arc::new(Register(tell)));
    let clients = [(); 3].map(|()| connect(way, &name, WaitPolicy::Park));
    let hello = || "hello".to_owned();
    let mut ids: Vec<_> = server.clients().iter().map(|client| client.id()).collect();
    ids.sort_unstable();
    clients[0].disconnect();
    assert_eq!(told.recv(), Ok((ids[0], hello())));
    assert!(server.disconnect(ids[1]));
    assert_eq!(told.recv(), Ok((ids[1], hello())));
    server.close();
    assert_eq!(told.recv(), Ok((ids[2], hello())));
    drop((clients, server));
    assert!(told.recv().is_err(), "each client is reported once");
}
