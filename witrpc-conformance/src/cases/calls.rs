//! Calls, their errors, and the limits of messages.

use std::thread;

use futures_executor::block_on;
use futures_util::future::join_all;
use witrpc::{CallError, Direction};

use crate::MakePlace;
use crate::fixture::{Fixture, limits};
use crate::service::{ProbeAsyncClient, ProbeClient, pattern};

/// The lengths at which transports change their ways.
const LENS: [usize; 10] = [0, 1, 40, 47, 48, 49, 1_000, 65_536, 1 << 20, 5 << 20];

/// Bytes of every length come back as they were, to blocking and to async callers.
pub fn calls_of_every_size_return_what_they_were_given(make: MakePlace<'_>) {
    let fixture = Fixture::new(make, limits());
    echo_all(&fixture.client(), &fixture.later());
}

pub(super) fn echo_all(client: &ProbeClient, later: &ProbeAsyncClient) {
    for len in LENS {
        let bytes = pattern(len);
        assert!(client.echo(bytes.clone()).as_ref() == Ok(&bytes), "{len} bytes");
        assert!(client.echo_later(bytes.clone()).as_ref() == Ok(&bytes), "{len} bytes");
        assert!(block_on(later.echo_later(bytes.clone())) == Ok(bytes), "{len} bytes");
    }
}

/// The error of a method and the panic of a handler reach their caller. The next call goes on.
pub fn errors_and_panics_reach_their_caller_and_the_connection_stands(make: MakePlace<'_>) {
    let fixture = Fixture::new(make, limits());
    let client = fixture.client();
    assert_eq!(client.fail("no".to_owned()), Err(CallError::App("no".to_owned())));
    let panicked = client.panic("oh".to_owned());
    assert!(matches!(&panicked, Err(CallError::Panicked { message }) if message == "oh"));
    let later = fixture.later();
    assert_eq!(block_on(later.fail("no".to_owned())), Err(CallError::App("no".to_owned())));
    assert_eq!(client.echo(vec![1]), Ok(vec![1]));
}

/// Shared bytes arrive as they were, whether the transport lends them or copies them.
pub fn shared_bytes_arrive_as_they_were(make: MakePlace<'_>) {
    let fixture = Fixture::new(make, limits());
    let client = fixture.client();
    for len in [1, 100, 100_000] {
        let mut bytes = client.connection().alloc::<u8>(len).expect("there is memory");
        bytes.copy_from_slice(&pattern(len));
        let reversed = client.reverse(bytes.freeze()).expect("it is answered");
        let expected: Vec<u8> = pattern(len).into_iter().rev().collect();
        assert!(reversed.to_vec() == expected, "{len} bytes");
    }
}

/// Threads call over one connection. Their calls are in flight together.
pub fn threads_share_a_connection_and_their_calls_run_at_once(make: MakePlace<'_>) {
    let fixture = Fixture::new(make, limits());
    let client = &fixture.client();
    thread::scope(|scope| {
        let meeting = [(); 3].map(|()| scope.spawn(|| client.meet(3)));
        for met in meeting {
            assert_eq!(met.join().expect("no caller panics"), Ok(3));
        }
        let callers: Vec<_> = (0..8_usize)
            .map(|number| {
                scope.spawn(move || {
                    (0..100).all(|call| {
                        let bytes = pattern(number * 100 + call);
                        client.echo(bytes.clone()) == Ok(bytes)
                    })
                })
            })
            .collect();
        assert!(callers.into_iter().all(|caller| caller.join().expect("no caller panics")));
    });
}

/// Calls that outnumber the lanes wait, and all are answered.
pub fn calls_beyond_the_lanes_wait_for_their_turn(make: MakePlace<'_>) {
    let fixture = Fixture::new(make, limits().with_lanes(2));
    let (client, later) = (fixture.client(), fixture.later());
    let calls = (0..100).map(|len| later.echo_later(pattern(len)));
    let answers = block_on(join_all(calls));
    assert!(answers.into_iter().eq((0..100).map(|len| Ok(pattern(len)))));
    thread::scope(|scope| {
        let callers = [(); 8].map(|()| {
            scope.spawn(|| (0..50).all(|len| client.echo(pattern(len)) == Ok(pattern(len))))
        });
        assert!(callers.into_iter().all(|caller| caller.join().expect("no caller panics")));
    });
}

/// A message over the limit is refused where it is made, and the connection stands.
pub fn messages_over_the_limit_are_refused_and_the_connection_stands(make: MakePlace<'_>) {
    const MAX: usize = 100_000;
    let fixture = Fixture::new(make, limits().with_max_message_size(MAX));
    let client = fixture.client();
    let most = pattern(MAX - 100);
    assert!(client.echo(most.clone()) == Ok(most));
    let error = client.echo(pattern(MAX + 1)).unwrap_err();
    let expected = Direction::Request;
    assert!(
        matches!(error, CallError::TooLarge { direction, max: MAX, .. } if direction == expected),
        "{error}"
    );
    assert!(!error.maybe_executed());
    let error = client.bytes(MAX as u64 + 1).unwrap_err();
    let expected = Direction::Answer;
    assert!(
        matches!(error, CallError::TooLarge { direction, max: MAX, .. } if direction == expected),
        "{error}"
    );
    assert_eq!(client.echo(vec![1]), Ok(vec![1]));
}
