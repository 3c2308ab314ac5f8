//! Serves a calculator: `calculator_server NAME`. Call it with `calculator_client NAME`.

#![forbid(unsafe_code)]

use std::error::Error;
use std::process::ExitCode;

use witrpc::WitServer;
use witrpc_examples::calculator::{CalculatorServer, Desk};
use witrpc_examples::exit_code;

fn main() -> ExitCode {
    exit_code("calculator_server", run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let name = std::env::args().nth(1).ok_or("usage: calculator_server NAME")?;
    let server =
        WitServer::builder().listen(name.as_str()).service(CalculatorServer::new(Desk)).start()?;
    println!("serving {name:?}; Ctrl-C ends it");
    println!("{}", server.wait());
    Ok(())
}
