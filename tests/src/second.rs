//! A second service, for a server that has more than one.

use witrpc::wit_service;

/// Has methods with the names and numbers of the basic service's, which do something else.
#[wit_service]
pub trait Second {
    /// The difference.
    fn add(&self, a: i64, b: i64) -> i64;
    /// The text, in capitals.
    #[wit(idempotent)]
    fn echo_text(&self, text: &str) -> String;
}

/// The service.
#[derive(Debug)]
pub struct Shed;

impl Second for Shed {
    fn add(&self, a: i64, b: i64) -> i64 {
        a - b
    }

    fn echo_text(&self, text: &str) -> String {
        text.to_uppercase()
    }
}
