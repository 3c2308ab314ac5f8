//! Worker processes: child processes of a program that serve only that program.
//!
//! Work that may crash, leak or exhaust memory goes into a process of its own. [`Worker::spawn`] starts
//! one and returns a typed client of the service in it. The worker's program calls [`serve`]. The parent
//! chooses the name and an access token, and passes both in private; neither can be guessed.
//!
//! Both can rely on this:
//!
//! - **The worker ends with its parent**, however the parent ends. The parent holds one end of a
//!   [line](#the-line), and the worker waits on the other, on a thread that does nothing else. So a
//!   busy worker ends too, and so does one that has been stopped by a signal.
//! - **The worker ends with its [`Worker`]**: dropping that kills the process and reaps it.
//! - **A crash is an error** that carries the exit status and the end of standard error:
//!   [`WorkerExit`]. With [`WorkerBuilder::restart`], the next process takes over the name, and the
//!   client reconnects to it.
//!
//! # The line
//!
//! The worker's standard input is a socket to its parent. The name and the token cross there, so they
//! are neither in the process list nor in the environment. The environment says which socket it is and
//! which process holds the other end. [`serve`] takes the line away from standard input, which reads as
//! empty from then on. Processes that the worker starts do not inherit it. Because the line is standard
//! input, it also passes through wrappers such as `nice`, `perf record` or a shell.
//!
//! # Examples
//!
//! A program that is its own worker:
//!
//! ```standalone_crate
//! use std::process::Command;
//! use witrpc::{Worker, wit_service, worker};
//!
//! #[wit_service]
//! pub trait Digest {
//!     fn digest(&self, bytes: &[u8]) -> u64;
//! }
//!
//! struct Adder;
//!
//! impl Digest for Adder {
//!     fn digest(&self, bytes: &[u8]) -> u64 {
//!         bytes.iter().map(|byte| u64::from(*byte)).sum()
//!     }
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     if worker::is_worker() {
//!         return Ok(worker::serve(DigestServer::new(Adder))?);
//!     }
//!     let worker = Worker::<DigestClient>::spawn(Command::new(std::env::current_exe()?))?;
//!     assert_eq!(worker.client().digest(b"\x01\x02\x03")?, 6);
//!     Ok(())
//! }
//! ```

mod assignment;
mod builder;
mod child;
mod handle;
mod nesting;
mod parent;
mod process;
mod restart_limit;
mod stderr_tail;
mod supervisor;

pub use crate::error::{ServeError, WorkerError, WorkerExit};
pub use builder::WorkerBuilder;
pub use child::{serve, serve_with};
pub use handle::WorkerHandle;
pub use nesting::is_worker;
pub use parent::Worker;
pub use supervisor::WorkerState;
