//! Worker processes: a program's own child processes, which serve it and nobody else.
//!
//! Work that may crash, leak or take the machine with it is put into a process of its own:
//! [`Worker::spawn`] starts one and gives a typed client of the service in it. The worker's program
//! has one line, [`serve`]. Neither names a place: the parent makes up a name that nobody can guess
//! and an access token, and hands both over in private.
//!
//! What the two can rely on:
//!
//! - **The worker ends with its parent**, however that ends. The parent holds one end of a
//!   [line](#the-line) and the worker waits on the other, on a thread that nothing else runs on, so
//!   a worker that is busy ends too, and so does one that has been stopped.
//! - **The worker ends with its [`Worker`]**: dropping that kills the process and reaps it.
//! - **A crash is an error** that carries the exit status and the last words on standard error:
//!   [`WorkerExit`]. With [`WorkerBuilder::restart`] the next process takes over the name, and the
//!   client comes back to it.
//!
//! # The line
//!
//! The worker's standard input is a socket to its parent. The name and the token cross there, so
//! they are neither in the process list nor in the environment, which says which socket it is
//! and which process holds the other end. [`serve`] takes the line away from standard input, which reads as empty from then
//! on; processes that the worker starts do not inherit it. Being standard input, it also goes
//! through wrappers such as `nice`, `perf record` or a shell.
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
mod parent;
mod process;
pub(crate) mod stderr_tail;
pub(crate) mod supervisor;

pub use crate::error::{ServeError, WorkerError, WorkerExit};
pub use builder::WorkerBuilder;
pub use child::{is_worker, serve, serve_with};
pub use handle::WorkerHandle;
pub use parent::Worker;
pub use supervisor::WorkerState;
