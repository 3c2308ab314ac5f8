//! Methods with an upload from a slow client: no other client waits for it.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc;
use std::task::Poll;
use std::thread;

use futures_executor::block_on;
use futures_util::{FutureExt, stream};
use witrpc_tests::fixture::{Fixture, FixtureConfig, Transport};
use witrpc_tests::over_both_transports;
use witrpc_tests::streams::{StreamsAsyncClient, StreamsClient};

/// More than there are threads for the uploads of one client.
const UPLOADS: u64 = 12;

fn streams(fixture: &Fixture) -> StreamsClient {
    // A long upload may take long.
    let builder = StreamsClient::builder(fixture.endpoint()).call_timeout(None);
    builder.connect().expect("the client connects")
}

fn fixture(transport: Transport) -> Fixture {
    Fixture::with(
        transport,
        FixtureConfig { streams: true, max_workers: Some(1), ..FixtureConfig::default() },
    )
}

over_both_transports! {
    fn methods_that_wait_for_their_client_delay_no_other_call(transport) {
        let fixture = fixture(transport);
        let (client, other) = (streams(&fixture), streams(&fixture));
        thread::scope(|scope| {
            let feed = |_| {
                let (sender, items) = mpsc::channel();
                sender.send(100).expect("it is fed");
                let client = &client;
                (sender, scope.spawn(move || client.sum(items.into_iter())))
            };
            let uploads: Vec<_> = (0..UPLOADS).map(feed).collect();
            // The only worker is free, also when clients that upload alternate with others that
            // call.
            for number in 0..100 {
                uploads.iter().for_each(|(sender, _)| sender.send(number).expect("it is fed"));
                assert_eq!(other.running(), Ok(0));
            }
            // The methods without a thread wait until others have ended.
            let (senders, sums): (Vec<_>, Vec<_>) = uploads.into_iter().unzip();
            drop(senders);
            for sum in sums {
                assert_eq!(sum.join().expect("no panic"), Ok(100 + 4950));
            }
        });
    }

    fn a_call_that_is_given_up_while_it_is_fed_gives_its_lane_back(transport) {
        let fixture = Fixture::with(transport, FixtureConfig { streams: true, lanes: Some(4), ..FixtureConfig::default() });
        let builder = StreamsAsyncClient::builder(fixture.endpoint()).call_timeout(None);
        let client = block_on(builder.connect()).expect("the client connects");
        for _ in 0..10 {
            let is_fed = AtomicBool::new(false);
            let items = stream::poll_fn(|_| {
                is_fed.store(true, SeqCst);
                Poll::<Option<u64>>::Pending
            });
            let mut call = Box::pin(client.follow_later(items));
            // From then on it requests its answer.
            while !is_fed.load(SeqCst) {
                assert_eq!(call.as_mut().now_or_never(), None);
                thread::yield_now();
            }
            assert_eq!(call.as_mut().now_or_never(), None);
            drop(call);
            assert_eq!(block_on(client.fed()).map(|fed| fed.whole), Ok(0));
        }
    }

    fn a_client_that_goes_frees_what_waited_for_it(transport) {
        let fixture = fixture(transport);
        let (client, other) = (streams(&fixture), streams(&fixture));
        thread::scope(|scope| {
            let feed = |_| {
                let (sender, items) = mpsc::channel::<u64>();
                let client = &client;
                (sender, scope.spawn(move || client.sum(items.into_iter())))
            };
            let uploads: Vec<_> = (0..UPLOADS).map(feed).collect();
            uploads.iter().for_each(|(sender, _)| sender.send(1).expect("it is fed"));
            // All for which there are threads have begun; the last call shows that the rest waits.
            assert_eq!(other.running(), Ok(0));
            client.connection().disconnect();
            for (sender, sum) in uploads {
                drop(sender);
                sum.join().expect("no panic").expect_err("its client has gone");
            }
        });
        // The methods that had begun are broken off, the others never began, and there is room
        // again.
        assert_eq!(other.fed().map(|fed| fed.whole), Ok(0));
        assert_eq!(other.sum(1..=4), Ok(10));
    }
}
