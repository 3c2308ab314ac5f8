//! Notes that the scripts and programs of one user leave for each other, for a while or for good: see
//! `--help`. Server and client both run on tokio.

#![forbid(unsafe_code)]

mod notebook;
mod order;

use std::error::Error;
use std::process::ExitCode;

use lexopt::Parser;
use tokio::runtime::Handle;
use witrpc::WitServer;
use witrpc_examples::exit_code;

use notebook::{NotebookAsyncClient, NotebookServer, Pinboard};
use order::{HELP, Order, Question};

#[tokio::main]
async fn main() -> ExitCode {
    exit_code("tokio_service", run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    match Order::of(Parser::from_env())? {
        Order::Help => println!("{HELP}"),
        Order::Serve { name } => serve(&name).await?,
        Order::Ask { name, question } => ask(&name, question).await?,
    }
    Ok(())
}

async fn serve(name: &str) -> Result<(), Box<dyn Error>> {
    let runtime = Handle::current();
    let server = WitServer::builder()
        .listen(name)
        .service(NotebookServer::new(Pinboard::default()))
        .spawn_with(move |job| drop(runtime.spawn(job)))
        .start()?;
    println!("notes are kept under the name {name:?}; Ctrl-C ends it");
    tokio::select! {
        _ = server.stopped() => Ok(()),
        pressed = tokio::signal::ctrl_c() => Ok(pressed?),
    }
}

async fn ask(name: &str, question: Question) -> Result<(), Box<dyn Error>> {
    // Some calls wait for others without a time limit; the server's death ends them.
    let notes = NotebookAsyncClient::builder(name).call_timeout(None).connect().await?;
    match question {
        Question::Put { key, text, keep } => notes.put(key, text, keep).await?,
        Question::Get { key } => match notes.get(&key).await? {
            Some(text) => println!("{text}"),
            None => return Err(format!("there is no note {key:?}").into()),
        },
        Question::Wait { key } => println!("{}", notes.wait(&key).await?),
        Question::Gone { key } => notes.gone(&key).await?,
    }
    Ok(())
}
