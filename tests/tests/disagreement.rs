//! A client that was built from another version of the trait than its server.

use futures_executor::block_on;
use serde::{Deserialize, Serialize};
use witrpc::{CallError, Codec, ConnectError, ContractDifference, wit_service};
use witrpc_tests::CODECS;
use witrpc_tests::fixture::Fixture;
use witrpc_tests::over_both_transports;

/// A result that has gained a field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quotient {
    /// Was the only field.
    pub whole: i64,
    /// Is new.
    pub rest: String,
}

/// A wrong version of the basic service: methods in another order, with arguments and results that
/// it does not have.
#[wit_service(name = "Basic")]
pub trait Misremembered {
    /// There is no such method.
    fn polish(&self, times: u32) -> bool;
    /// It takes a text.
    fn echo_text(&self, text: &[f64]) -> String;
    /// It takes no third number.
    fn add(&self, a: i64, b: i64, c: i64) -> i64;
    /// It fails in other ways too.
    fn divide(&self, dividend: i64, divisor: i64) -> Result<i64, DivideError>;
    /// It returns a plain number.
    fn mean(&self, samples: &[f64]) -> Quotient;
    /// This one is right.
    fn extend(&self, path: &std::path::Path, with: &str) -> String;
}

/// The error before it had a case for overflow.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub enum DivideError {
    /// Was the only case.
    ByZero,
}

/// An older version of the basic service, whose server has gained methods since.
#[wit_service(name = "Basic")]
pub trait Earlier {
    /// There is no such method any more.
    fn polish(&self, times: u32) -> bool;
    /// Is an `async fn` here.
    async fn extend(&self, path: &std::path::Path, with: &str) -> String;
    /// Is not one here.
    #[wit(idempotent)]
    fn lookup(&self, key: String) -> Option<String>;
}

/// Any JSON value that is one token.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Word {
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
}

/// The basic service for clients that do not describe what they send.
#[wit_service(name = "Basic")]
pub trait Vague {
    /// The sum.
    fn add(&self, a: Word, b: Word) -> Word;
    /// It returns a text.
    fn lookup(&self, key: String) -> Option<Number>;
}

/// Reads a number, or fails.
#[derive(Debug, PartialEq, Serialize)]
pub struct Number(i64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Word::deserialize(deserializer)? {
            Word::Number(number) => Ok(Self(number)),
            Word::Text(text) => Err(serde::de::Error::custom(format!("{text} is no number"))),
        }
    }
}

/// A service that the server does not serve.
#[wit_service]
pub trait Bakery {
    /// Bakes.
    fn bake(&self);
}

over_both_transports! {
    fn all_that_differs_is_told_to_a_strict_client_when_connecting(transport) {
        let fixture = Fixture::new(transport);
        let bystander = fixture.client();
        let expected = [
            "echo_text: argument `text` is raw [f64] here and str there",
            "add: takes 3 arguments here and 2 there",
            "divide: the error: `Overflow` is a variant only there",
            "mean: the result is Quotient { whole: i64, rest: str } here and f64 there",
        ];
        let told = |error| match error {
            ConnectError::ContractMismatch { service, differences } => {
                assert_eq!(service, "Basic");
                differences.iter().map(ContractDifference::to_string).collect::<Vec<_>>()
            }
            other => panic!("{other}"),
        };
        for codec in CODECS {
            let client = MisrememberedClient::builder(fixture.endpoint()).codec(codec).strict(true);
            assert_eq!(told(client.connect().unwrap_err()), expected, "{codec}");
            let client = MisrememberedAsyncClient::builder(fixture.endpoint()).codec(codec);
            let client = client.strict(true);
            assert_eq!(told(block_on(client.connect()).unwrap_err()), expected, "{codec}");
        }
        assert_eq!(bystander.add(1, 2), Ok(3));
    }

    fn methods_may_come_and_go(transport) {
        let fixture = Fixture::new(transport);
        for codec in CODECS {
            let client = EarlierClient::builder(fixture.endpoint()).codec(codec).connect().unwrap();
            assert_eq!(client.polish(3), Err(CallError::UnknownMethod { method: "polish" }));
            // Matched by name, wherever it is in either trait.
            assert_eq!(client.extend("a".as_ref(), "b"), Ok("a/b".to_owned()));
            assert_eq!(client.lookup("pi".to_owned()), Ok(Some("PI".to_owned())));
        }
    }

    fn what_cannot_be_traced_is_told_by_the_call(transport) {
        let fixture = Fixture::new(transport);
        let client = VagueClient::builder(fixture.endpoint()).codec(Codec::Json).connect().unwrap();
        let contract = client.connection().contract();
        assert_eq!(contract.lines().next(), Some("add(a: ?, b: ?) -> ?"));
        assert_eq!(client.add(Word::Number(1), Word::Number(2)), Ok(Word::Number(3)));
        let refused = client.add(Word::Number(1), Word::Text("two".to_owned())).unwrap_err();
        assert!(matches!(refused, CallError::BadRequest { .. }), "{refused}");
        assert!(!refused.maybe_executed());
        let unread = client.lookup("pi".to_owned());
        assert!(matches!(unread, Err(CallError::Decode { .. })), "{unread:?}");
        assert_eq!(fixture.client().add(1, 2), Ok(3));
    }

    fn a_service_that_is_not_served_is_refused_with_those_that_are(transport) {
        let fixture = Fixture::new(transport);
        let refused = block_on(BakeryAsyncClient::connect(fixture.endpoint())).unwrap_err();
        match refused {
            ConnectError::UnknownService { asked, serves } => {
                let served = ["Basic", "Cancellation", "SharedMemory"].map(str::to_owned).to_vec();
                assert_eq!((asked.as_str(), serves), ("Bakery", served));
            }
            other => panic!("{other}"),
        }
        assert_eq!(fixture.client().add(1, 2), Ok(3));
    }
}
