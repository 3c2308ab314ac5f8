//! What is generated is as visible as the trait, and nothing more.

#![deny(warnings, unreachable_pub, dead_code)]

mod inner {
    pub(super) mod deep {
        #[witrpc::wit_service]
        pub(in crate::inner) trait Inside {
            fn add(&self, a: Private, b: u8) -> u8;
        }

        #[derive(serde::Serialize, serde::Deserialize)]
        pub(in crate::inner) struct Private;

        #[witrpc::wit_service]
        pub(crate) trait Within {
            fn add(&self, a: i64, b: i64) -> i64;
        }

        #[witrpc::wit_service]
        trait Unused {
            fn add(&self, a: i64, b: i64) -> i64;
        }
    }

    pub(crate) fn use_inside() {
        let _ = |client: deep::InsideClient| client.add(deep::Private, 1);
    }
}

fn main() {
    inner::use_inside();
    let _ = |client: inner::deep::WithinClient| client.add(1, 2);
    let _ = |client: inner::deep::WithinAsyncClient| client.connection().is_connected();
}
