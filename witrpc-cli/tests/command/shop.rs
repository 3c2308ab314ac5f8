//! The server that the tests look into.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;

use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use witrpc::{AccessToken, CallContext, Mmf, Shared, WitServer, WitServerBuilder, wit_service};

#[derive(Debug, Serialize, Deserialize)]
pub struct Order {
    pub lines: Vec<Line>,
    pub note: Option<String>,
    #[serde(default)]
    pub express: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Line {
    pub item: String,
    pub count: u8,
}

#[derive(Debug, Serialize, Deserialize)]
pub enum Refused {
    SoldOut { item: String },
    Closed,
}

/// Sells things.
#[wit_service]
pub trait Shop {
    /// Adds two numbers.
    ///
    /// They must not be too large.
    #[wit(idempotent)]
    fn add(&self, a: u64, b: u64) -> u64;

    fn order(&self, order: Order) -> Result<u64, Refused>;

    async fn later(&self, what: String) -> String;

    /// Counts.
    fn count(&self, to: u32) -> impl Iterator<Item = u32>;

    fn sum(&self, numbers: impl Iterator<Item = u64>) -> u64;

    fn join(&self, by: &str, words: impl Iterator<Item = String>) -> String;

    fn reverse(&self, bytes: Shared<[u8]>) -> Vec<u8>;

    fn scale(&self, values: &[f32], by: f32) -> Vec<f32>;

    fn fail(&self);

    /// Returns once it is told to, or is cancelled.
    fn hold(&self, #[wit(ctx)] cx: &CallContext) -> bool;

    fn sell(&self, item: String, count: u32);

    /// Something was sold.
    #[wit(event)]
    fn sold(&self, item: &str, count: u32);
}

#[wit_service]
pub trait Clock {
    fn now(&self) -> u64;
}

pub struct Stall {
    events: ShopEvents,
    held: Arc<HeldCall>,
}

/// A call of `hold`, as the test sees and ends it.
#[derive(Debug, Default)]
pub struct HeldCall {
    has_begun: AtomicBool,
    is_released: AtomicBool,
    is_cancelled: AtomicBool,
}

impl HeldCall {
    /// Waits until the handler runs.
    pub fn await_begin(&self) {
        await_set(&self.has_begun);
    }

    /// Waits until the handler has been cancelled.
    pub fn await_cancelled(&self) {
        await_set(&self.is_cancelled);
    }

    pub fn release(&self) {
        self.is_released.store(true, SeqCst);
    }
}

fn await_set(flag: &AtomicBool) {
    while !flag.load(SeqCst) {
        thread::yield_now();
    }
}

impl Shop for Stall {
    fn add(&self, a: u64, b: u64) -> u64 {
        a + b
    }

    fn order(&self, order: Order) -> Result<u64, Refused> {
        match order.lines.iter().find(|line| line.item == "unicorn") {
            Some(line) => Err(Refused::SoldOut { item: line.item.clone() }),
            None => Ok(order.lines.iter().map(|line| u64::from(line.count)).sum()),
        }
    }

    async fn later(&self, what: String) -> String {
        what
    }

    fn count(&self, to: u32) -> impl Iterator<Item = u32> {
        1..=to
    }

    fn sum(&self, numbers: impl Iterator<Item = u64>) -> u64 {
        numbers.sum()
    }

    fn join(&self, by: &str, words: impl Iterator<Item = String>) -> String {
        words.collect::<Vec<_>>().join(by)
    }

    fn reverse(&self, bytes: Shared<[u8]>) -> Vec<u8> {
        bytes.to_vec().into_iter().rev().collect()
    }

    fn scale(&self, values: &[f32], by: f32) -> Vec<f32> {
        values.iter().map(|value| value * by).collect()
    }

    fn fail(&self) {
        panic!("the till is jammed");
    }

    fn hold(&self, cx: &CallContext) -> bool {
        self.held.has_begun.store(true, SeqCst);
        while !self.held.is_released.load(SeqCst) && !cx.cancelled() {
            thread::yield_now();
        }
        self.held.is_cancelled.store(cx.cancelled(), SeqCst);
        cx.cancelled()
    }

    fn sell(&self, item: String, count: u32) {
        let _ = self.events.sold(&item, count);
    }
}

/// A server of both services, named `shop`, in a directory of its own.
pub struct Open {
    pub dir: TempDir,
    pub server: WitServer,
    pub held: Arc<HeldCall>,
}

impl Open {
    pub fn new() -> Self {
        Self::with(|server| server)
    }

    pub fn with_token(token: &AccessToken) -> Self {
        Self::with(|server| server.access_token(token.clone()))
    }

    pub fn with(set: impl FnOnce(WitServerBuilder) -> WitServerBuilder) -> Self {
        let dir = TempDir::new().expect("there is room for a directory");
        let held = Arc::default();
        let server = set(builder(dir.path(), &held)).start().expect("the server starts");
        Self { dir, server, held }
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }
}

/// Returns what starts the server of both services in a directory.
pub fn builder(dir: &Path, held: &Arc<HeldCall>) -> WitServerBuilder {
    let held = Arc::clone(held);
    let shop = ShopServer::with_events(|events| Stall { events, held });
    let clock = ClockServer::new(NoonClock);
    WitServer::builder().listen(Mmf::new("shop").in_dir(dir)).service(shop).service(clock)
}

pub struct NoonClock;

impl Clock for NoonClock {
    fn now(&self) -> u64 {
        12
    }
}

/// The shop as another version of it was.
pub mod old {
    use witrpc::wit_service;

    #[wit_service]
    pub trait Shop {
        fn add(&self, a: u64, b: u32) -> u64;
        fn close(&self);
    }

    pub struct OldStall;

    impl Shop for OldStall {
        fn add(&self, a: u64, b: u32) -> u64 {
            a + u64::from(b)
        }

        fn close(&self) {}
    }
}
