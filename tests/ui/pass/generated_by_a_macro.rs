//! The trait may itself come out of a `macro_rules!`.

#![deny(warnings)]

mod shapes {
    #[derive(serde::Serialize, serde::Deserialize)]
    pub(crate) struct Point(pub(crate) f64);
    pub(crate) type Result<T> = std::result::Result<T, String>;
}

macro_rules! service {
    ($name:ident, $method:ident, $argument:ident: $ty:ty => $answer:ty) => {
        #[witrpc::wit_service]
        trait $name {
            /// The one method.
            fn $method(&self, $argument: $ty, lent: &[$ty], other: $crate::shapes::Point) -> $answer;
            async fn later(&self, $argument: &$ty, call: &str) -> $crate::shapes::Result<$ty>;
        }
    };
}

service!(Doubles, double, of: f64 => Option<f64>);
service!(Words, word, at: u64 => std::result::Result<String, String>);

fn main() {
    let _ = |client: DoublesClient| client.double(1.0, &[], shapes::Point(1.0));
    let _ = |client: WordsAsyncClient| async move { client.later(&1, "").await };
}
