//! In a sandbox that forbids shared memory, a `Socket` serves what an `Mmf` cannot. It has a test program to itself,
//! because the restriction is one of the process.

use std::time::Duration;

use witrpc::{Mmf, Socket, WitServer, wit_service};
use witrpc_tests::restriction::{Call, Restriction};
use witrpc_tests::watchdog::{PATIENCE, Watchdog};

#[wit_service]
trait Counter {
    fn echo(&self, bytes: Vec<u8>) -> Vec<u8>;
    fn count(&self, end: u64) -> impl Iterator<Item = u64>;
}

struct Plain;

impl Counter for Plain {
    fn echo(&self, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }

    fn count(&self, end: u64) -> impl Iterator<Item = u64> {
        0..end
    }
}

#[test]
fn a_socket_serves_where_shared_memory_is_forbidden() {
    let _watchdog = Watchdog::new(PATIENCE);
    for call in [Call::MemfdCreate, Call::Fallocate] {
        Restriction::Call(call).impose();
    }
    let mmf = Mmf::unguessable();
    let server =
        WitServer::builder().listen(mmf.clone()).service(CounterServer::new(Plain)).start();
    assert!(server.is_err() || CounterClient::connect(mmf).is_err(), "no memory can be shared");

    let scratch = tempfile::tempdir().expect("a directory can be made");
    let socket = Socket::at(scratch.path().join("counter"));
    let server = WitServer::builder().listen(socket.clone()).service(CounterServer::new(Plain));
    let server = server.start().expect("it needs no shared memory");
    let client = CounterClient::connect(socket).expect("it needs none either");
    for len in [0, 100, 1 << 20] {
        assert!(client.echo(vec![7; len]) == Ok(vec![7; len]));
    }
    let counted = client.count(1_000).expect("it opens");
    assert!(counted.map(|item| item.expect("it stands")).eq(0..1_000));
    assert!(server.shutdown(Duration::from_secs(60)));
}
