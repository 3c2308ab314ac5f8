//! Moving pictures, drawn here and filtered in a worker process. No frame is copied on the way.
//!
//! ```sh
//! frames                                  # 240 frames; a picture of every tenth in the temporary directory
//! frames --size 3840x2160 --fps 60        # how much does 4K cost?
//! frames --fps 0 --filter blur --out pics # as fast as it goes
//! ```
//!
//! A thread draws each frame straight into memory that the worker sees. It waits there when the
//! worker is behind (back-pressure). The worker reads the frame row by row, and writes the result
//! into memory that this process sees. This process writes it to a PNG file.

#![forbid(unsafe_code)]

mod darkroom;
mod filter;
mod options;
mod pictures;
mod scene;
mod show;

use std::error::Error;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use signal_hook::consts::SIGINT;
use witrpc::{Worker, worker};
use witrpc_examples::exit_code;

use darkroom::{DarkroomClient, DarkroomServer, Lamp};
use options::Options;

/// The longest time that the worker may take to end.
const GRACE: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    exit_code("frames", run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let Some(options) = Options::of_this_process()? else {
        println!("{}", options::HELP);
        return Ok(());
    };
    if worker::is_worker() {
        let memory = options.size.memory();
        return Ok(worker::serve_with(|server, place| {
            server.listen(place.size(memory)).service(DarkroomServer::new(Lamp))
        })?);
    }
    let stop = Arc::new(AtomicBool::new(false));
    // The second Ctrl-C ends this process at once; the worker ends with it.
    signal_hook::flag::register_conditional_shutdown(SIGINT, 130, Arc::clone(&stop))?;
    signal_hook::flag::register(SIGINT, Arc::clone(&stop))?;

    let mut command = Command::new(std::env::current_exe()?);
    command.args(std::env::args_os().skip(1));
    let worker = Worker::<DarkroomClient>::builder(command).forward_stderr(true).spawn()?;
    let shown = show::show(worker.client(), &options, &stop);
    worker.stop(GRACE);
    println!("{}", shown?);
    Ok(())
}
