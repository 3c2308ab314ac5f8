//! Results that come one by one, and news that nobody asked for.
//!
//! # Streams to the client
//!
//! A method that returns `impl Iterator` or `impl Stream` sends its items as they are made. The
//! client gets an iterator, or a `Stream` from the async client, of `Result`s:
//!
//! ```
//! use witrpc::{CallError, wit_service};
//!
//! #[wit_service]
//! pub trait Numbers {
//!     /// The primes from a number on. There is no last one.
//!     fn primes(&self, from: u64) -> impl Iterator<Item = u64>;
//! }
//!
//! struct Euclid;
//!
//! impl Numbers for Euclid {
//!     fn primes(&self, from: u64) -> impl Iterator<Item = u64> {
//!         (from.max(2)..).filter(|n| (2..).take_while(|d| d * d <= *n).all(|d| n % d != 0))
//!     }
//! }
//!
//! let numbers = NumbersClient::in_process(Euclid);
//! let primes: Result<Vec<u64>, CallError> = numbers.primes(90)?.take(3).collect();
//! assert_eq!(primes?, [97, 101, 103]);
//! # Ok::<(), CallError>(())
//! ```
//!
//! Each item is there for the client as soon as it has been made; items that are made quickly travel
//! together. The server makes only so many in advance as the connection has room for, so a client
//! that is slow slows the iterator down, and one that drops the stream ends it: the iterator is
//! dropped too. An iterator that blocks in `next` holds a thread of the server; a `Stream` that waits
//! holds none.
//!
//! # Streams to the server
//!
//! An argument may be a stream as well, one a method:
//!
//! ```
//! use witrpc::{CallError, wit_service};
//!
//! #[wit_service]
//! pub trait Scale {
//!     fn weigh(&self, parcels: impl Iterator<Item = u32>) -> Result<u64, String>;
//! }
//!
//! struct Balance;
//!
//! impl Scale for Balance {
//!     fn weigh(&self, parcels: impl Iterator<Item = u32>) -> Result<u64, String> {
//!         let mut sum = 0;
//!         for parcel in parcels {
//!             if parcel > 1000 {
//!                 return Err(format!("{parcel} is too heavy"));
//!             }
//!             sum += u64::from(parcel);
//!         }
//!         Ok(sum)
//!     }
//! }
//!
//! let scale = ScaleClient::in_process(Balance);
//! assert_eq!(scale.weigh(1..=100), Ok(5050));
//! let heavy = scale.weigh((1..).map(|n| n * 300));
//! assert_eq!(heavy, Err(CallError::App("1200 is too heavy".to_owned())));
//! ```
//!
//! The items are taken from the caller's iterator as the server has room for them. A method that
//! returns before it has taken all of them ends the stream; the rest is not asked for.
//!
//! # Streams that can fail
//!
//! `Result<impl Iterator<Item = T>, E>` fails before the first item, in the call itself. Items that
//! are `Result`s fail one by one, each as a [`CallError::App`](crate::CallError::App) that does not
//! end the stream. What does end it, with an error as its last item, is the end of the server, or a
//! panic of the iterator. [`BlockingStream`](crate::BlockingStream) and
//! [`AsyncStream`](crate::AsyncStream) have the details.
//!
//! # Events
//!
//! An event is declared in the trait, and emitted by the service whenever it likes, during a call
//! or not:
//!
//! ```
//! use witrpc::{EventError, InProcess, WitServer, wit_service};
//!
//! #[wit_service]
//! pub trait Thermometer {
//!     fn heat(&self, degrees: u32);
//!
//!     /// It has got warmer.
//!     #[wit(event)]
//!     fn rose(&self, degrees: u32);
//! }
//!
//! /// The service is given what it emits with.
//! struct Mercury {
//!     events: ThermometerEvents,
//! }
//!
//! impl Thermometer for Mercury {
//!     fn heat(&self, degrees: u32) {
//!         // How many clients it is on its way to does not matter here, nor whether one was too slow.
//!         let _ = self.events.rose(degrees);
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let place = InProcess::new();
//! let service = ThermometerServer::with_events(|events| Mercury { events });
//! let server = WitServer::builder().listen(place.clone()).service(service).start()?;
//!
//! let thermometer = ThermometerClient::connect(place)?;
//! let mut rises = thermometer.rose()?;
//! thermometer.heat(3)?;
//! match rises.next() {
//!     Some(Ok(ThermometerRose { degrees })) => assert_eq!(degrees, 3),
//!     Some(Err(EventError::Lagged(missed))) => println!("{missed} were missed here"),
//!     other => panic!("{other:?}"),
//! }
//!
//! // Or a closure, which is called until the guard is dropped.
//! let guard = thermometer.on_rose(|rise| println!("{rise:?}"))?;
//! thermometer.heat(4)?;
//! drop(guard);
//! # Ok(())
//! # }
//! ```
//!
//! All clients that have subscribed get it, in the order in which it was emitted; the others are sent
//! nothing. `self.events.to(cx.client_id())` emits to one of them alone, such as the caller.
//!
//! A subscriber that is too slow misses events, and is told how many, in their place:
//! [`EventError::Lagged`](crate::EventError::Lagged). Nobody else is held up by it. Which ones it
//! misses is the event's to say: `#[wit(event, overflow = "oldest")]`, the default, keeps what is new;
//! `"newest"` keeps what is old; `"wait 100ms"` has the emitter wait for room, so long at the most.
//! A progress bar wants the first: each event says more than those before.
//!
//! Up to 1024 events of a kind, or 1 MiB of them, wait for a client at the server, and as many for
//! each of its iterators. Closures of one connection run on one thread, one after the other: one that
//! takes long delays the others, and the iterators of the connection too. It may call, subscribe, and
//! drop its own guard.
//!
//! Events and the answers of calls are not ordered among each other.
//!
//! The last that comes is [`EventError::Ended`](crate::EventError::Ended), with the reason. A client
//! that [reconnects](crate::Reconnect) has its subscriptions renewed at the next server, and one
//! [`EventError::MayHaveMissed`](crate::EventError::MayHaveMissed) stands where any number may be
//! missing: look up how things stand. A server that shuts down does not wait for its events to be
//! taken; what must arrive is the answer of a call.
//!
//! All subscriptions of a connection take one of its lanes. It must have three, since streams may take
//! half of them and calls need one.
//!
//! # Which one to take
//!
//! - What one caller has asked for, in full, at its own pace: a stream.
//! - What many may want to know, as it happens, though they miss some if they sleep: an event.
//!
//! The examples `render_worker` and `chat` take both, and mostly events.
