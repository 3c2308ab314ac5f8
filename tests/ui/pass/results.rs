//! The compiler finds a `Result` behind a type that is named so or takes types, behind others by
//! `#[wit(result)]` or `results`.

#![deny(warnings)]

use serde::{Deserialize, Serialize};
use witrpc::__private::v1::Client;
use witrpc::{CallError, wit_service};

#[derive(Debug, Serialize, Deserialize)]
struct MyError;

type Result<T> = std::result::Result<T, MyError>;
type Outcome = Result<u64>;
type Pending<T> = Result<T>;
type UnitResult = Result<()>;
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
    fn pending(&self) -> Pending<Option<u8>>;
    async fn pending_later(&self) -> Pending<u8>;
    fn named(&self) -> UnitResult;
    fn items(&self) -> impl Iterator<Item = Pending<u8>>;
}

struct MyResults;

/// What the question is asked about, and answered with no.
mod search {
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    pub struct Result {
        pub hits: u64,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    pub struct Page<T>(pub Vec<T>);
}

/// Any of them may be a `Result`, and the compiler finds which are.
#[wit_service(results)]
trait Search {
    fn find(&self, text: &str) -> search::Result;
    fn page(&self, number: u64) -> search::Page<u8>;
    async fn page_later(&self, number: u64) -> search::Page<u8>;
    fn pages(&self) -> impl Iterator<Item = search::Page<u8>>;
    fn outcome(&self) -> Outcome;
    fn text(&self) -> String;
}

struct MySearch;

impl Search for MySearch {
    fn find(&self, text: &str) -> search::Result {
        search::Result { hits: text.len() as u64 }
    }
    fn page(&self, number: u64) -> search::Page<u8> {
        search::Page(vec![number as u8])
    }
    async fn page_later(&self, number: u64) -> search::Page<u8> {
        search::Page(vec![number as u8])
    }
    fn pages(&self) -> impl Iterator<Item = search::Page<u8>> {
        [search::Page(vec![1]), search::Page(vec![])].into_iter()
    }
    fn outcome(&self) -> Outcome {
        Err(MyError)
    }
    fn text(&self) -> String {
        "found".to_owned()
    }
}

fn searches() {
    let client = SearchClient::in_process(MySearch);
    let found: std::result::Result<search::Result, CallError> = client.find("four");
    assert_eq!(found, Ok(search::Result { hits: 4 }));
    assert_eq!(client.page(1), Ok(search::Page(vec![1])));
    assert_eq!(client.page_later(2), Ok(search::Page(vec![2])));
    let pages: Vec<_> = client.pages().unwrap().map(std::result::Result::unwrap).collect();
    assert_eq!(pages, [search::Page(vec![1]), search::Page(vec![])]);
    assert!(matches!(client.outcome(), Err(CallError::App(MyError))));
    assert_eq!(client.text(), Ok("found".to_owned()));
    let fallible = SearchClient::DESCRIPTOR.methods.iter().map(|method| method.error.is_some());
    assert_eq!(fallible.collect::<Vec<_>>(), [false, false, false, false, true, false]);
}

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
    fn pending(&self) -> Pending<Option<u8>> {
        Ok(Some(4))
    }
    async fn pending_later(&self) -> Pending<u8> {
        Err(MyError)
    }
    fn named(&self) -> UnitResult {
        Err(MyError)
    }
    fn items(&self) -> impl Iterator<Item = Pending<u8>> {
        [Ok(1), Err(MyError)].into_iter()
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
    let expected = [true, true, true, true, true, true, false, true, true, true, false];
    assert_eq!(fallible.collect::<Vec<_>>(), expected);
    let client = ResultsClient::in_process(MyResults);
    assert!(matches!(client.pending(), Ok(Some(4))));
    assert!(matches!(client.pending_later(), Err(CallError::App(MyError))));
    assert!(matches!(client.named(), Err(CallError::App(MyError))));
    let items: Vec<_> = client.items().unwrap().collect();
    assert!(matches!(items[..], [Ok(1), Err(CallError::App(MyError))]));
    searches();
}
