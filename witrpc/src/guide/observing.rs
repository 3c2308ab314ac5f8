//! What a server does, seen from inside and outside: counters, hooks, spans.
//!
//! # Counters
//!
//! Every server keeps counters. Its own process reads the numbers with
//! [`ServerHandle::metrics`](crate::ServerHandle::metrics). Any other process of the same user
//! reads them with [`metrics`](crate::metrics) and the name. Reading needs no token, and does not
//! count towards `max_clients`. So a tool can list all servers and their load, or pass the numbers to
//! a monitor.
//!
//! ```
//! let mut names = witrpc::servers()?;
//! names.retain(|name| witrpc::metrics(name).is_ok_and(|metrics| metrics.in_flight > 0));
//! println!("busy at this moment: {names:?}");
//! # Ok::<(), witrpc::ConnectError>(())
//! ```
//!
//! [`Metrics`](crate::Metrics) says what each number means. Two of them show trouble early:
//!
//! - If `promoted_workers` grows, handlers take long and hold their thread: make them `async`, or
//!   give the server more `max_workers`.
//! - If `broken_connections` is above zero, a client has broken the protocol, which no client of
//!   this crate does.
//!
//! [`clients`](crate::ServerHandle::clients) lists the connected clients.
//!
//! [`method_metrics`](crate::WitServerBuilder::method_metrics) has a server count calls, errors and latencies
//! by method too. The command [`witrpc`](super::operating) shows all of these.
//!
//! # Hooks
//!
//! A hook is your code around each call: a [`ServerHook`](crate::ServerHook) on the server, a
//! [`ClientHook`](crate::ClientHook) on a client. The crate calls it before a call, which the hook
//! may reject with a reason. It calls the hook again with the outcome and, on request, with the
//! time that the call took. Rate limits and audits are hooks. This hook allows each
//! client a number of calls a second:
//!
//! ```
//! use std::collections::HashMap;
//! use std::sync::Mutex;
//! use std::time::Instant;
//! use witrpc::{CallError, InProcess, Rejection, ServedCall, ServerHook, WitServer, wit_service};
//!
//! /// A token bucket for each client, which refills over time.
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
//! With the feature `tracing` of this crate each call has a span on either side, for any subscriber
//! of the program. The client's span is `call`, from the call's first step to its end. The server's
//! span is `serve`; the handler runs within it. The target of both is `witrpc`, their level
//! `DEBUG`, and they have these fields:
//!
//! | Field | Meaning |
//! | --- | --- |
//! | `service`, `method` | the names on the wire |
//! | `client`, `call` | the same two numbers on both sides: [`client_id`](crate::CallContext::client_id) and [`call_id`](crate::CallContext::call_id). A call that was never sent has neither |
//! | `outcome` | how the call ended: `Ok` and `AppError` on both sides; else `Failed` or `Cancelled` on the client, and the name of a [`ServedEnd`](crate::ServedEnd) on the server |
//! | `error` | on the client, the error's message |
//!
//! What a handler logs, and the calls that it makes in turn, are within its span. A stream is made
//! within the span of its call. Pulling further items, subscribing and receiving events have no
//! span.
//!
//! Without the feature none of this is compiled. With it, if no subscriber wants the level, a call
//! reads one word on each side.
