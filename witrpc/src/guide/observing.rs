//! What a server does, seen from inside and outside: counters, hooks, spans.
//!
//! # Counters
//!
//! Every server counts, always. Its own process reads the numbers by
//! [`ServerHandle::metrics`](crate::ServerHandle::metrics), and any other process of the same user by
//! [`metrics`](crate::metrics) and the name, which needs neither a place nor a token: enough for a tool
//! that lists who serves and how busy it is, or one that hands the numbers to a monitor.
//!
//! ```
//! let mut names = witrpc::servers()?;
//! names.retain(|name| witrpc::metrics(name).is_ok_and(|metrics| metrics.in_flight > 0));
//! println!("busy at this moment: {names:?}");
//! # Ok::<(), witrpc::ConnectError>(())
//! ```
//!
//! [`Metrics`](crate::Metrics) says what each number means. Two of them tell of trouble early:
//! `promoted_workers` that grows says that handlers take long and hold their thread (make them `async`,
//! or give the server more `max_workers`); `broken_connections` above zero, that a client does not keep
//! to the protocol, which no client of this crate does. Who is connected, the server knows by
//! [`clients`](crate::ServerHandle::clients).
//!
//! # Hooks
//!
//! Code of yours around each call: a [`ServerHook`](crate::ServerHook) on the server, a
//! [`ClientHook`](crate::ClientHook) on a client. It is told before a call, may reject it with a reason,
//! and is told how it ended and, if it asks, how long that took. Rate limits, audits and histograms are
//! hooks. A hook that lets each client make so many calls a second:
//!
//! ```
//! use std::collections::HashMap;
//! use std::sync::Mutex;
//! use std::time::Instant;
//! use witrpc::{CallError, InProcess, Rejection, ServedCall, ServerHook, WitServer, wit_service};
//!
//! /// A bucket of calls for each client, which fills again as time goes by.
//! struct Rate {
//!     per_second: f64,
//!     buckets: Mutex<HashMap<u64, (f64, Instant)>>,
//! }
//!
//! impl ServerHook for Rate {
//!     fn before(&self, call: &ServedCall<'_>) -> Result<(), Rejection> {
//!         let now = Instant::now();
//!         let mut buckets = self.buckets.lock().unwrap();
//!         let (left, seen) = buckets.entry(call.client().id).or_insert((self.per_second, now));
//!         *left = (*left + seen.elapsed().as_secs_f64() * self.per_second).min(self.per_second);
//!         *seen = now;
//!         if *left < 1.0 {
//!             return Err(Rejection::new("too many calls a second").retryable());
//!         }
//!         *left -= 1.0;
//!         Ok(())
//!     }
//!
//!     fn left(&self, client: &witrpc::ClientInfo) {
//!         self.buckets.lock().unwrap().remove(&client.id);
//!     }
//! }
//!
//! #[wit_service]
//! pub trait Clock {
//!     fn now(&self) -> u64;
//! }
//!
//! struct Stopped;
//!
//! impl Clock for Stopped {
//!     fn now(&self) -> u64 {
//!         12
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let place = InProcess::new();
//! let server = WitServer::builder()
//!     .listen(place.clone())
//!     .service(ClockServer::new(Stopped))
//!     .hook(Rate { per_second: 2.0, buckets: Mutex::default() })
//!     .start()?;
//! let clock = ClockClient::connect(place)?;
//! let rejected = (0..100).find_map(|_| clock.now().err()).expect("it is too fast");
//! assert!(matches!(rejected, CallError::Rejected { .. }) && rejected.is_retryable());
//! # Ok(())
//! # }
//! ```
//!
//! # Spans
//!
//! With the feature `tracing` of this crate each call has a span on either side, for whatever
//! subscriber the program has: `call` on the client, from its first step to its end, and `serve` on the
//! server, within which its handler runs. The target of both is `witrpc`, their level `DEBUG`, and they
//! have these fields:
//!
//! | Field | Is |
//! | --- | --- |
//! | `service`, `method` | the names on the wire |
//! | `client`, `call` | the same two numbers on both sides: [`client_id`](crate::CallContext::client_id) and [`call_id`](crate::CallContext::call_id). A call that was never sent has none |
//! | `outcome` | how it ended: `Ok` and `AppError` on both sides; then `Failed` or `Cancelled` on the client, and the name of a [`ServedEnd`](crate::ServedEnd) on the server |
//! | `error` | on the client, what the error says |
//!
//! What a handler logs, and the calls that it makes in turn, are within its span. A stream is made within
//! the span of its call; to go on with it, to subscribe and to be told of events has no span of its own.
//!
//! Without the feature nothing of this is compiled. With it, and no subscriber that wants the level, a
//! call looks at one word on each side.
