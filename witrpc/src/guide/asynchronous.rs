//! `async` handlers and clients, with tokio, another runtime or none.
//!
//! # Clients
//!
//! Every trait gets an async client beside the blocking one. The connection itself wakes its
//! futures, so they run on any executor. Neither they nor the connection need a runtime's timers or
//! sockets:
//!
//! ```
//! use witrpc::wit_service;
//!
//! #[wit_service]
//! pub trait Words {
//!     fn count(&self, text: &str) -> u64;
//! }
//! # struct Reader;
//! # impl Words for Reader {
//! #     fn count(&self, text: &str) -> u64 {
//! #         text.split_whitespace().count() as u64
//! #     }
//! # }
//! # fn serve() -> Result<(String, witrpc::WitServer), witrpc::BindError> {
//! #     let place = witrpc::Mmf::unguessable();
//! #     let name = place.name().to_owned();
//! #     let service = WordsServer::new(Reader);
//! #     Ok((name, witrpc::WitServer::builder().listen(place).service(service).start()?))
//! # }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #   let (name, _server) = serve()?;
//!     let words = WordsAsyncClient::connect(name).await?;
//!
//!     // Two calls at once, on two lanes of one connection.
//!     let (short, long) = tokio::join!(words.count("one two"), words.count("one two three"));
//!     assert_eq!(short? + long?, 5);
//!
//!     // A clone shares the connection, and may go to another task.
//!     let theirs = words.clone();
//!     let counted = tokio::spawn(async move { theirs.count("four words in all").await }).await??;
//!     assert_eq!(counted, 4);
//!     Ok(())
//! }
//! ```
//!
//! A future does nothing until it is polled. On the first poll it encodes its arguments, which it
//! borrows until then, and sends the request. Dropping the future cancels the call; its lane is
//! free again as soon as the server has answered.
//!
//! The blocking client blocks its thread. An async runtime has few threads, so use the async client
//! there, or tokio's `spawn_blocking`.
//!
//! # Handlers
//!
//! In the `impl`, write an `async fn` of the trait as `async fn`. Its future must be `Send`. The
//! server's own threads poll it. A future that waits holds no thread, so thousands may wait at
//! once. It can await anything that wakes its waker from any thread: channels, locks, calls to
//! other services.
//!
//! Timers and sockets of a runtime work only inside that runtime.
//! [`spawn_with`](crate::WitServerBuilder::spawn_with) moves the `async` handlers there:
//!
//! ```
//! use std::time::Duration;
//! use witrpc::{InProcess, WitServer, wit_service};
//!
//! #[wit_service]
//! pub trait Kitchen {
//!     async fn boil(&self, egg: u32) -> String;
//! }
//!
//! struct Pot;
//!
//! impl Kitchen for Pot {
//!     async fn boil(&self, egg: u32) -> String {
//!         tokio::time::sleep(Duration::from_millis(6)).await;
//!         format!("egg {egg} is done")
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let place = InProcess::new(); // or a name, for other processes
//!     let runtime = tokio::runtime::Handle::current();
//!     let server = WitServer::builder()
//!         .listen(place.clone())
//!         .service(KitchenServer::new(Pot))
//!         .spawn_with(move |job| drop(runtime.spawn(job)))
//!         .start()?;
//!
//!     let kitchen = KitchenAsyncClient::connect(place).await?;
//!     assert_eq!(kitchen.boil(1).await?, "egg 1 is done");
//!     drop(server);
//!     Ok(())
//! }
//! ```
//!
//! Any spawner works: the crate does not depend on tokio. Plain `fn` handlers stay on the server's
//! own threads, where they may block. A method that must run inside the runtime is an `async fn`,
//! even if it never awaits.
//!
//! Async code waits for a server with [`stopped`](crate::WitServer::stopped). The server's
//! [`shutdown`](crate::WitServer::shutdown) blocks, up to the given time: call it by
//! `spawn_blocking`.
//!
//! # The costs
//!
//! A blocking caller spins for the answer, and gets it in well under a microsecond while the server
//! is awake. An async caller pays for being polled by its executor, and wins where many calls are
//! in flight at once. [`WaitPolicy`](crate::WaitPolicy) says how both sides wait.
