//! A `Result` is one by its name, by its two arguments, or by `#[wit(result)]`.

#![deny(warnings)]

use serde::{Deserialize, Serialize};
use witrpc::__private::v1::Client;
use witrpc::{CallError, wit_service};

#[derive(Debug, Serialize, Deserialize)]
struct MyError;

type Result<T> = std::result::Result<T, MyError>;
type Outcome = Result<u64>;
mod fmt {
    pub(crate) type Result<T = ()> = std::result::Result<T, String>;
}

#[wit_service]
trait Results {
    fn spelled(&self) -> std::result::Result<u64, MyError>;
    fn aliased(&self) -> Result<u64>;
    fn bare(&self) -> fmt::Result;
    async fn later(&self) -> Result<Vec<u8>>;
    #[wit(result)]
    fn marked(&self) -> Outcome;
    #[wit(result)]
    async fn marked_later(&self) -> Outcome;
    fn optional(&self) -> Option<Result<u64>>;
}

struct MyResults;

impl Results for MyResults {
    fn spelled(&self) -> Result<u64> {
        Ok(1)
    }
    fn aliased(&self) -> Result<u64> {
        Err(MyError)
    }
    fn bare(&self) -> fmt::Result {
        Ok(())
    }
    async fn later(&self) -> Result<Vec<u8>> {
        Ok(vec![1])
    }
    fn marked(&self) -> Outcome {
        Ok(2)
    }
    async fn marked_later(&self) -> Outcome {
        Ok(3)
    }
    fn optional(&self) -> Option<Result<u64>> {
        None
    }
}

fn calls(client: &ResultsClient) -> std::result::Result<u64, CallError<MyError>> {
    let _: std::result::Result<(), CallError<String>> = client.bare();
    let _: Option<Result<u64>> = client.optional()?;
    let _: Vec<u8> = client.later()?;
    let sum: u64 = client.spelled()? + client.aliased()? + client.marked()?;
    Ok(sum + client.marked_later()?)
}

fn main() {
    let _ = ResultsServer::new(MyResults);
    let _ = calls;
    let fallible = ResultsClient::DESCRIPTOR.methods.iter().map(|method| method.error.is_some());
    assert_eq!(fallible.collect::<Vec<_>>(), [true, true, true, true, true, true, false]);
}
