//! A chat of many terminals: see `--help`.
//!
//! Each guest has a call that lasts as long as the guest stays. So the server learns of each guest
//! that leaves, also when the terminal was closed or the process was killed.

#![forbid(unsafe_code)]

mod guest;
mod order;
mod room;

use std::error::Error;
use std::process::ExitCode;

use lexopt::Parser;
use tokio::signal::unix::{SignalKind, signal};
use witrpc_examples::exit_code;

use order::{HELP, Order};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit_code("chat", run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    match Order::of(Parser::from_env())? {
        Order::Help => println!("{HELP}"),
        Order::Serve { room } => {
            let mut interrupts = signal(SignalKind::interrupt())?;
            let server = room::serve(&room)?;
            println!("the room {:?} is open; Ctrl-C closes it", server.name());
            interrupts.recv().await;
        }
        Order::Visit { room, name } => guest::visit(&room, &name).await?,
    }
    Ok(())
}
