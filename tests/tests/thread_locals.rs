//! A shutdown keeps its time limit although destructors of thread-locals, which are code of users,
//! run on the server's threads when these end.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use witrpc::{Endpoint, InProcess, Mmf, WitServer, wit_service};
use witrpc_tests::fixture::{Address, Transport};
use witrpc_tests::over_both_transports;
use witrpc_tests::process::Child;
use witrpc_tests::restriction::Restriction;
use witrpc_tests::roles::Role;
use witrpc_tests::watchdog::{PATIENCE, Watchdog};

/// A time limit that passes before the test opens the gate.
const SHORT: Duration = Duration::from_millis(1);

#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar, AtomicBool)>);

impl Gate {
    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let is_open = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(is_open, |is_open| !*is_open).unwrap());
    }
}

/// Waits at its gate when its thread ends.
struct Local(Gate);

impl Drop for Local {
    fn drop(&mut self) {
        self.0.pass();
        self.0.0.2.store(true, SeqCst);
    }
}

thread_local!(static LOCAL: RefCell<Option<Local>> = const { RefCell::new(None) });

#[wit_service]
trait Host {
    fn leave_local(&self);
}

impl Host for Gate {
    fn leave_local(&self) {
        LOCAL.set(Some(Local(self.clone())));
    }
}

over_both_transports! {
    fn a_shutdown_waits_for_no_destructor_of_a_thread_local(transport) {
        let _watchdog = Watchdog::new(PATIENCE);
        let place: Endpoint = match transport {
            Transport::InProcess => InProcess::new().into(),
            _ => Mmf::unguessable().into(),
        };
        let gate = Gate::default();
        let service = HostServer::new(gate.clone());
        let server = WitServer::builder().listen(place.clone()).service(service).start().unwrap();
        HostClient::connect(place).unwrap().leave_local().unwrap();
        assert!(!server.shutdown(SHORT));
        assert!(!server.shutdown(SHORT), "again");
        assert!(!gate.0.2.load(SeqCst));
        gate.open();
        // The first shutdown has returned whether all calls were answered; this one waits for the
        // threads.
        let _ = server.shutdown(PATIENCE);
        assert!(gate.0.2.load(SeqCst), "the destructor has ended");
    }
}

#[test]
fn a_shutdown_ends_where_a_sandbox_hides_whether_a_thread_is_there() {
    for address in [Address::unguessable(), Address::InProcess { name: "here".to_owned() }] {
        let role = Box::new(Role::ShutDown { address });
        let child = Child::start(&Role::Restricted { by: Restriction::Priorities, role });
        assert!(child.hear::<bool>(), "all threads have ended");
    }
}
