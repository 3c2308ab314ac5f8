//! `crate = path` says where the runtime is, here behind a re-export.

#![deny(warnings)]

mod vendored {
    pub(crate) use witrpc as rpc;
}

mod witrpc_is_not_here {
    #[crate::vendored::rpc::wit_service(crate = crate::vendored::rpc)]
    pub(crate) trait Calculator {
        fn add(&self, a: i64, b: i64) -> i64;
        async fn parse(&self, text: &str) -> Result<f64, String>;
    }
}

fn main() {
    let _ = |client: witrpc_is_not_here::CalculatorClient| client.add(1, 2);
}
