//! Servers over the portable backend, through the public API.

use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::Duration;

use futures_executor::block_on;
use witrpc::{Backend, CallContext, ConnectError, Mmf, Shared, WitServer, wit_service};

/// A door that calls can wait at.
#[wit_service]
trait Door {
    fn add(&self, a: u64, b: u64) -> u64;
    fn count(&self, words: &[u64]) -> u64;
    fn wait_for_open(&self);
    fn open(&self);
    async fn greet(&self, name: &str) -> String;
    /// The words doubled, if they lie where the client has put them.
    fn double(&self, #[wit(ctx)] cx: &CallContext, words: Shared<[u64]>) -> Shared<[u64]>;
}

#[derive(Default)]
struct House {
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Door for House {
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
}

fn serve(endpoint: &Mmf) -> WitServer {
    let service = DoorServer::new(House::default());
    WitServer::builder().listen(endpoint.clone()).service(service).start().expect("it is free")
}

#[test]
fn what_is_shared_is_not_copied() {
    let endpoint = Mmf::unguessable().backend(Backend::Portable);
    let _server = serve(&endpoint);
    let client = DoorClient::connect(endpoint).expect("it is served");
    for round in 0..30 {
        // Some ten of them would fill the memory.
        let mut words = client.connection().alloc::<u64>(5_000).expect("there is space");
        words.fill(round);
        let doubled = client.double(words.freeze()).expect("it is served");
        assert!(doubled.as_slice().is_none(), "it lies where the server has put it");
        assert_eq!(doubled.to_vec(), [2 * round; 5_000]);
    }
}

#[test]
fn calls_of_every_size_are_answered() {
    let endpoint = Mmf::unguessable().backend(Backend::Portable);
    let _server = serve(&endpoint);
    let client = DoorClient::connect(endpoint.clone()).expect("it is served");
    for round in 0..100 {
        assert_eq!(client.add(round, 1), Ok(round + 1));
    }
    for len in [1, 10, 1_000, 500_000] {
        assert_eq!(client.count(&vec![3; len]), Ok(3 * len as u64));
    }
    let client = block_on(DoorAsyncClient::builder(endpoint).connect()).expect("it is served");
    assert_eq!(block_on(client.greet("you")).as_deref(), Ok("Hello, you"));
    assert_eq!(block_on(client.count(&vec![3; 500_000])), Ok(1_500_000));
}

/// Nobody rings for help here: the server has to see for itself that its poller is stuck.
#[test]
fn stuck_handlers_hold_up_nobody() {
    let endpoint = Mmf::unguessable().backend(Backend::Portable);
    let _server = serve(&endpoint);
    thread::scope(|scope| {
        let waiting: Vec<_> = (0..4)
            .map(|_| {
                let client = DoorClient::connect(endpoint.clone()).expect("it is served");
                scope.spawn(move || client.wait_for_open())
            })
            .collect();
        let client = DoorClient::connect(endpoint.clone()).expect("it is served");
        assert_eq!(client.add(1, 2), Ok(3));
        assert_eq!(client.open(), Ok(()));
        for call in waiting {
            assert_eq!(call.join().expect("no panic"), Ok(()));
        }
    });
}

#[test]
fn a_client_of_the_other_backend_is_told_both() {
    let endpoint = Mmf::unguessable().backend(Backend::Portable);
    let server = serve(&endpoint);
    let refused = DoorClient::connect(Mmf::new(endpoint.name())).expect_err("they differ");
    assert!(matches!(refused, ConnectError::BackendMismatch { .. }), "{refused:?}");
    let text = refused.to_string();
    assert!(text.contains("native") && text.contains("portable"), "{text}");
    assert!(server.handle().shutdown(Duration::from_secs(60)));
}
