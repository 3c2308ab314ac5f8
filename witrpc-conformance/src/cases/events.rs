//! Events.

use futures_executor::{block_on, block_on_stream};

use crate::MakePlace;
use crate::fixture::{Fixture, limits};
use crate::service::{ProbeAsyncClient, ProbeClient, pattern};

/// Every subscriber gets every event, in the order in which the server emitted them.
pub fn events_reach_every_subscriber_in_order(make: MakePlace<'_>) {
    let fixture = Fixture::new(make, limits());
    emit_all(&fixture.client(), &fixture.later());
}

pub(super) fn emit_all(client: &ProbeClient, later: &ProbeAsyncClient) {
    let mut events = client.emitted().expect("it subscribes");
    let mut others = block_on_stream(block_on(later.emitted()).expect("it subscribes"));
    client.emit(200, 5).expect("it is answered");
    for number in 0..200 {
        for event in [events.next(), others.next()] {
            let event = event.expect("the connection stands").expect("none is lost");
            assert_eq!((event.number, event.bytes), (number, pattern(5)));
        }
    }
}

/// Long events arrive whole, while the same connection makes calls.
pub fn events_of_any_size_arrive_between_calls(make: MakePlace<'_>) {
    let fixture = Fixture::new(make, limits());
    let client = fixture.client();
    let mut events = client.emitted().expect("it subscribes");
    for len in [0, 100, 100_000] {
        client.emit(3, len).expect("it is answered");
        for number in 0..3 {
            assert_eq!(client.echo(vec![1]), Ok(vec![1]));
            let event = events.next().expect("the connection stands").expect("none is lost");
            assert!(event.number == number && event.bytes == pattern(len as usize));
        }
    }
}
