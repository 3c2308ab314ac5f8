//! A web server that makes thumbnails of PNG files: see `--help`.
//!
//! The files come from strangers, so no decoder runs in the process that faces the network. A pool of
//! worker processes decodes them: a file that kills its decoder costs one request its answer, and the
//! pool starts another worker. On SIGTERM or Ctrl-C the server takes no new requests, answers those that
//! it has, and ends its workers.
//!
//! ```sh
//! cargo run --release --bin axum_workers &
//! curl --data-binary @photo.png 'http://127.0.0.1:8080/thumbnail?width=128' -o small.png
//! curl http://127.0.0.1:8080/workers
//! ```

#![forbid(unsafe_code)]

mod options;
mod pool;
mod thumbnails;
mod web;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::sleep;
use witrpc::worker;
use witrpc_examples::exit_code;

use options::Options;
use pool::Pool;
use web::Site;

fn main() -> ExitCode {
    exit_code("axum_workers", run())
}

fn run() -> Result<(), Box<dyn Error>> {
    if worker::is_worker() {
        return Ok(thumbnails::serve()?);
    }
    let options = Options::parse();
    Runtime::new()?.block_on(serve(options))
}

async fn serve(options: Options) -> Result<(), Box<dyn Error>> {
    let end = end_by_signal()?;
    let pool = tokio::select! {
        pool = Pool::start(options.workers, options.timeout()) => pool?,
        () = has_come(end.clone()) => return Ok(()),
    };
    let listener = TcpListener::bind(options.listen).await;
    let listener = listener.map_err(|error| format!("{}: {error}", options.listen))?;
    println!("thumbnails at http://{}/thumbnail", listener.local_addr()?);

    let site = Arc::new(Site::new(pool, &options));
    let server = axum::serve(listener, web::router(Arc::clone(&site)))
        .with_graceful_shutdown(has_come(end.clone()));
    tokio::select! {
        served = server => served?,
        () = async { has_come(end).await; sleep(options.grace()).await } => {
            eprintln!("axum_workers: {} requests were not answered in time", site.requests());
        }
    }
    site.pool().stop(options.grace()).await;
    println!("ended");
    Ok(())
}

/// Returns what is closed on the first SIGTERM or Ctrl-C from now on.
fn end_by_signal() -> Result<watch::Receiver<()>, std::io::Error> {
    let (mut terminations, mut interrupts) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (open, end) = watch::channel(());
    tokio::spawn(async move {
        tokio::select! {
            _ = terminations.recv() => {}
            _ = interrupts.recv() => {}
        }
        drop(open);
    });
    Ok(end)
}

/// Waits for the signal.
async fn has_come(mut end: watch::Receiver<()>) {
    // Nothing is ever sent, so this is the close.
    let _ = end.changed().await;
}
