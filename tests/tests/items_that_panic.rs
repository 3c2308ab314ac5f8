//! What a client that is gone leaves behind is dropped, and a panic of that drop affects no other
//! client.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;

use serde::{Deserialize, Serialize};
use witrpc::{Mmf, WitServer, wit_service};
use witrpc_tests::watchdog::{PATIENCE, Watchdog, eventually};

/// How many methods with uploads of one client have a thread.
const FED_THREADS: u64 = 8;

/// How many items have panicked on threads of the server.
static PANICKED: AtomicU64 = AtomicU64::new(0);

/// Longer than all that else arrives at the server.
#[derive(Serialize, Deserialize)]
struct Item(Vec<u8>);

impl Drop for Item {
    fn drop(&mut self) {
        if thread::current().name().is_some_and(|name| name.starts_with("witrpc-")) {
            PANICKED.fetch_add(1, SeqCst);
            panic!("an item panics where it is dropped");
        }
    }
}

#[wit_service]
trait Holder {
    /// Takes no item until it is released.
    fn hold(&self, items: impl Iterator<Item = Item>) -> u64;
    fn ping(&self) -> bool;
}

#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<(u64, bool)>, Condvar)>);

impl Holder for Gate {
    fn hold(&self, items: impl Iterator<Item = Item>) -> u64 {
        let mut state = self.0.0.lock().unwrap();
        state.0 += 1;
        drop(self.0.1.wait_while(state, |state| !state.1).unwrap());
        items.count() as u64
    }

    fn ping(&self) -> bool {
        true
    }
}

#[test]
fn an_item_that_panics_as_its_client_goes_keeps_the_server_from_no_other() {
    let _watchdog = Watchdog::new(PATIENCE);
    let (place, gate) = (Mmf::unguessable(), Gate::default());
    let server = WitServer::builder()
        .listen(place.clone())
        .service(HolderServer::new(gate.clone()))
        .max_workers(64)
        .start()
        .unwrap();
    let stays = HolderClient::connect(place.clone()).unwrap();
    let goes = HolderClient::builder(place.clone()).call_timeout(None).connect().unwrap();
    let (ends, mut uploads) = (mpsc::channel::<()>(), Vec::new());
    let ended = Arc::new(Mutex::new(ends.1));
    let mut upload = |items: u64| {
        let (goes, ended) = (goes.clone(), Arc::clone(&ended));
        let pause =
            std::iter::from_fn(move || ended.lock().unwrap().recv().ok().map(|()| Item(vec![])));
        let items = (0..items).map(|_| Item(vec![0; 10_000])).chain(pause);
        uploads.push(thread::spawn(move || goes.hold(items)));
    };
    // What the methods with a thread have not taken stays theirs, so these get no items.
    (0..FED_THREADS).for_each(|_| upload(0));
    eventually("all threads are taken", || gate.0.0.lock().unwrap().0 == FED_THREADS);
    upload(8);
    // At least one of 10,000 bytes.
    eventually("an item has come", || server.metrics().bytes_in > 10_000);
    goes.connection().disconnect();
    eventually("the client has gone", || server.clients().len() == 1);
    eventually("an item has panicked", || PANICKED.load(SeqCst) > 0);
    assert_eq!(stays.ping(), Ok(true));
    let comes = HolderClient::connect(place).expect("the server lets clients in");
    assert_eq!(comes.ping(), Ok(true));
    drop(ends.0);
    gate.0.0.lock().unwrap().1 = true;
    gate.0.1.notify_all();
    for upload in uploads {
        assert!(upload.join().unwrap().is_err(), "its client has gone");
    }
    assert!(server.shutdown(PATIENCE));
}
