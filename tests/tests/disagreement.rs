//! A client that was built from another version of the trait than its server.

use futures_executor::block_on;
use serde::{Deserialize, Serialize};
use witrpc::{CallError, Codec, ConnectError, wit_service};
use witrpc_tests::over_both_transports;
use witrpc_tests::site::Site;

/// A result that has grown since.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quotient {
    /// Was all.
    pub whole: i64,
    /// Is new.
    pub rest: String,
}

/// What the workshop is to those who remember it wrongly: methods in another order, with arguments
/// and results that it does not have.
#[wit_service(name = "Workshop")]
pub trait Misremembered {
    /// There is no such method.
    fn polish(&self, times: u32) -> bool;
    /// It takes a text.
    fn echo_text(&self, text: &[f64]) -> String;
    /// It takes no third number.
    fn add(&self, a: i64, b: i64, c: i64) -> i64;
    /// It takes a second number.
    fn divide(&self, dividend: i64) -> Result<i64, String>;
    /// It gives a plain number.
    fn mean(&self, samples: &[f64]) -> Quotient;
    /// It gives another error.
    fn divide_later(&self, dividend: i64, divisor: i64) -> Result<i64, Vec<String>>;
    /// This one is right.
    fn extend(&self, path: &std::path::Path, with: &str) -> String;
}

/// A service that no workshop serves.
#[wit_service]
pub trait Bakery {
    /// Bakes.
    fn bake(&self);
}

over_both_transports! {
    fn calls_that_disagree_are_errors_and_harm_nobody(transport) {
        let site = Site::new(transport);
        let bystander = site.client();
        for codec in [Codec::Postcard, Codec::Json] {
            let client = MisrememberedClient::builder(site.endpoint()).codec(codec);
            let client = client.connect().unwrap();
            assert_eq!(client.polish(3), Err(CallError::UnknownMethod { method: "polish" }));
            let refused = client.add(1, 2, 3).unwrap_err();
            assert!(matches!(refused, CallError::BadRequest { .. }), "{codec}: {refused}");
            assert!(!refused.maybe_executed());
            let refused = client.divide(1);
            assert!(matches!(refused, Err(CallError::BadRequest { .. })), "{codec}: {refused:?}");
            let refused = client.echo_text(&[1.0, 2.0]);
            assert!(matches!(refused, Err(CallError::BadRequest { .. })), "{codec}: {refused:?}");
            let unread = client.mean(&[1.0, 2.0]);
            assert!(matches!(unread, Err(CallError::Decode { .. })), "{codec}: {unread:?}");
            let unread = client.divide_later(i64::MIN, -1);
            assert!(matches!(unread, Err(CallError::Decode { .. })), "{codec}: {unread:?}");
            // Matched by name, wherever it stands in either trait.
            assert_eq!(client.extend("a".as_ref(), "b"), Ok("a/b".to_owned()));
            assert_eq!(bystander.add(1, 2), Ok(3));
        }
    }

    fn a_service_that_is_not_served_is_refused_with_those_that_are(transport) {
        let site = Site::new(transport);
        let refused = block_on(BakeryAsyncClient::connect(site.endpoint())).unwrap_err();
        match refused {
            ConnectError::UnknownService { asked, serves } => {
                assert_eq!((asked.as_str(), serves), ("Bakery", vec!["Workshop".to_owned()]));
            }
            other => panic!("{other}"),
        }
        assert_eq!(site.client().add(1, 2), Ok(3));
    }
}
