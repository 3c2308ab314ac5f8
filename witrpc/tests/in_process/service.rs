//! The service that the tests call.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use witrpc::{CallContext, InProcess, WitServer, wit_service};

use crate::gate::Gate;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) id: u64,
    pub(crate) lines: Vec<(String, Option<f64>)>,
    pub(crate) paid: Payment,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Payment {
    Open,
    Card { number: String },
    Parts(Vec<i32>),
}

impl Order {
    pub(crate) fn example() -> Self {
        let lines = vec![("tea".to_owned(), Some(2.5)), ("\"milk\"\n".to_owned(), None)];
        Self { id: u64::MAX, lines, paid: Payment::Card { number: "12".to_owned() } }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub(crate) enum DivideError {
    #[error("{dividend} cannot be divided by zero")]
    ByZero { dividend: i64 },
}

#[wit_service]
pub(crate) trait Shop {
    fn add(&self, a: i64, b: i64) -> i64;
    fn divide(&self, a: i64, b: i64) -> Result<i64, DivideError>;
    fn nothing(&self);
    fn order(&self, order: Order) -> Order;
    fn order_by_ref(&self, order: &Order) -> Order;
    fn shout(&self, text: &str) -> String;
    fn parent(&self, path: &Path) -> Option<PathBuf>;
    fn mean(&self, samples: &[f64]) -> f64;
    fn interleave(&self, a: &[u8], between: &str, b: &[u16], scale: u16) -> Vec<u16>;
    fn reversed(&self, numbers: Vec<u32>) -> Vec<u32>;
    fn numbers(&self, count: u32) -> Result<Vec<u64>, DivideError>;
    fn panics(&self, message: String) -> u8;
    /// Blocks its thread until the test opens the gate.
    fn pass(&self, value: u64) -> u64;
    fn calls(&self) -> u64;
    fn client_id(&self, #[wit(ctx)] context: &CallContext) -> u64;

    async fn lookup(&self, key: &str) -> Option<String>;
    async fn divide_later(&self, a: i64, b: i64) -> Result<i64, DivideError>;
    async fn panics_later(&self) -> u8;
    /// Waits until the test opens the gate.
    async fn pass_later(&self, value: u64) -> u64;
}

#[derive(Clone, Default)]
pub(crate) struct Corner {
    pub(crate) gate: Gate,
    pub(crate) calls: Arc<AtomicU64>,
}

impl Shop for Corner {
    fn add(&self, a: i64, b: i64) -> i64 {
        self.calls.fetch_add(1, Ordering::Relaxed);
        a + b
    }

    fn divide(&self, a: i64, b: i64) -> Result<i64, DivideError> {
        a.checked_div(b).ok_or(DivideError::ByZero { dividend: a })
    }

    fn nothing(&self) {}

    fn order(&self, order: Order) -> Order {
        order
    }

    fn order_by_ref(&self, order: &Order) -> Order {
        order.clone()
    }

    fn shout(&self, text: &str) -> String {
        text.to_uppercase()
    }

    fn parent(&self, path: &Path) -> Option<PathBuf> {
        path.parent().map(Path::to_owned)
    }

    fn mean(&self, samples: &[f64]) -> f64 {
        samples.iter().sum::<f64>() / samples.len() as f64
    }

    fn interleave(&self, a: &[u8], between: &str, b: &[u16], scale: u16) -> Vec<u16> {
        let between = between.len() as u16;
        let pairs = a.iter().zip(b).flat_map(|(a, b)| [u16::from(*a), between, *b]);
        pairs.map(|number| number * scale).collect()
    }

    fn reversed(&self, numbers: Vec<u32>) -> Vec<u32> {
        numbers.into_iter().rev().collect()
    }

    fn numbers(&self, count: u32) -> Result<Vec<u64>, DivideError> {
        match count {
            0 => Err(DivideError::ByZero { dividend: 0 }),
            count => Ok((0..u64::from(count)).collect()),
        }
    }

    fn panics(&self, message: String) -> u8 {
        panic!("{message}")
    }

    fn pass(&self, value: u64) -> u64 {
        self.gate.pass();
        value
    }

    fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    fn client_id(&self, context: &CallContext) -> u64 {
        context.client_id()
    }

    async fn lookup(&self, key: &str) -> Option<String> {
        (key == "tea").then(|| "Darjeeling".to_owned())
    }

    async fn divide_later(&self, a: i64, b: i64) -> Result<i64, DivideError> {
        self.divide(a, b)
    }

    async fn panics_later(&self) -> u8 {
        panic!("later")
    }

    async fn pass_later(&self, value: u64) -> u64 {
        self.gate.pass_async().await;
        value
    }
}

/// Serves `shop` at `place`.
pub(crate) fn serve(place: &InProcess, shop: &Corner) -> WitServer {
    WitServer::builder()
        .listen(place.clone())
        .service(ShopServer::new(shop.clone()))
        .start()
        .expect("no other server is there")
}
