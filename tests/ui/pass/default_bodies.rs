//! A trait keeps its default bodies for those that implement it, and clients call these methods as any
//! others.

#![deny(warnings)]

use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};
use witrpc::{CallContext, Stream, wit_service};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct StepError;

#[wit_service]
trait Steps {
    fn value(&self) -> u32;
    async fn increase(&self, by: u32) -> Result<u32, StepError>;
    fn doubled(&self) -> u32 {
        2 * self.value()
    }
    /// Twice what it is.
    async fn double(&self) -> Result<u32, StepError> {
        let now = self.value();
        if now == 0 {
            return Err(StepError);
        }
        let increased = self.increase(now).await?;
        Ok(increased)
    }
    fn counted(&self, mut from: u32, #[wit(ctx)] cx: &CallContext) -> u32 {
        let _ = cx;
        from += 1;
        from
    }
    fn all(&self) -> impl Iterator<Item = u32> {
        (0..2).map(|step| step + self.value())
    }
    fn sum(&self, numbers: impl Iterator<Item = u32>) -> u32 {
        numbers.sum::<u32>() + self.value()
    }
    async fn last(&self, numbers: impl Stream<Item = u32>) -> u32 {
        drop(numbers);
        self.value()
    }
}

#[derive(Default)]
struct Counter(AtomicU32);

impl Steps for Counter {
    fn value(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
    async fn increase(&self, by: u32) -> Result<u32, StepError> {
        Ok(self.0.fetch_add(by, Ordering::Relaxed) + by)
    }
    // One of the others is replaced.
    fn sum(&self, numbers: impl Iterator<Item = u32>) -> u32 {
        numbers.count() as u32
    }
}

fn main() {
    let client = StepsClient::in_process(Counter::default());
    assert_eq!(client.double(), Err(witrpc::CallError::App(StepError)));
    assert_eq!(client.increase(3), Ok(3));
    assert_eq!(client.doubled(), Ok(6));
    assert_eq!(client.double(), Ok(6));
    assert_eq!(client.counted(1), Ok(2));
    let all: Vec<u32> = client.all().unwrap().map(Result::unwrap).collect();
    assert_eq!(all, [6, 7]);
    assert_eq!(client.sum([10, 20].into_iter()), Ok(2));
    assert_eq!(client.last([10, 20].into_iter()), Ok(6));
}
