//! The service that the tests call.

mod gates;
mod goods;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use witrpc::{CallContext, CallError, wit_service};

pub use gates::Gates;
pub use goods::{Nest, Parcel, Point, bytes_of, checksum};

use crate::fixture::Address;
use crate::resources::Resources;

/// Why a division fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DivideError {
    /// The divisor is zero.
    ByZero,
    /// The quotient is too large.
    Overflow {
        /// What was to be divided.
        dividend: i64,
    },
}

impl std::fmt::Display for DivideError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

/// What a handler learns of its caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The server's number of the client.
    pub client_id: u64,
    /// Its process.
    pub pid: u32,
    /// Its user.
    pub uid: u32,
    /// The call.
    pub call_id: u64,
}

impl From<&CallContext> for Caller {
    fn from(cx: &CallContext) -> Self {
        Self { client_id: cx.client_id(), pid: cx.pid(), uid: cx.uid(), call_id: cx.call_id() }
    }
}

/// Has a method of each form, and gates at which calls wait until a test opens them.
#[wit_service]
pub trait Basic {
    /// The sum.
    fn add(&self, a: i64, b: i64) -> i64;
    /// The quotient.
    fn divide(&self, dividend: i64, divisor: i64) -> Result<i64, DivideError>;
    /// The quotient, later.
    async fn divide_later(&self, dividend: i64, divisor: i64) -> Result<i64, DivideError>;
    /// Panics.
    fn fail(&self, message: &str) -> u32;
    /// Panics, when it is polled.
    async fn fail_later(&self, message: &str) -> u32;
    /// Looks a word up; `None` for the empty one.
    async fn lookup(&self, key: &str) -> Option<String>;
    /// The mean.
    fn mean(&self, samples: &[f64]) -> f64;
    /// The sum of the points, coordinate by coordinate.
    fn sum_points(&self, points: &[Point]) -> Point;
    /// The path, with something added.
    fn extend(&self, path: &Path, with: &str) -> String;
    /// Returns the caller.
    fn who(&self, #[wit(ctx)] cx: &CallContext) -> Caller;
    /// Returns the caller, and is async.
    async fn who_later(&self, #[wit(ctx)] cx: &CallContext) -> Caller;
    /// Counts its calls.
    fn count(&self) -> u64;
    /// Gives the parcel back.
    fn echo_parcel(&self, parcel: Parcel) -> Parcel;
    /// Gives the parcel's label back, of an argument that was lent.
    fn label(&self, parcel: &Parcel) -> String;
    /// Gives the text back.
    fn echo_text(&self, text: &str) -> String;
    /// Gives the bytes back; counts as a call of [`count`](Self::count).
    fn echo(&self, bytes: Vec<u8>) -> Vec<u8>;
    /// The checksum of what arrived.
    fn digest(&self, bytes: &[u8]) -> u64;
    /// Returns `len` bytes that follow from the seed: see [`bytes_of`]. Counts as
    /// [`count`](Self::count) does.
    fn make(&self, len: u64, seed: u64) -> Vec<u8>;
    /// How deep it goes.
    fn depth(&self, nest: Nest) -> u32;
    /// Holds a worker until the gate is open, then gives the token back.
    fn hold(&self, gate: u64, token: u64) -> u64;
    /// Is pending, without a worker, until the gate is open, then gives the token back.
    async fn hold_later(&self, gate: u64, token: u64) -> u64;
    /// As [`make`](Self::make), once the gate is open.
    async fn make_later(&self, gate: u64, len: u64, seed: u64) -> Vec<u8>;
    /// Opens a gate, which stays open.
    fn open(&self, gate: u64);
    /// Answers when this many calls have arrived at the gate.
    async fn arrived(&self, gate: u64, calls: u32);
    /// Connects to another server of this service, or to this one, and calls this method there with
    /// a depth of one less. Returns the sum of the depths. Each call may take at most `time`.
    fn relay(&self, via: Address, depth: u32, time: Duration) -> Result<u32, String>;
    /// What the server's process holds.
    fn resources(&self) -> Resources;
    /// The number of the server's process.
    fn who_serves(&self) -> u32;
}

/// The service.
#[derive(Debug, Default)]
pub struct Bench {
    calls: AtomicU64,
    gates: Gates,
}

impl Bench {
    /// The gates, to open them from outside.
    pub fn gates(&self) -> &Gates {
        &self.gates
    }
}

impl Basic for Bench {
    fn add(&self, a: i64, b: i64) -> i64 {
        a.wrapping_add(b)
    }

    fn divide(&self, dividend: i64, divisor: i64) -> Result<i64, DivideError> {
        if divisor == 0 {
            return Err(DivideError::ByZero);
        }
        dividend.checked_div(divisor).ok_or(DivideError::Overflow { dividend })
    }

    async fn divide_later(&self, dividend: i64, divisor: i64) -> Result<i64, DivideError> {
        yield_once().await;
        self.divide(dividend, divisor)
    }

    fn fail(&self, message: &str) -> u32 {
        panic!("{message}")
    }

    async fn fail_later(&self, message: &str) -> u32 {
        yield_once().await;
        panic!("{message}")
    }

    async fn lookup(&self, key: &str) -> Option<String> {
        yield_once().await;
        (!key.is_empty()).then(|| key.to_uppercase())
    }

    fn mean(&self, samples: &[f64]) -> f64 {
        samples.iter().sum::<f64>() / samples.len() as f64
    }

    fn sum_points(&self, points: &[Point]) -> Point {
        points
            .iter()
            .fold(Point::default(), |sum, point| Point { x: sum.x + point.x, y: sum.y + point.y })
    }

    fn extend(&self, path: &Path, with: &str) -> String {
        path.join(with).display().to_string()
    }

    fn who(&self, cx: &CallContext) -> Caller {
        cx.into()
    }

    async fn who_later(&self, cx: &CallContext) -> Caller {
        yield_once().await;
        cx.into()
    }

    fn count(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    fn echo_parcel(&self, parcel: Parcel) -> Parcel {
        parcel
    }

    fn label(&self, parcel: &Parcel) -> String {
        parcel.label.clone()
    }

    fn echo_text(&self, text: &str) -> String {
        text.to_owned()
    }

    fn echo(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        bytes
    }

    fn digest(&self, bytes: &[u8]) -> u64 {
        checksum(bytes)
    }

    fn make(&self, len: u64, seed: u64) -> Vec<u8> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        bytes_of(len as usize, seed)
    }

    fn depth(&self, nest: Nest) -> u32 {
        nest.depth()
    }

    fn hold(&self, gate: u64, token: u64) -> u64 {
        self.gates.block_at(gate);
        token
    }

    async fn hold_later(&self, gate: u64, token: u64) -> u64 {
        self.gates.wait_at(gate).await;
        token
    }

    async fn make_later(&self, gate: u64, len: u64, seed: u64) -> Vec<u8> {
        self.gates.wait_at(gate).await;
        self.make(len, seed)
    }

    fn open(&self, gate: u64) {
        self.gates.open(gate);
    }

    async fn arrived(&self, gate: u64, calls: u32) {
        self.gates.arrived(gate, calls).await;
    }

    fn relay(&self, via: Address, depth: u32, time: Duration) -> Result<u32, String> {
        if depth == 0 {
            return Ok(0);
        }
        let next = BasicClient::builder(via.endpoint()).call_timeout(time).connect();
        let next = next.map_err(|error| error.to_string())?;
        match next.relay(via, depth - 1, time) {
            Ok(rest) => Ok(depth + rest),
            Err(CallError::App(error)) => Err(error),
            Err(other) => Err(other.to_string()),
        }
    }

    fn resources(&self) -> Resources {
        Resources::of_this_process()
    }

    fn who_serves(&self) -> u32 {
        std::process::id()
    }
}

/// Is pending once, so that a future is polled again.
async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
