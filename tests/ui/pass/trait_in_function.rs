//! A service may be local to a function.

#![deny(warnings)]

use witrpc::wit_service;

fn main() {
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    struct Local(u8);

    #[wit_service]
    trait Echo {
        fn echo(&self, local: Local) -> Local;
        async fn later(&self, local: &Local) -> Result<Local, Local>;
    }

    struct MyEcho;

    impl Echo for MyEcho {
        fn echo(&self, local: Local) -> Local {
            local
        }
        async fn later(&self, local: &Local) -> Result<Local, Local> {
            Ok(Local(local.0))
        }
    }

    let _ = EchoServer::new(MyEcho);
    let _ = |echo: EchoClient| echo.echo(Local(1)).map(|local| local.0);
    let _ = |echo: EchoAsyncClient| async move { echo.later(&Local(1)).await.map(|_| ()) };
}
