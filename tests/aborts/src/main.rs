//! A program that is built with `panic = "abort"`, where no method can be left by unwinding:
//! `cargo run --profile aborting -p witrpc-tests-aborts`. It ends with 0 if all is as it should be.

#![forbid(unsafe_code)]

use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use futures_executor::block_on;
use futures_util::{StreamExt, stream};
use witrpc::{BindError, Endpoint, InProcess, Mmf, Stream, WitServer, wit_service};

/// How long the program waits for anything before it aborts.
const PATIENCE: Duration = Duration::from_secs(300);

/// A method that could only be left by unwinding, when its client goes before the last item.
#[wit_service]
trait Iterated {
    fn sum(&self, numbers: impl Iterator<Item = u64>) -> u64;
}

/// One whose future is dropped then.
#[wit_service]
trait Streamed {
    async fn sum(&self, numbers: impl Stream<Item = u64>) -> u64;
}

/// What a method sees of its upload.
#[derive(Debug, PartialEq)]
enum Seen {
    Item(u64),
    End,
    /// Its future has been dropped.
    Dropped,
}

struct Sum(Mutex<Sender<Seen>>);

impl Sum {
    fn see(&self, seen: Seen) {
        self.0.lock().expect("no thread panics with it").send(seen).expect("the program listens");
    }
}

/// Says that a future has been dropped.
struct Drops<'a>(&'a Sum);

impl Drop for Drops<'_> {
    fn drop(&mut self) {
        self.0.see(Seen::Dropped);
    }
}

impl Iterated for Sum {
    fn sum(&self, numbers: impl Iterator<Item = u64>) -> u64 {
        numbers.sum()
    }
}

impl Streamed for Sum {
    async fn sum(&self, numbers: impl Stream<Item = u64>) -> u64 {
        let _drops = Drops(self);
        let mut numbers = std::pin::pin!(numbers);
        let mut sum = 0;
        while let Some(number) = numbers.next().await {
            self.see(Seen::Item(number));
            sum += number;
        }
        self.see(Seen::End);
        sum
    }
}

fn summing() -> (Sum, Receiver<Seen>) {
    let (sender, seen) = mpsc::channel();
    (Sum(Mutex::new(sender)), seen)
}

fn expect(seen: &Receiver<Seen>, expected: impl IntoIterator<Item = Seen>) {
    for expected in expected {
        assert_eq!(seen.recv_timeout(PATIENCE), Ok(expected));
    }
}

fn a_method_that_takes_an_iterator_is_refused(endpoint: &Endpoint) {
    let service = IteratedServer::new(summing().0);
    let refused = WitServer::builder().listen(endpoint.clone()).service(service).start();
    let error = refused.map(drop).expect_err("it could take a part for the whole");
    let is_named =
        matches!(error, BindError::NeedsUnwinding { service: "Iterated", method: "sum" });
    assert!(is_named, "{error:?}");
}

/// Both when the connection ends and when the caller gives the call up.
fn an_upload_that_is_cut_off_does_not_look_whole(endpoint: &Endpoint) {
    let (sum, seen) = summing();
    let server = WitServer::builder().listen(endpoint.clone()).service(StreamedServer::new(sum));
    let server = server.start().expect("it needs no unwinding");
    let connect = || block_on(StreamedAsyncClient::connect(endpoint.clone())).expect("it serves");
    let whole = || (0..3).map(Seen::Item);
    assert_eq!(block_on(connect().sum(stream::iter(0..3))), Ok(3));
    expect(&seen, whole().chain([Seen::End, Seen::Dropped]));

    let client = connect();
    let caller = client.clone();
    let call = thread::spawn(move || {
        let endless = stream::iter(0..3).chain(stream::pending());
        block_on(caller.sum(endless))
    });
    expect(&seen, whole());
    client.connection().disconnect();
    expect(&seen, [Seen::Dropped]);
    call.join().expect("it does not panic").expect_err("its connection has ended");

    let client = connect();
    let (gives_up, is_given_up) = futures_util::future::abortable(async {
        client.sum(stream::iter(0..3).chain(stream::pending())).await
    });
    thread::scope(|scope| {
        let call = scope.spawn(|| block_on(gives_up));
        expect(&seen, whole());
        is_given_up.abort();
        assert!(call.join().expect("it does not panic").is_err(), "it was given up");
    });
    expect(&seen, [Seen::Dropped]);
    assert!(server.shutdown(PATIENCE));
}

fn main() {
    if cfg!(panic = "unwind") {
        panic!("build it with --profile aborting");
    }
    for endpoint in [InProcess::new().into(), Mmf::unguessable().into()] {
        a_method_that_takes_an_iterator_is_refused(&endpoint);
        an_upload_that_is_cut_off_does_not_look_whole(&endpoint);
    }
}
