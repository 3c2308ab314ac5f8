//! Servers over the portable backend, through the public API.

use std::future::Future;
use std::pin::pin;
use std::sync::{Condvar, Mutex};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use futures_executor::block_on;
use witrpc::{
    AllocError, CallContext, ConnectError, Mmf, Shared, SharedMut, WitServer, wit_service,
};
use witrpc_tests::PORTABLE;
use witrpc_tests::watchdog::PATIENCE;

/// Has a door at which calls can wait.
#[wit_service]
trait Portable {
    fn add(&self, a: u64, b: u64) -> u64;
    fn count(&self, words: &[u64]) -> u64;
    fn wait_for_open(&self);
    fn open(&self);
    async fn greet(&self, name: &str) -> String;
    /// Returns the words doubled, if they are where the client has put them.
    fn double(&self, #[wit(ctx)] cx: &CallContext, words: Shared<[u64]>) -> Shared<[u64]>;
    /// Keeps the words.
    fn keep(&self, words: Shared<[u64]>);
    /// Drops what is kept.
    fn forget(&self);
}

#[derive(Default)]
struct House {
    is_open: Mutex<bool>,
    opened: Condvar,
    kept: Mutex<Vec<Shared<[u64]>>>,
}

impl Portable for House {
    fn add(&self, a: u64, b: u64) -> u64 {
        a + b
    }

    fn count(&self, words: &[u64]) -> u64 {
        words.iter().sum()
    }

    fn wait_for_open(&self) {
        let is_open = self.is_open.lock().expect("no panic");
        drop(self.opened.wait_while(is_open, |is_open| !*is_open).expect("no panic"));
    }

    fn open(&self) {
        *self.is_open.lock().expect("no panic") = true;
        self.opened.notify_all();
    }

    async fn greet(&self, name: &str) -> String {
        format!("Hello, {name}")
    }

    fn double(&self, cx: &CallContext, words: Shared<[u64]>) -> Shared<[u64]> {
        if words.as_slice().is_some() {
            return words;
        }
        let mut doubled = cx.alloc(words.len()).expect("there is space");
        doubled.iter_mut().zip(&words).for_each(|(doubled, word)| *doubled = 2 * word);
        doubled.freeze()
    }

    fn keep(&self, words: Shared<[u64]>) {
        self.kept.lock().expect("no panic").push(words);
    }

    fn forget(&self) {
        self.kept.lock().expect("no panic").clear();
    }
}

fn serve(endpoint: &Mmf) -> WitServer {
    let service = PortableServer::new(House::default());
    WitServer::builder().listen(endpoint.clone()).service(service).start().expect("it is free")
}

#[test]
fn what_is_shared_is_not_copied() {
    let endpoint = Mmf::unguessable().backend(PORTABLE);
    let _server = serve(&endpoint);
    let client = PortableClient::connect(endpoint).expect("it is served");
    for round in 0..30 {
        // About ten of them would fill the memory.
        let mut words = client.connection().alloc::<u64>(5_000).expect("there is space");
        words.fill(round);
        let doubled = client.double(words.freeze()).expect("it is served");
        assert!(doubled.as_slice().is_none(), "it lies where the server has put it");
        assert_eq!(doubled.to_vec(), [2 * round; 5_000]);
    }
}

/// The server cannot ring here, so the client has to poll.
#[test]
fn space_is_waited_for_until_it_comes_back() {
    let endpoint = Mmf::unguessable().backend(PORTABLE);
    let _server = serve(&endpoint);
    let client = PortableClient::builder(endpoint.clone()).call_timeout(PATIENCE);
    let client = client.connect().expect("it is served");
    let other = PortableClient::connect(endpoint).expect("it is served");
    let connection = client.connection();
    let all = match connection.try_alloc::<u64>(usize::MAX) {
        Err(AllocError::TooLarge { max, .. }) => max / size_of::<u64>(),
        found => panic!("{found:?}"),
    };
    let len = |space: Result<SharedMut<[u64]>, AllocError>| space.map(|space| space.len());
    for _ in 0..5 {
        let words = connection.alloc::<u64>(all).expect("nothing is out");
        client.keep(words.freeze()).expect("it is served");
        let mut task = pin!(connection.alloc_async::<u64>(all));
        assert!(task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        thread::scope(|scope| {
            let thread = scope.spawn(|| len(connection.alloc::<u64>(1)));
            other.forget().expect("it is served");
            assert_eq!(len(block_on(task)), Ok(all));
            assert_eq!(thread.join().expect("no panic"), Ok(1));
        });
    }
}

#[test]
fn calls_of_every_size_are_answered() {
    let endpoint = Mmf::unguessable().backend(PORTABLE);
    let _server = serve(&endpoint);
    let client = PortableClient::connect(endpoint.clone()).expect("it is served");
    for round in 0..100 {
        assert_eq!(client.add(round, 1), Ok(round + 1));
    }
    for len in [1, 10, 1_000, 500_000] {
        assert_eq!(client.count(&vec![3; len]), Ok(3 * len as u64));
    }
    let client = block_on(PortableAsyncClient::builder(endpoint).connect()).expect("it is served");
    assert_eq!(block_on(client.greet("you")).as_deref(), Ok("Hello, you"));
    assert_eq!(block_on(client.count(&vec![3; 500_000])), Ok(1_500_000));
}

/// A stalled caller cannot ring here, so the server itself has to notice that its poller is stuck.
#[test]
fn stuck_handlers_delay_no_other_call() {
    let endpoint = Mmf::unguessable().backend(PORTABLE);
    let _server = serve(&endpoint);
    thread::scope(|scope| {
        let waiting: Vec<_> = (0..4)
            .map(|_| {
                let client = PortableClient::connect(endpoint.clone()).expect("it is served");
                scope.spawn(move || client.wait_for_open())
            })
            .collect();
        let client = PortableClient::connect(endpoint.clone()).expect("it is served");
        assert_eq!(client.add(1, 2), Ok(3));
        assert_eq!(client.open(), Ok(()));
        for call in waiting {
            assert_eq!(call.join().expect("no panic"), Ok(()));
        }
    });
}

#[test]
fn a_client_of_the_other_backend_is_told_both() {
    let endpoint = Mmf::unguessable().backend(PORTABLE);
    let server = serve(&endpoint);
    let refused = PortableClient::connect(Mmf::new(endpoint.name())).expect_err("they differ");
    assert!(matches!(refused, ConnectError::BackendMismatch { .. }), "{refused:?}");
    let text = refused.to_string();
    assert!(text.contains("native") && text.contains("portable"), "{text}");
    assert!(server.handle().shutdown(Duration::from_secs(60)));
}
