//! The roles of clients that follow events.

use std::thread;

use witrpc::{CallError, EventError, Events};

use crate::event_service::{EventServiceClient, EventServiceTicked};
use crate::fixture::Address;
use crate::process::Parent;

/// The counts of a follower: how many events it got, and how many losses were reported to it.
pub type Count = (u64, u64);

/// Takes events with the numbers from zero to the end, and checks that each one arrives or is
/// counted as lost.
///
/// # Panics
///
/// When an event is missing without being counted, comes twice, or comes out of order.
pub fn count<T>(
    events: impl Iterator<Item = Result<T, EventError>>,
    end: u64,
    number: impl Fn(T) -> u64,
) -> Count {
    let (mut seen, mut lost) = (0, 0);
    for event in events {
        match event {
            Ok(event) => {
                assert_eq!(number(event), seen + lost, "{seen} came, {lost} were lost");
                seen += 1;
            }
            Err(EventError::Lagged(events)) => lost += events,
            Err(other) => panic!("{other}"),
        }
        if seen + lost >= end {
            break;
        }
    }
    assert_eq!(seen + lost, end, "{seen} came, {lost} were lost");
    (seen, lost)
}

/// See [`Role::Follow`](super::Role::Follow). Reports that it has subscribed. After it has been
/// told how many events of each kind there are, it reports its counts of ticks, beats and knocks.
pub(super) fn follow(parent: &Parent, address: &Address) {
    let client = EventServiceClient::connect(address.endpoint()).expect("the client connects");
    let (ticked, beaten, knocked) = subscribe(&client).expect("the client subscribes");
    parent.report(&());
    let end: u64 = parent.hear();
    let counts = thread::scope(|scope| {
        let ticks = scope.spawn(|| count(ticked, end, EventServiceTicked::checked));
        let beats = scope.spawn(|| count(beaten, end, |beat| beat.number));
        let knocks = scope.spawn(|| count(knocked, end, |knock| knock.number));
        [ticks, beats, knocks].map(|counted| counted.join().expect("events are right"))
    });
    parent.report(&counts);
    parent.outlive();
}

type Subscriptions = (
    Events<EventServiceTicked>,
    Events<crate::event_service::EventServiceBeaten>,
    Events<crate::event_service::EventServiceKnocked>,
);

fn subscribe(client: &EventServiceClient) -> Result<Subscriptions, CallError> {
    Ok((client.ticked()?, client.beaten()?, client.knocked()?))
}
