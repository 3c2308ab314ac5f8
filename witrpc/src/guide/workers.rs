//! Work in a separate process: code that may crash, leak, or be killed.
//!
//! A worker is a child process that serves only the program that started it. It ends with its
//! parent, however the parent ends. If it crashes, the parent gets an error that says how the
//! worker ended and what it wrote last. This chapter turns a service of the first chapter into a
//! worker.
//!
//! # A program that is its own worker
//!
//! Only one program needs to be installed: it starts itself. `src/main.rs`:
//!
//! ```standalone_crate
//! use std::process::Command;
//! use witrpc::{CallError, Worker, wit_service, worker};
//!
//! #[wit_service]
//! pub trait Decoder {
//!     /// Returns the width and height of a picture. A broken picture may crash it.
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
//! [`stop`](crate::Worker::stop) lets it end by itself. A [handle](crate::Worker::handle) stops it
//! from another thread, or waits for its end there; both have an `async` form.
//!
//! Do not forget to call [`is_worker`](crate::worker::is_worker): without it the process would
//! start itself again and again. So a process that was started as a worker can start workers only
//! while it serves: [`WorkerError::MustServeFirst`](crate::WorkerError::MustServeFirst) before, and
//! [`WorkerError::ServesNoMore`](crate::WorkerError::ServesNoMore) once `serve` has returned. [The
//! chapter on tests](super::testing#code-that-starts-workers) explains how to test code that starts
//! workers.
//!
//! Start a worker of another program the same way, with the command that runs it. Its whole `main`
//! is the call of [`worker::serve`](crate::worker::serve).
//!
//! # What worker and parent can rely on
//!
//! - The name under which the worker serves cannot be guessed, and is not in the process list or
//!   the environment. The two find each other without any code of yours.
//! - The worker ends with its parent, also when the parent is killed, also while a handler runs.
//!   That begins with [`worker::serve`](crate::worker::serve); before that call the crate does not
//!   act. A live parent kills a worker that has not served in time.
//! - Ctrl-C in a terminal reaches the parent alone, which decides. The parent keeps the worker's
//!   standard error for the error of its end;
//!   [`forward_stderr`](crate::WorkerBuilder::forward_stderr) shows it as well.
//! - A handler that panics does not crash the worker: the call ends with
//!   [`CallError::Panicked`](crate::CallError::Panicked), and the worker lives on.
//!
//! # Workers of a worker
//!
//! A service that has its own workers starts them in the closure of
//! [`worker::serve_with`](crate::worker::serve_with), or in a handler. They end with the worker,
//! however that ends, and so with the program at the top. Once `serve` has returned, or the parent
//! has ended, the process cannot start further workers.
//!
//! Workers may be nested 8 levels deep: [`WorkerError::NestedTooDeep`](crate::WorkerError::NestedTooDeep).
//! This ends a chain that nothing else ends. A program that starts itself behind a wrapper which
//! replaces standard input, such as `sh -c "program </dev/null; true"`, does not know that it is a
//! worker.
//!
//! Any other program that a worker starts can have workers too. It counts from the worker's level,
//! which the variable `WITRPC_WORKER` carries. Remove the variable from the environment of a program
//! that must count from the top, such as a terminal.
//!
//! # Signals
//!
//! The threads of this crate block the signals that programs handle (SIGTERM, SIGINT, SIGHUP,
//! SIGQUIT, SIGUSR1, SIGUSR2, SIGCHLD, SIGALRM and SIGWINCH). So a program that handles its signals
//! in one thread gets them all, whether it blocks them before or after it starts a server.
//!
//! A worker starts with the signals blocked that the program has blocked, also when a handler
//! starts it. Any other process that a handler starts inherits the signal mask of the handler's
//! thread, and SIGTERM would not end it. [`restore_signal_mask`](crate::restore_signal_mask) gives
//! its [`Command`](std::process::Command) the program's own mask.
//!
//! A thread that a handler starts with [`std::thread::spawn`] inherits the blocked signals as well,
//! and so do the processes that this thread starts: give their commands the program's mask too. The
//! thread that handles the program's signals must not start in a handler, unless it unblocks them or
//! waits for them with `sigwait`.
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
//! When the process ends without a request to stop, the parent starts another one. Before that it
//! waits, with a back-off that grows while processes keep ending: [`Backoff`](crate::Backoff).
//! Pending calls fail, with an error that says that they may have run. Only calls of
//! `#[wit(idempotent)]` methods are made again.
//!
//! A worker that keeps ending is started again without end, unless
//! [`restart_limit`](crate::WorkerBuilder::restart_limit) bounds it. At the limit the worker has ended with
//! [`WorkerError::RestartLimit`](crate::WorkerError::RestartLimit), and its client is disconnected.
//!
//! A worker that hangs does not end by itself. [`ping`](crate::Connection::ping) on its client's connection
//! tells that from a handler that takes long, and [`restart`](crate::Worker::restart) replaces the process.
//!
//! The next process serves under the same name and token:
//! [`worker.client()`](crate::Worker::client) reconnects to it by itself, and its calls wait for
//! that. Your own client connects to [`worker.place()`](crate::Worker::place) with
//! [`worker.access_token()`](crate::Worker::access_token), and reconnects [if you ask for
//! it](super::reconnection).
//!
//! A worker that deals with large messages sets its [size](super::choosing_size) with
//! [`worker::serve_with`](crate::worker::serve_with).
