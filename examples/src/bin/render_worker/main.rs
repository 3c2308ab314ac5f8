//! Renders a picture in a worker process; the picture survives a crash of the worker: see `--help`.
//!
//! The tiles come as a stream, each as soon as it is done, and events drive the progress bar. When
//! the worker dies, this program starts another one and asks it for the tiles that are still
//! missing.

#![forbid(unsafe_code)]

mod order;
mod picture;
mod renderer;

use std::error::Error;
use std::path::Path;
use std::process::{Command, ExitCode};

use indicatif::{ProgressBar, ProgressStyle};
use lexopt::Parser;
use rustix::process::{Pid, Signal, kill_process};
use tokio::signal::unix::{SignalKind, signal};
use witrpc::{Backoff, CallError, Worker, WorkerError, WorkerState, worker};
use witrpc_examples::exit_code;

use order::{HELP, Order};
use picture::Picture;
use renderer::{Painter, RendererAsyncClient, RendererServer};

type RenderWorker = Worker<RendererAsyncClient>;

/// The number of workers that may die before the program gives the picture up.
const MOST_WORKERS: usize = 4;

fn main() -> ExitCode {
    exit_code("render_worker", run())
}

fn run() -> Result<(), Box<dyn Error>> {
    if worker::is_worker() {
        return Ok(worker::serve(RendererServer::with_events(Painter::new))?);
    }
    match Order::of(Parser::from_env())? {
        Order::Help => println!("{HELP}"),
        Order::Picture { path, view, crash } => produce(&path, Picture::new(view), crash)?,
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn produce(path: &Path, mut picture: Picture, crash: bool) -> Result<(), Box<dyn Error>> {
    // From here on this program handles Ctrl-C, also while the worker starts.
    let mut interrupts = signal(SignalKind::interrupt())?;
    let tiles = picture.missing().len();
    let bar = bar(picture.missing_rows());
    let worker = start(&bar).await?;
    tokio::select! {
        finished = finish(&mut picture, &worker, &bar, crash) => finished?,
        _ = interrupts.recv() => {
            // The future above is dropped, and the stream with it: the worker has stopped.
            bar.abandon();
            let missing = picture.missing().len();
            return Err(format!("stopped, with {missing} of {tiles} tiles missing").into());
        }
    }
    bar.finish();
    picture.save(path).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("{}: {tiles} tiles, restarts: {}", path.display(), worker.restarts());
    Ok(())
}

/// Starts a worker. If it dies, the crate starts the next one, and a line above the bar says so.
async fn start(bar: &ProgressBar) -> Result<RenderWorker, Box<dyn Error>> {
    let above = bar.clone();
    let worker = Worker::builder(Command::new(std::env::current_exe()?))
        .restart(Backoff::default())
        .on_failure(move |failure: &WorkerError| above.suspend(|| eprintln!("{failure}")))
        .spawn_async()
        .await?;
    if let WorkerState::Serving { pid } = worker.state() {
        println!("the worker is process {pid}");
    }
    Ok(worker)
}

/// Has the missing tiles rendered, by one worker or by several in succession.
async fn finish(
    picture: &mut Picture,
    worker: &RenderWorker,
    bar: &ProgressBar,
    crash: bool,
) -> Result<(), Box<dyn Error>> {
    let mut crash_at = crash.then_some(picture.missing().len() / 2);
    for _ in 0..MOST_WORKERS {
        let received = receive(picture, worker.client(), bar, |missing| {
            if crash_at.is_some_and(|at| missing <= at) {
                crash_at = None;
                kill(worker);
            }
        });
        match received.await {
            Ok(()) if picture.missing().is_empty() => return Ok(()),
            Err(error) if !error.is_retryable() => return Err(error.into()),
            // The next worker continues where this one ended.
            Ok(()) | Err(_) => {}
        }
    }
    Err(format!("{MOST_WORKERS} workers have ended before the picture was finished").into())
}

/// Takes the missing tiles from one worker. Passes the number of tiles still missing to `arrived`
/// after each.
async fn receive(
    picture: &mut Picture,
    renderer: &RendererAsyncClient,
    bar: &ProgressBar,
    mut arrived: impl FnMut(usize),
) -> Result<(), CallError> {
    let before = bar.length().unwrap_or(0) - picture.missing_rows();
    let moved = bar.clone();
    let progress = renderer.on_progress(move |event| {
        // A lost event does not matter: the next one says more.
        if let Ok(event) = event {
            moved.set_position(before + event.rows);
        }
    });
    let _drives_the_bar = progress.await?;
    let mut tiles = renderer.render(picture.view(), picture.missing().to_vec()).await?;
    while let Some(tile) = tiles.next().await {
        picture.put(&tile?);
        arrived(picture.missing().len());
    }
    Ok(())
}

/// Kills the worker, as a bug in it might, or the kernel when memory runs out.
fn kill(worker: &RenderWorker) {
    if let WorkerState::Serving { pid } = worker.state()
        && let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw)
    {
        // An error means that it has ended already, which is what this wants.
        let _ = kill_process(pid, Signal::KILL);
    }
}

fn bar(rows: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:50.cyan/blue} {percent:>3} %  {eta} left");
    ProgressBar::new(rows).with_style(style.expect("the template is right"))
}
