//! Calls the calculator of `calculator_server NAME`: `calculator_client NAME [A B]`.

#![forbid(unsafe_code)]

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use witrpc_examples::calculator::CalculatorClient;
use witrpc_examples::exit_code;

fn main() -> ExitCode {
    exit_code("calculator_client", run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (name, a, b) = match arguments.as_slice() {
        [name] => (name, 84, 2),
        [name, a, b] => (name, a.parse()?, b.parse()?),
        _ => return Err("usage: calculator_client NAME [A B]".into()),
    };
    let calculator = CalculatorClient::builder(name.as_str())
        .wait_for_server(Duration::from_secs(5))
        .connect()?;
    println!("{a} + {b} = {}", calculator.add(a, b)?);
    match calculator.divide(a, b) {
        Ok(quotient) => println!("{a} / {b} = {quotient}"),
        Err(error) => println!("{a} / {b}: {error}"),
    }
    Ok(())
}
