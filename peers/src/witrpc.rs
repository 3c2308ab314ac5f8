//! WitRPC: the blocking client, the async client, and words that are lent instead of sent.

use std::hint::black_box;

use witrpc::{Mmf, Shared, WaitPolicy, WitServer, wit_service};

use crate::peer::{Connection, IN_FLIGHT, MAX_CLIENTS, MAX_WORDS, Peer, Session, Task, Wait};
use crate::support::executor::{block_on, run_all};
use crate::support::studio::{sum, sum_of_pieces};

pub(crate) static BLOCKING: Peer = Peer {
    label: "WitRPC",
    ours: true,
    serve,
    connect: |session| Box::new(Blocking(connect(session))),
};

pub(crate) static ASYNC: Peer = Peer {
    label: "WitRPC, async",
    ours: true,
    serve,
    connect: |session| {
        let client = WorkAsyncClient::builder(endpoint(session)).wait(policy(session));
        Box::new(Async(block_on(client.connect()).expect("the server runs")))
    },
};

pub(crate) static LENT: Peer = Peer {
    label: "WitRPC, lent",
    ours: true,
    serve,
    connect: |session| Box::new(Lent(connect(session))),
};

/// What all peers do.
#[wit_service]
pub(crate) trait Work {
    fn add(&self, a: u64, b: u64) -> u64;
    fn sum(&self, words: &[u64]) -> u64;
    fn sum_lent(&self, words: Shared<[u64]>) -> u64;
}

struct Adder;

impl Work for Adder {
    fn add(&self, a: u64, b: u64) -> u64 {
        a.wrapping_add(b)
    }

    fn sum(&self, words: &[u64]) -> u64 {
        sum(words)
    }

    fn sum_lent(&self, words: Shared<[u64]>) -> u64 {
        sum_of_pieces(&words)
    }
}

fn policy(session: &Session) -> WaitPolicy {
    match session.wait {
        Wait::Polled => WaitPolicy::Spin,
        Wait::Parked => WaitPolicy::Park,
        Wait::Adaptive => WaitPolicy::Adaptive,
    }
}

fn endpoint(session: &Session) -> Mmf {
    // Room for the longest message four times over, so that it goes in one piece.
    let size = if session.task == Task::Sum { 4 * MAX_WORDS * size_of::<u64>() } else { 1 << 20 };
    Mmf::new(&session.name).size(size).max_clients(MAX_CLIENTS as u32)
}

fn serve(session: &Session, ready: &dyn Fn()) {
    let server = WitServer::builder().listen(endpoint(session)).wait(policy(session));
    let _server = server.service(WorkServer::new(Adder)).start().expect("the name is free");
    ready();
    loop {
        std::thread::park();
    }
}

fn connect(session: &Session) -> WorkClient {
    let client = WorkClient::builder(endpoint(session)).wait(policy(session));
    client.connect().expect("the server runs")
}

/// Keeps calls in flight by the async client of the same connection.
fn add_in_flight(client: &WorkAsyncClient, calls: usize) {
    run_all((0..IN_FLIGHT.min(calls)).map(|task| async move {
        for call in (task..calls).step_by(IN_FLIGHT) {
            black_box(client.add(call as u64, 1).await.expect("a sum"));
        }
    }));
}

struct Blocking(WorkClient);

impl Connection for Blocking {
    fn add(&mut self, a: u64, b: u64) -> u64 {
        self.0.add(a, b).expect("a sum")
    }

    fn sum(&mut self, words: &[u64]) -> u64 {
        self.0.sum(words).expect("a sum")
    }

    fn add_in_flight(&mut self, _: usize) {
        unreachable!("a blocking client has one call in flight")
    }
}

struct Async(WorkAsyncClient);

impl Connection for Async {
    fn add(&mut self, a: u64, b: u64) -> u64 {
        block_on(self.0.add(a, b)).expect("a sum")
    }

    fn sum(&mut self, words: &[u64]) -> u64 {
        block_on(self.0.sum(words)).expect("a sum")
    }

    fn add_in_flight(&mut self, calls: usize) {
        add_in_flight(&self.0, calls);
    }
}

/// Has the words where the server reads them.
struct Lent(WorkClient);

impl Connection for Lent {
    fn add(&mut self, a: u64, b: u64) -> u64 {
        self.0.add(a, b).expect("a sum")
    }

    fn sum(&mut self, words: &[u64]) -> u64 {
        let mut lent = self.0.connection().alloc(words.len()).expect("it fits");
        lent.copy_from_slice(words);
        self.0.sum_lent(lent.freeze()).expect("a sum")
    }

    fn add_in_flight(&mut self, _: usize) {
        unreachable!("a blocking client has one call in flight")
    }
}
