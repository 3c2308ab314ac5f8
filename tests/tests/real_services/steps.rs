//! A counter without a word of its own, whose trait has a supertrait.

use arbitrary::Arbitrary;
use serde::{Deserialize, Serialize};
use witrpc::{Codec, wit_service};

use super::{Desk, over_each_codec};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Arbitrary)]
pub enum StepError {
    Overflow,
    Lost(String),
}

#[wit_service]
pub trait Steps: Sync {
    async fn value(&self) -> Result<u32, StepError>;
    async fn increase(&self, by: u32) -> Result<(), StepError>;
    async fn double(&self) -> Result<(), StepError>;
    async fn later(&self, by: u32) -> Result<u32, StepError>;
}

impl Steps for Desk {
    async fn value(&self) -> Result<u32, StepError> {
        self.serve(())
    }

    async fn increase(&self, by: u32) -> Result<(), StepError> {
        self.serve(by)
    }

    async fn double(&self) -> Result<(), StepError> {
        self.serve(())
    }

    async fn later(&self, by: u32) -> Result<u32, StepError> {
        self.serve(by)
    }
}

#[test]
fn steps_of_a_counter() {
    let desk = Desk::default();
    over_each_codec!(
        StepsClient,
        StepsServer::new(desk.clone()),
        quickest Codec::Postcard,
        unfit &[],
        |codec, client: &StepsClient| {
            desk.result(codec, |()| client.value());
            desk.result(codec, |by| client.increase(by));
            desk.result(codec, |()| client.double());
            desk.result(codec, |by| client.later(by));
        }
    );
}
