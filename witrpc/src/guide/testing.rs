//! Testing services, and programs that call them.
//!
//! # The service alone
//!
//! The trait is an ordinary trait: call its methods on the type that implements it. No server is
//! needed to test what a handler does.
//!
//! For an argument `&CallContext`, [`CallContext::for_tests`](crate::CallContext::for_tests) makes one. The
//! call that it belongs to is cancelled when the test says so.
//!
//! # The service through a client
//!
//! `in_process` gives a client with its own server in this process. It behaves as with a
//! second process: values are encoded and decoded, panics are caught, timeouts end calls:
//!
//! ```
//! use std::sync::atomic::{AtomicU64, Ordering};
//! use witrpc::{CallError, wit_service};
//!
//! #[wit_service]
//! pub trait Tickets {
//!     fn next(&self) -> u64;
//!     fn reserve(&self, seats: &[u32]) -> Result<u64, String>;
//! }
//!
//! #[derive(Default)]
//! struct Counter(AtomicU64);
//!
//! impl Tickets for Counter {
//!     fn next(&self) -> u64 {
//!         self.0.fetch_add(1, Ordering::Relaxed)
//!     }
//!
//!     fn reserve(&self, seats: &[u32]) -> Result<u64, String> {
//!         seats.first().map(|seat| u64::from(*seat)).ok_or_else(|| "no seat".to_owned())
//!     }
//! }
//!
//! // In a #[test]:
//! let tickets = TicketsClient::in_process(Counter::default());
//! assert_eq!((tickets.next()?, tickets.next()?), (0, 1));
//! assert_eq!(tickets.reserve(&[]), Err(CallError::App("no seat".to_owned())));
//! # Ok::<(), CallError>(())
//! ```
//!
//! To set options of the server and the client's builder, use an [`InProcess`](crate::InProcess)
//! endpoint. With one `let place = InProcess::new()`, the server has `.listen(place.clone())` and
//! the client `builder(place)`.
//!
//! `in_process_with` takes a server's builder with all that it was given: events, hooks, codecs, further
//! services. It needs no place to listen at.
//!
//! ```
//! use witrpc::{WitServer, wit_service};
//!
//! #[wit_service]
//! pub trait Bell {
//!     fn ring(&self);
//!     #[wit(event)]
//!     fn rang(&self, times: u32);
//! }
//!
//! struct Brass(BellEvents);
//!
//! impl Bell for Brass {
//!     fn ring(&self) {
//!         self.0.rang(1).unwrap();
//!     }
//! }
//!
//! let server = WitServer::builder().service(BellServer::with_events(Brass));
//! let bell = BellClient::in_process_with(server);
//! let mut rang = bell.rang()?;
//! bell.ring()?;
//! assert_eq!(rang.next().unwrap().unwrap().times, 1);
//! # Ok::<(), witrpc::CallError>(())
//! ```
//!
//! # A program that calls
//!
//! Give code that takes a client one whose service is a stand-in. No mocks are needed: the stand-in
//! is one more `impl` of the trait.
//!
//! ```
//! # use witrpc::wit_service;
//! # #[wit_service]
//! # pub trait Tickets {
//! #     fn next(&self) -> u64;
//! # }
//! use witrpc::CallError;
//!
//! /// The code under test.
//! fn greeting(tickets: &TicketsClient) -> String {
//!     match tickets.next() {
//!         Ok(number) => format!("you are number {number}"),
//!         Err(error) => format!("try later: {error}"),
//!     }
//! }
//!
//! struct OutOfOrder;
//!
//! impl Tickets for OutOfOrder {
//!     fn next(&self) -> u64 {
//!         panic!("no paper");
//!     }
//! }
//!
//! assert!(greeting(&TicketsClient::in_process(OutOfOrder)).starts_with("try later"));
//! ```
//!
//! # Two processes
//!
//! Each test uses [`Mmf::unguessable`](crate::Mmf::unguessable), so that tests can run at once, and
//! starts the server's program with the name. Then it waits for the server with
//! [`wait_for_server`](crate::ClientBuilder::wait_for_server) instead of sleeping. Cargo tells
//! tests in the folder `tests` where a program is: `env!("CARGO_BIN_EXE_server")`.
//!
//! ```no_run
//! # use witrpc::wit_service;
//! # #[wit_service]
//! # pub trait Tickets {
//! #     fn next(&self) -> u64;
//! # }
//! use std::process::Command;
//! use std::time::Duration;
//! use witrpc::{CallError, Mmf};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let program = "server";
//! let place = Mmf::unguessable();
//! let mut server = Command::new(program).arg(place.name()).spawn()?;
//! let tickets =
//!     TicketsClient::builder(place).wait_for_server(Duration::from_secs(10)).connect()?;
//!
//! server.kill()?;
//! assert!(matches!(tickets.next(), Err(CallError::PeerDied | CallError::Disconnected(_))));
//! server.wait()?;
//! # Ok(())
//! # }
//! ```
//!
//! # Code that starts workers
//!
//! In a test, `std::env::current_exe` is the test's own program. A worker of it would run all tests
//! again, and start workers itself. So the crate refuses it there, with
//! [`WorkerError::MustServeFirst`](crate::WorkerError::MustServeFirst). Let the tested code take
//! the command as an argument, and give it one of these:
//!
//! - **a program of the package**, in tests of the folder `tests`:
//!   `Command::new(env!("CARGO_BIN_EXE_decoder"))`, whose `main` serves;
//! - **a test with its own `main`**: `harness = false` under its `[[test]]` in `Cargo.toml`. Its
//!   `main` begins like that of any program that is its own worker. It serves if
//!   [`worker::is_worker`](crate::worker::is_worker) says so, and runs the tests if not;
//! - **one test that serves**, selected by its name in the harness. This works in unit tests too:
//!
//! ```no_run
//! # use witrpc::wit_service;
//! # #[wit_service]
//! # pub trait Tickets {
//! #     fn next(&self) -> u64;
//! # }
//! # struct Counter;
//! # impl Tickets for Counter {
//! #     fn next(&self) -> u64 {
//! #         0
//! #     }
//! # }
//! use std::process::{Command, Stdio};
//! use witrpc::{Worker, worker};
//!
//! // Run as an ordinary test, it does nothing.
//! #[test]
//! fn serves_as_a_worker() {
//!     if worker::is_worker() {
//!         worker::serve(TicketsServer::new(Counter)).unwrap();
//!     }
//! }
//!
//! #[test]
//! fn a_worker_counts() {
//!     let mut itself = Command::new(std::env::current_exe().unwrap());
//!     // In a module, with its path: `tests::serves_as_a_worker`.
//!     itself.args(["--exact", "serves_as_a_worker"]).stdout(Stdio::null());
//!     let worker = Worker::<TicketsClient>::spawn(itself).unwrap();
//!     assert_eq!(worker.client().next(), Ok(0));
//! }
//! # fn main() {}
//! ```
//!
//! Whatever happens to a test, its workers end with its process.
