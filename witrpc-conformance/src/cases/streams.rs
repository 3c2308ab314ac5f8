//! Streams from the server and uploads to it.

use std::thread;

use futures_executor::{block_on, block_on_stream};
use futures_util::stream;

use crate::MakePlace;
use crate::fixture::{Fixture, eventually, limits, load};
use crate::service::{ProbeAsyncClient, ProbeClient, pattern};

const ITEMS: u64 = 5_000;
const SUM: u64 = ITEMS * (ITEMS - 1) / 2;

/// The items of a stream arrive in their order, and then its end.
pub fn streams_arrive_in_order_to_their_end(make: MakePlace<'_>) {
    let fixture = Fixture::new(make, limits());
    read_all(&fixture.client(), &fixture.later());
}

pub(super) fn read_all(client: &ProbeClient, later: &ProbeAsyncClient) {
    for end in [0, 1, ITEMS] {
        let counted = client.count(end).expect("it opens");
        assert!(counted.map(|item| item.expect("it stands")).eq(0..end));
        let counted = client.count_later(end).expect("it opens");
        assert!(counted.map(|item| item.expect("it stands")).eq(0..end));
        let counted = block_on_stream(block_on(later.count_later(end)).expect("it opens"));
        assert!(counted.map(|item| item.expect("it stands")).eq(0..end));
    }
}

/// A stream that its reader drops ends its method.
pub fn a_dropped_stream_ends_its_method(make: MakePlace<'_>) {
    let fixture = Fixture::new(make, limits());
    let client = fixture.client();
    for _ in 0..3 {
        let mut blocks = client.blocks(1_000).expect("it opens");
        assert!(blocks.next().is_some_and(|block| block == Ok(pattern(1_000))));
        assert_eq!(load(&fixture.notes.making), 1);
        drop(blocks);
        eventually("the method has ended", || load(&fixture.notes.making) == 0);
    }
}

/// A stream without end whose reader stops makes only what the reader may take soon.
pub fn a_reader_that_stops_bounds_what_is_made(make: MakePlace<'_>) {
    const LEN: usize = 256 << 10;
    let fixture = Fixture::new(make, limits());
    let client = fixture.client();
    let mut blocks = client.blocks(LEN as u64).expect("it opens");
    assert!(blocks.next().is_some_and(|block| block == Ok(pattern(LEN))));
    for _ in 0..1_000 {
        assert_eq!(client.echo(vec![1]), Ok(vec![1]));
    }
    let made = load(&fixture.notes.made);
    assert!(made < 200, "{made} blocks were made for a reader that took one");
    assert!(blocks.take(300).all(|block| block == Ok(pattern(LEN))));
}

/// The items of an upload arrive in their order, and the method is answered.
pub fn uploads_arrive_in_order_and_are_answered(make: MakePlace<'_>) {
    let fixture = Fixture::new(make, limits());
    upload_all(&fixture.client(), &fixture.later());
}

pub(super) fn upload_all(client: &ProbeClient, later: &ProbeAsyncClient) {
    assert_eq!(client.sum(0..0), Ok(0));
    assert_eq!(client.sum(0..ITEMS), Ok(SUM));
    assert_eq!(client.sum_later(0..ITEMS), Ok(SUM));
    assert_eq!(block_on(later.sum_later(stream::iter(0..ITEMS))), Ok(SUM));
    let lens = [0, 1, 1_000, 1 << 20, 3];
    let blocks = lens.map(|len| pattern(len as usize));
    assert_eq!(client.lens(blocks.into_iter()), Ok(lens.to_vec()));
}

/// Streams, uploads and calls of several threads share a connection, and none is lost.
pub fn many_streams_and_calls_share_a_connection(make: MakePlace<'_>) {
    let fixture = Fixture::new(make, limits());
    let client = &fixture.client();
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for _ in 0..3 {
            threads.push(scope.spawn(|| {
                let counted = client.count(ITEMS).expect("it opens");
                counted.map(|item| item.expect("it stands")).sum::<u64>() == SUM
            }));
            threads.push(scope.spawn(|| client.sum(0..ITEMS) == Ok(SUM)));
            threads.push(
                scope.spawn(|| (0..200).all(|len| client.echo(pattern(len)) == Ok(pattern(len)))),
            );
        }
        assert!(threads.into_iter().all(|thread| thread.join().expect("no thread panics")));
    });
}
