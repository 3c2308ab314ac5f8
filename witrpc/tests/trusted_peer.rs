//! What a trusted peer has sent is looked at where it lies, and that of any other in a copy.
//!
//! Both ends are in this process here, each with its own mappings.

#![deny(unsafe_code)]

use std::fs;

use witrpc::{CallContext, Mmf, Shared, TrustedPeer, WitServer, wit_service};

#[wit_service]
trait Probe {
    /// Whether each argument is looked at in shared memory, and what they hold together.
    fn look(&self, plain: &[u32], frame: Shared<[u8]>, owned: Vec<u8>) -> (bool, bool, bool, u64);
    /// A frame filled with a number.
    fn fill(&self, #[wit(ctx)] cx: &CallContext, len: u64, with: u8) -> Shared<[u8]>;
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
    // SAFETY: the peer is this very process, whose code does not write to what was sent.
    #[expect(unsafe_code, reason = "the promise that this test is about")]
    unsafe {
        TrustedPeer::assume()
    }
}

#[test]
fn only_what_a_trusted_peer_sends_is_looked_at_in_place() {
    for is_trusted in [false, true] {
        let place = Mmf::unguessable().size(4 << 20);
        let server = WitServer::builder().listen(place.clone()).service(ProbeServer::new(Probing));
        let server = if is_trusted { server.trust_clients(trust()) } else { server };
        let server = server.start().expect("nobody else has the name");
        let client = ProbeClient::builder(place);
        let client = if is_trusted { client.trust_server(trust()) } else { client };
        let client = client.connect().expect("the server serves");

        let plain = vec![3_u32; 50_000];
        for round in 0..10 {
            let mut frame = client.connection().alloc::<u8>(100_000).expect("it fits");
            frame.fill(round);
            let looked = client.look(&plain, frame.freeze(), vec![1; 5_000]);
            let sum = 150_000 + 100_000 * u64::from(round) + 5_000;
            assert_eq!(looked, Ok((is_trusted, is_trusted, false, sum)));
            let filled = client.fill(200_000, round).expect("it is answered");
            assert_eq!(filled.as_slice().map(is_shared), is_trusted.then_some(true));
            assert_eq!(filled.to_vec(), vec![round; 200_000]);
        }
        drop(server);
    }
}
