//! What a trusted peer has sent is looked at where it lies, and that of any other in a copy.

#![deny(unsafe_code)]

use std::env;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use witrpc::{CallContext, Shared, TrustedPeer, Worker, wit_service, worker};

/// How long the other process may take to start, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

#[wit_service]
trait Probe {
    /// Whether each argument is looked at in shared memory, and what they hold together.
    fn look(&self, plain: &[u32], frame: Shared<[u8]>, owned: Vec<u8>) -> (bool, bool, bool, u64);
    /// A frame filled with a number.
    fn fill(&self, #[wit(ctx)] cx: &CallContext, len: u64, with: u8) -> Shared<[u8]>;
}

/// The same, for clients that share what the server takes as a slice.
#[wit_service(name = "Probe")]
trait Sharing {
    /// As there.
    fn look(
        &self,
        plain: Shared<[u32]>,
        frame: Shared<[u8]>,
        owned: Vec<u8>,
    ) -> (bool, bool, bool, u64);
}

struct Probing;

impl Probe for Probing {
    fn look(&self, plain: &[u32], frame: Shared<[u8]>, owned: Vec<u8>) -> (bool, bool, bool, u64) {
        let sum = plain.iter().map(|word| u64::from(*word)).sum::<u64>()
            + frame.iter().map(u64::from).sum::<u64>()
            + owned.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        (is_shared(plain), frame.as_slice().is_some_and(is_shared), is_shared(&owned), sum)
    }

    fn fill(&self, cx: &CallContext, len: u64, with: u8) -> Shared<[u8]> {
        let mut frame = cx.alloc(len as usize).expect("it fits");
        frame.fill(with);
        frame.freeze()
    }
}

/// Whether it lies in a region of a connection.
fn is_shared<T>(slice: &[T]) -> bool {
    let address = slice.as_ptr().addr();
    let maps = fs::read_to_string("/proc/self/maps").expect("Linux has /proc");
    maps.lines().filter(|line| line.contains("/memfd:")).any(|line| {
        let (start, rest) = line.split_once('-').expect("a range");
        let (end, _) = rest.split_once(' ').expect("a range");
        let number = |hex| usize::from_str_radix(hex, 16).expect("an address");
        (number(start)..number(end)).contains(&address)
    })
}

fn trust() -> TrustedPeer {
    // SAFETY: the peer is this very program, which does not write to what was sent.
    #[expect(unsafe_code, reason = "the promise that this test is about")]
    unsafe {
        TrustedPeer::assume()
    }
}

/// Set in the environment of a worker that trusts its clients.
const TRUSTS: &str = "WITRPC_TEST_TRUSTS";

/// The worker of the other test, which starts this program anew with this test alone.
#[test]
fn the_other_process() {
    if !worker::is_worker() {
        return;
    }
    let served = worker::serve_with(|server, place| {
        let server = server.listen(place.size(4 << 20)).service(ProbeServer::new(Probing));
        if env::var_os(TRUSTS).is_some() { server.trust_clients(trust()) } else { server }
    });
    served.expect("it can be served");
}

#[test]
fn only_what_a_trusted_peer_sends_is_looked_at_in_place() {
    for is_trusted in [false, true] {
        let mut command = Command::new(env::current_exe().expect("it runs"));
        command.args(["--exact", "the_other_process"]).stdout(Stdio::null());
        if is_trusted {
            command.env(TRUSTS, "");
        }
        let worker = Worker::<ProbeClient>::builder(command).start_timeout(PATIENCE);
        let worker = worker.client(
            move |client| {
                if is_trusted { client.trust_server(trust()) } else { client }
            },
        );
        let worker = worker.spawn().expect("it serves");
        let client = worker.client();

        let plain = vec![3_u32; 50_000];
        let sharing: SharingClient = client.connection().client().expect("it is the same service");
        for round in 0..10 {
            let mut frame = client.connection().alloc::<u8>(100_000).expect("it fits");
            frame.fill(round);
            let looked = client.look(&plain, frame.freeze(), vec![1; 5_000]);
            let sum = 150_000 + 100_000 * u64::from(round) + 5_000;
            assert_eq!(looked, Ok((is_trusted, is_trusted, false, sum)));
            let mut words = client.connection().alloc::<u32>(50_000).expect("it fits");
            words.fill(3);
            let mut frame = client.connection().alloc::<u8>(100_000).expect("it fits");
            frame.fill(round);
            let looked = sharing.look(words.freeze(), frame.freeze(), vec![1; 5_000]);
            assert_eq!(looked, Ok((is_trusted, is_trusted, false, sum)));
            let filled = client.fill(200_000, round).expect("it is answered");
            assert_eq!(filled.as_slice().map(is_shared), is_trusted.then_some(true));
            assert_eq!(filled.to_vec(), vec![round; 200_000]);
        }
    }
}
