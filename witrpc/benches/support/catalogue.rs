//! A service of 20 methods, in two versions, for the cost of comparing contracts.

use serde::{Deserialize, Serialize};

/// What is ordered.
#[derive(Serialize, Deserialize)]
pub(crate) struct Order {
    number: u64,
    lines: Vec<Line>,
    note: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    article: String,
    count: u32,
    price: f64,
}

/// Why it is not done.
#[derive(Serialize, Deserialize)]
pub(crate) enum Refusal {
    Unknown,
    Limit { most: u32 },
    Other(String),
}

macro_rules! versions {
    ($($version:ident: $($method:ident)*;)*) => {$(
        pub(crate) mod $version {
            use super::{Order, Refusal};

            #[witrpc::wit_service]
            pub(crate) trait Catalogue {
                $(fn $method(&self, order: Order, by: &str) -> Result<Order, Refusal>;)*
            }

            pub(crate) struct Idle;

            impl Catalogue for Idle {
                $(fn $method(&self, order: Order, _: &str) -> Result<Order, Refusal> {
                    Ok(order)
                })*
            }
        }
    )*};
}

versions! {
    now: a b c d e f g h i j k l m n o p q r s t;
    later: u a b c d e f g h i j k l m n o p q r s t;
    small: a;
}
