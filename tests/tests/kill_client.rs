//! Clients that are killed in the middle of calls. It is alone in its process, which counts its
//! resources.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use witrpc_tests::fixture::{Fixture, Transport};
use witrpc_tests::process::Child;
use witrpc_tests::random_calls::Pair;
use witrpc_tests::resources::eventually_no_more;
use witrpc_tests::roles::Role;
use witrpc_tests::watchdog::eventually;

const KILLED: u64 = 200;

#[test]
fn killed_clients_do_no_harm_and_leave_nothing_behind() {
    let fixture = Fixture::new(Transport::Mmf);
    let bystander = Pair { blocking: fixture.client(), later: fixture.async_client() };
    let quick_calls = AtomicU64::new(0);
    let is_over = AtomicBool::new(false);
    let mut rng = Rng::with_seed(42);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut rng = Rng::with_seed(1);
            while !is_over.load(Ordering::Relaxed) {
                bystander.errand(&mut rng, 20_000).expect("a bystander is not concerned");
                quick_calls.fetch_add(1, Ordering::Relaxed);
            }
        });
        let _over = Over(&is_over);
        let held = || bystander.blocking.resources().unwrap();
        // Only the observers are connected, and none has left yet.
        let before = held();
        kill_some(&fixture, &mut rng, KILLED);
        eventually("the killed ones are gone", || fixture.clients().len() == 2);
        eventually_no_more("the server's process", before, held);
        eventually("the bystander is served all along", || {
            quick_calls.load(Ordering::Relaxed) > KILLED
        });
    });
    assert_eq!(fixture.client().add(1, 2), Ok(3));
}

/// Starts clients one after the other, two at a time, and kills each at a random moment of its
/// calls.
fn kill_some(fixture: &Fixture, rng: &mut Rng, clients: u64) {
    let start = |seed| {
        let client = Child::start(&Role::Call {
            address: fixture.address().clone(),
            seed,
            calls: None,
            most: 600_000,
            spin: false,
        });
        // The next client is served: it has been answered.
        let _number: u64 = client.hear();
        client
    };
    let mut last = None;
    for seed in 0..clients {
        let client = start(seed);
        // This waits for nothing; it chooses the moment.
        thread::sleep(Duration::from_micros(rng.u64(..4_000)));
        if let Some(last) = last.replace(client) {
            last.kill();
        }
    }
    last.into_iter().for_each(Child::kill);
}

/// Ends the bystander, also when an assertion fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
