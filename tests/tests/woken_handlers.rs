//! A handler that has waited may block its thread when it is woken, and delays no other client.

use std::future::poll_fn;
use std::sync::{Mutex, mpsc};
use std::task::{Poll, Waker};
use std::thread;

use witrpc::{Endpoint, InProcess, Mmf, WitServer, wit_service};
use witrpc_tests::fixture::Transport;
use witrpc_tests::over_both_transports;
use witrpc_tests::watchdog::{PATIENCE, Watchdog};

#[wit_service]
trait Blocks {
    /// Waits until it is woken, and then blocks its thread until the test lets it go on.
    async fn block(&self);
    fn ping(&self) -> bool;
}

struct Blocker {
    wakers: mpsc::Sender<Waker>,
    gate: Mutex<mpsc::Receiver<()>>,
}

impl Blocks for Blocker {
    async fn block(&self) {
        let mut has_waited = false;
        poll_fn(|cx| {
            if has_waited {
                return Poll::Ready(());
            }
            has_waited = true;
            self.wakers.send(cx.waker().clone()).unwrap();
            Poll::Pending
        })
        .await;
        let _ = self.gate.lock().unwrap().recv();
    }

    fn ping(&self) -> bool {
        true
    }
}

over_both_transports! {
    fn a_handler_that_blocks_after_it_was_woken_delays_no_other_client(transport) {
        let _watchdog = Watchdog::new(PATIENCE);
        for _ in 0..20 {
            let place: Endpoint = match transport {
                Transport::InProcess => InProcess::new().into(),
                _ => Mmf::unguessable().into(),
            };
            let (wakers, gate) = (mpsc::channel(), mpsc::channel());
            let blocker = Blocker { wakers: wakers.0, gate: Mutex::new(gate.1) };
            let builder = WitServer::builder().listen(place.clone());
            let server = builder.service(BlocksServer::new(blocker)).start().unwrap();
            let client = BlocksClient::connect(place.clone()).unwrap();
            let other = BlocksClient::builder(place).call_timeout(None).connect().unwrap();
            let blocked = thread::spawn(move || client.block());
            wakers.1.recv().unwrap().wake();
            for _ in 0..20 {
                assert_eq!(other.ping(), Ok(true));
            }
            drop(gate.0);
            assert_eq!(blocked.join().unwrap(), Ok(()));
            assert!(server.shutdown(PATIENCE));
        }
    }
}
