//! The roles of clients.

use std::time::Duration;

use fastrand::Rng;
use futures_executor::block_on;
use futures_util::future::join_all;
use witrpc::{CallError, CallOptions, WaitPolicy};

use crate::basic::{BasicAsyncClient, BasicClient, bytes_of};
use crate::cancellation::CancellationClient;
use crate::fixture::Address;
use crate::process::Parent;
use crate::random_calls::Pair;
use crate::resources::limit_memory;
use crate::shared_memory::SharedMemoryClient;
use crate::streams::StreamsClient;
use crate::watchdog::PATIENCE;

/// See [`Role::Call`](super::Role::Call). Reports the client's number once it has been answered,
/// and how many calls it has made when it has made all.
pub(super) fn call(
    parent: &Parent,
    address: &Address,
    seed: u64,
    calls: Option<u64>,
    most: usize,
    spin: bool,
) {
    let policy = if spin { WaitPolicy::Spin } else { WaitPolicy::Adaptive };
    let blocking = BasicClient::builder(address.endpoint()).wait(policy);
    let blocking = blocking.call_timeout(PATIENCE).connect().expect("the client connects");
    let later = BasicAsyncClient::builder(address.endpoint()).wait(policy);
    let later = block_on(later.call_timeout(PATIENCE).connect()).expect("the client connects");
    let pair = Pair { blocking, later };
    parent.report(&pair.blocking.who().expect("the server answers").client_id);
    let mut rng = Rng::with_seed(seed);
    let mut made = 0;
    while calls.is_none_or(|calls| made < calls) {
        pair.errand(&mut rng, most).expect("the server answers");
        made += 1;
    }
    parent.report(&made);
    parent.outlive();
}

/// See [`Role::Lend`](super::Role::Lend).
pub(super) fn lend(parent: &Parent, address: &Address, len: usize, seed: u64, gate: u64) {
    let client = SharedMemoryClient::builder(address.endpoint()).call_timeout(None).connect();
    let client = client.expect("the client connects");
    let frame = |seed| {
        let mut frame = client.connection().alloc::<u8>(len).expect("there is space");
        frame.copy_from_slice(&bytes_of(len, seed));
        frame.freeze()
    };
    parent.report(&client.keep(frame(seed)).expect("the server answers"));
    client.hold(gate, frame(seed + 1)).expect("the server answers");
    parent.outlive();
}

/// See [`Role::Stream`](super::Role::Stream).
pub(super) fn stream(parent: &Parent, address: &Address) {
    let client = StreamsClient::connect(address.endpoint()).expect("the client connects");
    let endless = client.endless().expect("the server answers");
    let mut taken = 0;
    let numbers = endless.map(|number| number.expect("the server lives")).inspect(|number| {
        taken = *number;
        if taken == 100_000 {
            parent.report(&(taken, client.seen().expect("the server answers")));
        }
    });
    client.follow(numbers).expect("the server takes them");
    parent.outlive();
}

/// See [`Role::Hold`](super::Role::Hold). Reports the token that came back, or the error's text.
pub(super) fn hold(parent: &Parent, address: &Address, gate: u64, timeout: Duration) {
    let client = BasicClient::builder(address.endpoint()).call_timeout(timeout).connect();
    let client = client.expect("the client connects");
    let token = u64::from(std::process::id());
    let came: Result<u64, CallError> = client.hold(gate, token);
    parent.report(&came.map_err(|error| error.to_string()));
    parent.outlive();
}

/// See [`Role::TellTimeLeft`](super::Role::TellTimeLeft).
pub(super) fn tell_time_left(parent: &Parent, address: &Address, within: Duration) {
    let client = CancellationClient::connect(address.endpoint()).expect("the client connects");
    let left = client.with(CallOptions::new().timeout(within)).time_left();
    parent.report(&left.map_err(|error| error.to_string()));
    parent.outlive();
}

/// See [`Role::Stay`](super::Role::Stay). The call ends with the process.
pub(super) fn stay(address: &Address, token: u64) {
    let client = CancellationClient::builder(address.endpoint()).call_timeout(None).connect();
    let client = client.expect("the client connects");
    let ended = client.stay(token);
    panic!("it is not cancelled: {ended:?}");
}

/// See [`Role::TakeLarge`](super::Role::TakeLarge). Reports how many answers were right.
pub(super) fn take_large(parent: &Parent, address: &Address, gate: u64, calls: u32, len: usize) {
    // This process may be stopped for long.
    let client = BasicAsyncClient::builder(address.endpoint()).call_timeout(None);
    let client = block_on(client.connect()).expect("the client connects");
    let ask = |seed| client.make_later(gate, len as u64, u64::from(seed));
    let answers = block_on(join_all((0..calls).map(ask)));
    let is_right = |(seed, answer): &(u64, Result<Vec<u8>, CallError>)| {
        answer.as_ref().expect("the server answers") == &bytes_of(len, *seed)
    };
    parent.report(&(0..).zip(answers).filter(is_right).count());
    parent.outlive();
}

/// See [`Role::ConnectInLittleMemory`](super::Role::ConnectInLittleMemory).
pub(super) fn connect_in_little_memory(parent: &Parent, address: &Address, bytes: u64) {
    // Because it has received something, the thread that listens has all the memory it needs.
    let () = parent.hear();
    limit_memory(bytes);
    let refused = BasicClient::connect(address.endpoint());
    parent.report(&refused.map(drop).map_err(|error| format!("{error:?}")));
    parent.outlive();
}
