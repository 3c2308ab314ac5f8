//! Work in a process of its own: what may crash, leak, or be killed.
//!
//! A worker is a child process that serves the program that started it, and nobody else. It ends
//! with its parent, however that ends, and its crash is an error in the parent that says how it
//! ended and what it wrote last. This is how a service of the first chapter becomes one.
//!
//! # A program that is its own worker
//!
//! Nothing needs to be installed beside the program: it starts itself. `src/main.rs`:
//!
//! ```standalone_crate
//! use std::process::Command;
//! use witrpc::{CallError, Worker, wit_service, worker};
//!
//! #[wit_service]
//! pub trait Decoder {
//!     /// The width and height of a picture. May do anything with a broken one.
//!     fn size_of(&self, file: &[u8]) -> Result<(u32, u32), String>;
//! }
//!
//! struct Careless;
//!
//! impl Decoder for Careless {
//!     fn size_of(&self, file: &[u8]) -> Result<(u32, u32), String> {
//!         if file.starts_with(b"broken") {
//!             std::process::abort();
//!         }
//!         Ok((640, 480))
//!     }
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // Before anything else that main does.
//!     if worker::is_worker() {
//!         return Ok(worker::serve(DecoderServer::new(Careless))?);
//!     }
//!
//!     let program = Command::new(std::env::current_exe()?);
//!     let worker = Worker::<DecoderClient>::spawn(program)?;
//!     println!("{:?}", worker.client().size_of(b"fine")?);
//!
//!     match worker.client().size_of(b"broken") {
//!         Err(CallError::PeerDied) => println!("that one killed the decoder: {}", worker.wait()),
//!         other => println!("{other:?}"),
//!     }
//!     Ok(())
//! }
//! ```
//!
//! It prints `(640, 480)`, and then that the worker was ended by `SIGABRT`. Without the abort,
//! dropping the [`Worker`](crate::Worker) at the end of `main` would kill the process;
//! [`stop`](crate::Worker::stop) lets it end by itself. A [handle](crate::Worker::handle) stops it from
//! another thread, or waits for its end there; both have an `async` form.
//!
//! The call of [`is_worker`](crate::worker::is_worker) is not to be forgotten: without it the process
//! would start itself again and again. So a process that was started as a worker and does not serve
//! starts none: [`WorkerError::MustServeFirst`](crate::WorkerError::MustServeFirst). How to test code
//! that starts workers is told [in the chapter on tests](super::testing#code-that-starts-workers).
//!
//! A worker of another program is started the same way, by the command that runs it. Its whole `main`
//! is the call of [`worker::serve`](crate::worker::serve).
//!
//! # What a worker can rely on, and its parent
//!
//! - The name under which it serves cannot be guessed, and is not in the process list or the
//!   environment. The two find each other without a word from you.
//! - It ends with its parent, also when that is killed, also when a handler runs at that moment. That
//!   begins with [`worker::serve`](crate::worker::serve): what a program does before, it does on its
//!   own, and a parent that lives kills it when it has not served in time.
//! - Ctrl-C in a terminal reaches the parent alone, which decides. The worker's standard error is
//!   kept for the error of its end; [`forward_stderr`](crate::WorkerBuilder::forward_stderr) shows it
//!   as well.
//! - A handler that panics is no crash: the call ends with
//!   [`CallError::Panicked`](crate::CallError::Panicked), and the worker lives on.
//!
//! # Workers of a worker
//!
//! A service that has workers of its own starts them in the closure of
//! [`worker::serve_with`](crate::worker::serve_with), or in a handler. They end with the worker, however
//! that ends, and so with the program at the top.
//!
//! # Signals
//!
//! The threads of this crate block the signals that programs handle (SIGTERM, SIGINT, SIGHUP, SIGQUIT,
//! SIGUSR1, SIGUSR2, SIGCHLD, SIGALRM and SIGWINCH). So a program that takes its signals in one thread
//! gets them all, whether it blocks them before it starts a server or after.
//!
//! A worker starts with the signals blocked that the program has blocked, also when a handler starts it.
//! Another process that a handler starts inherits what the handler's thread blocks, and would not end
//! by SIGTERM. [`restore_signal_mask`](crate::restore_signal_mask) gives its
//! [`Command`](std::process::Command) the program's own mask.
//!
//! # Restarting
//!
//! ```no_run
//! # use witrpc::wit_service;
//! # #[wit_service]
//! # pub trait Decoder {
//! #     fn size_of(&self, file: &[u8]) -> Result<(u32, u32), String>;
//! # }
//! use std::process::Command;
//! use witrpc::{Backoff, Worker, WorkerError};
//!
//! fn decoder() -> Result<Worker<DecoderClient>, WorkerError> {
//!     Worker::builder(Command::new("/usr/libexec/decoder"))
//!         .restart(Backoff::default())
//!         .on_failure(|failure| eprintln!("{failure}"))
//!         .spawn()
//! }
//! ```
//!
//! Whenever the process ends without being told to, another one is started, after a pause that grows
//! while they keep ending: [`Backoff`](crate::Backoff). The calls that were pending fail, with an
//! error that says that they may have run, but for those of `#[wit(idempotent)]` methods, which are
//! made again. The next process serves under the same name and token:
//! [`worker.client()`](crate::Worker::client) comes back to it by itself, and its calls wait for that.
//! A client of your own connects to [`worker.place()`](crate::Worker::place) with
//! [`worker.access_token()`](crate::Worker::access_token), and reconnects
//! [if you ask for it](super::reconnection).
//!
//! A worker that deals with large messages sets its [size](super::choosing_size) with
//! [`worker::serve_with`](crate::worker::serve_with).
