//! The service whose calls are timed.

use std::future::poll_fn;
use std::hint::black_box;
use std::pin::pin;
use std::thread;
use std::time::Duration;

use witrpc::{Mmf, Stream, TrustedPeer, WaitPolicy, WitServer, wit_service};

use super::newswire::{Desk, NewswireServer};
use super::race::Contender;
use super::studio::{Drawing, StudioServer};
use super::ward::{WardServer, Watch};

/// Null calls of every kind.
#[wit_service]
pub(crate) trait Bench {
    fn add(&self, a: u64, b: u64) -> u64;
    fn text_len(&self, text: &str) -> u64;
    fn bytes_len(&self, bytes: &[u8]) -> u64;
    fn floats_len(&self, floats: &[f64]) -> u64;
    fn echo(&self, bytes: Vec<u8>) -> Vec<u8>;
    fn sleep(&self, milliseconds: u64);
    fn count(&self, end: u64) -> impl Iterator<Item = u64>;
    fn sum(&self, numbers: impl Iterator<Item = u64>) -> u64;
    async fn sum_later(&self, numbers: impl Stream<Item = u64>) -> u64;
}

struct Null;

impl Bench for Null {
    fn add(&self, a: u64, b: u64) -> u64 {
        a.wrapping_add(b)
    }

    fn text_len(&self, text: &str) -> u64 {
        text.len() as u64
    }

    fn bytes_len(&self, bytes: &[u8]) -> u64 {
        bytes.len() as u64
    }

    fn floats_len(&self, floats: &[f64]) -> u64 {
        floats.len() as u64
    }

    fn echo(&self, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }

    fn sleep(&self, milliseconds: u64) {
        thread::sleep(Duration::from_millis(milliseconds));
    }

    fn count(&self, end: u64) -> impl Iterator<Item = u64> {
        0..end
    }

    fn sum(&self, numbers: impl Iterator<Item = u64>) -> u64 {
        numbers.sum()
    }

    async fn sum_later(&self, numbers: impl Stream<Item = u64>) -> u64 {
        let mut numbers = pin!(numbers);
        let mut sum = 0;
        while let Some(number) = poll_fn(|cx| numbers.as_mut().poll_next(cx)).await {
            sum += number;
        }
        sum
    }
}

/// Sends what came back last.
pub(crate) struct Echoed<'a> {
    pub(crate) client: &'a BenchClient,
    pub(crate) bytes: Vec<u8>,
}

impl Contender for Echoed<'_> {
    fn run(&mut self, calls: usize) {
        for _ in 0..calls {
            let bytes = std::mem::take(&mut self.bytes);
            self.bytes = black_box(self.client.echo(bytes).expect("an echo"));
        }
    }
}

/// What the peer serves.
#[derive(Clone)]
pub(crate) struct Serving {
    pub(crate) name: String,
    /// Shared memory of one client, in bytes.
    pub(crate) size: usize,
    pub(crate) max_clients: u32,
    pub(crate) wait: WaitPolicy,
    /// Whether the server reads what clients send where it lies.
    pub(crate) trusts: bool,
    pub(crate) encryption: bool,
}

impl Serving {
    /// With the defaults, under a name of its own.
    pub(crate) fn new() -> Self {
        let name = Mmf::unguessable().name().to_owned();
        let wait = WaitPolicy::Adaptive;
        Self { name, size: 1 << 20, max_clients: 64, wait, trusts: false, encryption: false }
    }

    /// As an argument of the peer's command line.
    pub(crate) fn to_arg(&self) -> String {
        let Self { name, size, max_clients, wait, trusts, encryption } = self;
        format!("{name},{size},{max_clients},{wait:?},{trusts},{encryption}")
    }

    /// What [`to_arg`](Self::to_arg) made an argument of.
    pub(crate) fn from_arg(arg: &str) -> Option<Self> {
        let parts = arg.split(',').collect::<Vec<_>>();
        let [name, size, max_clients, wait, trusts, encryption] = parts.try_into().ok()?;
        let policies = [WaitPolicy::Adaptive, WaitPolicy::Spin, WaitPolicy::Park];
        Some(Self {
            name: name.to_owned(),
            size: size.parse().ok()?,
            max_clients: max_clients.parse().ok()?,
            wait: policies.into_iter().find(|policy| format!("{policy:?}") == wait)?,
            trusts: trusts.parse().ok()?,
            encryption: encryption.parse().ok()?,
        })
    }

    pub(crate) fn start(&self) -> WitServer {
        let endpoint = Mmf::new(&self.name).size(self.size).max_clients(self.max_clients);
        let mut builder = WitServer::builder()
            .listen(endpoint)
            .wait(self.wait)
            .encryption(self.encryption)
            .service(BenchServer::new(Null))
            .service(StudioServer::new(Drawing))
            .service(NewswireServer::with_events(Desk::new))
            .service(WardServer::new(Watch::default()));
        if self.trusts {
            // SAFETY: the clients are this very program, which writes to nothing that it has sent.
            builder = builder.trust_clients(unsafe { TrustedPeer::assume() });
        }
        builder.start().expect("the name is free")
    }

    pub(crate) fn connect(&self) -> BenchClient {
        let builder = BenchClient::builder(self.name.as_str()).wait(self.wait);
        builder.encryption(self.encryption).connect().expect("the peer serves")
    }
}
