//! Peers that have come in, and then write what they like into all that they may write: first every
//! control word with every edge value, then anything anywhere. Whoever else is there notices
//! nothing: no wrong answer, no error.
//!
//! For three seconds each, or as many as the environment variable `WITRPC_SCRIBBLE_SECS` says. What
//! is random follows from the seed that is printed, or from `WITRPC_SCRIBBLE_SEED`.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use witrpc::CallError;
use witrpc_tests::errands::errand;
use witrpc_tests::process::Child;
use witrpc_tests::roles::Role;
use witrpc_tests::scribbler::Scribble;
use witrpc_tests::site::{Address, Plan, Site, Transport};
use witrpc_tests::watchdog::{PATIENCE, Watchdog, eventually_equal};
use witrpc_tests::workshop::{WorkshopClient, bytes_of};

/// So few that the words of all lanes stand at the start of a region.
const LANES: u32 = 4;
const SIZE: usize = 48 << 10;

/// The words in front of the arena that anybody reads: state, wishes, lines, and some of the release
/// table.
const WORDS: u64 = 128;

fn number(variable: &str) -> Option<u64> {
    let number = std::env::var(variable).ok()?;
    Some(number.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

fn time() -> Duration {
    Duration::from_secs(number("WITRPC_SCRIBBLE_SECS").unwrap_or(3))
}

fn seed() -> u64 {
    let seed = number("WITRPC_SCRIBBLE_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("WITRPC_SCRIBBLE_SEED={seed}");
    seed
}

fn plan() -> Plan {
    Plan {
        lanes: Some(LANES),
        size: Some(SIZE),
        max_message_size: Some(1 << 18),
        ..Plan::default()
    }
}

/// Runs `body` while another thread makes calls of all kinds, each of which must be answered rightly.
fn while_served(site: &Site, seed: u64, body: impl FnOnce()) {
    let client = site.client();
    let over = AtomicBool::new(false);
    let calls = AtomicU64::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut rng = Rng::with_seed(seed);
            while !over.load(SeqCst) {
                errand(&client, &mut rng, 1 << 17).expect("the honest are served");
                calls.fetch_add(1, SeqCst);
            }
        });
        // Also when it panics.
        struct Over<'a>(&'a AtomicBool);
        impl Drop for Over<'_> {
            fn drop(&mut self) {
                self.0.store(true, SeqCst);
            }
        }
        let _over = Over(&over);
        body();
        // It is served to the end.
        let before = calls.load(SeqCst);
        let began = Instant::now();
        while calls.load(SeqCst) == before {
            assert!(began.elapsed() < PATIENCE, "the honest client waits in vain");
            thread::yield_now();
        }
    });
}

#[test]
fn a_client_that_writes_what_it_likes_harms_nobody_else() {
    let _watchdog = Watchdog::new(time() + 5 * PATIENCE);
    let seed = seed();
    let site = Site::with(Transport::Mmf, plan());
    while_served(&site, seed, || {
        let role = Role::Scribble { address: site.address().clone(), seed, words: WORDS };
        let mut vandal = Child::start(&role);
        let chosen: u64 = vandal.hear();
        assert_eq!(chosen, Scribble::chosen(WORDS).count() as u64);
        thread::sleep(time());
        let random: u64 = vandal.ask(&());
        assert!(random > 0);
        println!("{chosen} chosen writes, {random} random ones");
        vandal.kill();
    });
    eventually_equal("how many clients are left", &0, || site.clients().len());
}

#[test]
fn a_server_that_writes_what_it_likes_harms_only_calls_to_it() {
    let _watchdog = Watchdog::new(time() + 5 * PATIENCE);
    let seed = seed();
    let honest = Site::with(Transport::Mmf, plan());
    let address = Address::unguessable();
    let role = Role::ServeScribbling { address: address.clone(), plan: plan(), seed };
    let mut hostile = Child::start(&role);
    let () = hostile.hear();
    let connect = || {
        let builder = WorkshopClient::builder(address.endpoint());
        builder.call_timeout(Duration::from_millis(2)).connect()
    };
    while_served(&honest, seed, || {
        let mut client = connect().expect("it lets everybody in");
        for scribble in Scribble::chosen(WORDS) {
            let () = hostile.ask(&Some(scribble));
            call_all(&client);
            if !client.connection().is_connected() {
                client = connect().expect("it lets everybody in");
            }
        }
        hostile.tell(&None::<Scribble>);
        let began = Instant::now();
        while began.elapsed() < time() {
            if let Ok(client) = connect() {
                while client.connection().is_connected() && began.elapsed() < time() {
                    call_all(&client);
                }
            }
        }
    });
    hostile.kill();
}

/// Calls that cross inline, in a block and in segments. Whatever comes of them, they come to an end.
fn call_all(client: &WorkshopClient) {
    let _: Result<i64, CallError> = client.add(1, 2);
    let _: Result<Vec<u8>, CallError> = client.echo(bytes_of(2_000, 1));
    let _: Result<Vec<u8>, CallError> = client.echo(bytes_of(40_000, 2));
}
