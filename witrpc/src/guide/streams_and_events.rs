//! Results that come one by one, and news that nobody asked for.
//!
//! # Streams to the client
//!
//! A method that returns `impl Iterator` or `impl Stream` sends its items as they are made. A blocking
//! client gets a [`BlockingStream`](crate::BlockingStream), an iterator of `Result`s; an async one an
//! [`AsyncStream`](crate::AsyncStream):
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
//! - The client sees an item as soon as it has been made. Items that are made quickly travel together:
//!   some 64 KiB at most, plain numbers and `Vec`s of them as raw bytes.
//! - The server makes that much ahead and then waits, so a slow client slows the iterator down.
//! - A stream that is dropped is closed: the server drops the iterator, also one that never ends. So
//!   does a [token](crate::CancelToken) that the call was made with: the next item is
//!   [`CallError::Cancelled`](crate::CallError::Cancelled), and the last. When the client dies, its
//!   streams are dropped too.
//! - An iterator that blocks in `next` holds one of the server's threads, up to
//!   [`max_workers`](crate::WitServerBuilder::max_workers). A `Stream` that waits holds none.
//!
//! # What can go wrong, and when
//!
//! An error in place of the stream stands around it, an error in place of an item stands in it. The
//! call gives the first, [`CallError::App`](crate::CallError::App) as of any call; the items are the
//! second:
//!
//! ```
//! use witrpc::{CallError, wit_service};
//!
//! #[wit_service]
//! pub trait Files {
//!     fn numbers(
//!         &self,
//!         text: &str,
//!     ) -> Result<impl Iterator<Item = Result<i64, String>>, String>;
//! }
//!
//! struct Parser;
//!
//! impl Files for Parser {
//!     fn numbers(
//!         &self,
//!         text: &str,
//!     ) -> Result<impl Iterator<Item = Result<i64, String>>, String> {
//!         if text.is_empty() {
//!             return Err("there is nothing".to_owned());
//!         }
//!         let number = |word: &str| word.parse().map_err(|_| format!("{word} is no number"));
//!         Ok(text.split_whitespace().map(number))
//!     }
//! }
//!
//! let files = FilesClient::in_process(Parser);
//! let nothing = files.numbers("").unwrap_err();
//! assert_eq!(nothing, CallError::App("there is nothing".to_owned()));
//!
//! let mut numbers = files.numbers("1 two 3")?;
//! assert_eq!(numbers.next(), Some(Ok(1)));
//! let two = CallError::App("two is no number".to_owned());
//! assert_eq!(numbers.next(), Some(Err(two)));
//! assert_eq!(numbers.next(), Some(Ok(3)));
//! assert_eq!(numbers.next(), None);
//! # Ok::<(), CallError<String>>(())
//! ```
//!
//! Any other error ends a stream: it is given once, then `None`. The producer
//! [panicked](crate::CallError::Panicked), the server [died](crate::CallError::PeerDied) or shut down,
//! an item was too large. What had been made before comes first. A client that
//! [reconnects](crate::Reconnect) does not take up a stream again, since nobody knows what the next
//! item would be: make the call once more.
//!
//! The [`call_timeout`](crate::ClientBuilder::call_timeout) and an explicit deadline hold until the
//! stream is open. From then on a client waits for as long as the server lives, unless it says
//! [`item_timeout`](crate::BlockingStream::item_timeout). The method asks by its context whether the
//! stream is still wanted: [`cx.cancelled()`](crate::CallContext::cancelled) in a loop that looks for
//! the next item, [`cx.until_cancelled()`](crate::CallContext::until_cancelled) where it waits for one.
//!
//! ```
//! use witrpc::{CallContext, wit_service};
//!
//! #[wit_service]
//! pub trait Prospector {
//!     /// Numbers that are ever harder to find.
//!     fn search(&self, #[wit(ctx)] cx: &CallContext) -> impl Iterator<Item = u64>;
//! }
//!
//! struct Patient;
//!
//! impl Prospector for Patient {
//!     fn search(&self, cx: &CallContext) -> impl Iterator<Item = u64> {
//!         let mut tries = 0_u64;
//!         let mut rarity = 1_u64;
//!         std::iter::from_fn(move || {
//!             while !cx.cancelled() {
//!                 tries += 1;
//!                 if tries.is_multiple_of(rarity) {
//!                     rarity *= 10;
//!                     return Some(tries);
//!                 }
//!             }
//!             None
//!         })
//!     }
//! }
//!
//! let prospector = ProspectorClient::in_process(Patient);
//! // Dropped after the third, the stream ends the search for the next.
//! let found: Vec<_> = prospector.search()?.take(3).collect();
//! assert_eq!(found, [Ok(1), Ok(10), Ok(100)]);
//! # Ok::<(), witrpc::CallError>(())
//! ```
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
//! A blocking client is given an iterator, an async one a `Stream`; what the method takes is its own
//! affair. A method that has enough returns, which ends the client's iterator. One that takes its time
//! holds the client back: it makes no more than some windows of 64 KiB ahead.
//!
//! The method sees an item as soon as it waits for one; what has been made meanwhile travels together. A
//! blocking client runs a second thread for the length of such a call, so that no item waits for the one
//! after it. An async one sends the first item of a stream at once, and what comes behind it when that
//! has been taken in: a stream that is always ready, which never lets its task go, has that looked at
//! behind its first item, its second, its fourth and so on, and after 64 KiB at the latest.
//!
//! A deadline or timeout of [`CallOptions`](crate::CallOptions) holds for the whole of such a call. The
//! client's [`call_timeout`](crate::ClientBuilder::call_timeout) holds until the stream is open, from
//! there until the method takes an item, and from the last item to the answer. In between, a
//! server may take items as slowly as it likes. A client may send its first item late: if the method has
//! begun by the end of the time, a new time begins with that item. An upload of which no item is taken ends with
//! [`CallError::UploadStalled`](crate::CallError::UploadStalled), which says whether its method had begun:
//! one that was still [queued](crate::UploadStage::Queued) never runs. What ends the call
//! from outside, be it a token, a deadline or the server's death, reaches the caller of a blocking client
//! when its iterator gives the next item. An item that cannot be sent, since it cannot be encoded or is
//! too large, ends the call with [`CallError::StreamBroken`](crate::CallError::StreamBroken), because the
//! method has begun.
//!
//! The client may go before its last item. The method must not take what has come for all there is, so
//! it does not see an end: an iterator leaves the method by unwinding, as a panic would (without one
//! being reported), and the future of an `async fn` is dropped. A program built with `panic = "abort"`
//! cannot unwind: there a server with a method that takes an iterator does not start
//! ([`BindError::NeedsUnwinding`](crate::BindError::NeedsUnwinding)). An `async fn` that takes a `Stream`
//! works in both.
//!
//! A method that takes an iterator keeps a thread until its client is done. These are not those that
//! serve calls: each client has eight, and further uploads of that client wait for one of them. A
//! method that takes a `Stream` needs none. When the server's machine refuses a thread, that call ends with
//! [`CallError::ServerNoThread`](crate::CallError::ServerNoThread): its method did not run, and others go
//! on. A blocking client needs one more thread for an upload too, and
//! [`CallError::NoThread`](crate::CallError::NoThread) says that there is none.
//!
//! # How many there may be
//!
//! A stream from which nobody waits for an item costs no lane and no thread. Waiting for one takes a
//! lane; streams get half of them at most, so calls always find one: `Mmf::new(name).lanes(1024)`
//! lets 512 streams be waited for at once. One more waits for its turn as long as a call may take, and
//! then ends with [`CallError::StreamBroken`](crate::CallError::StreamBroken), whose cause is
//! [`NoFreeLane`](crate::CallError::NoFreeLane).
//!
//! An upload that waits, for room or for its answer, takes a lane while a quarter of them are to spare;
//! all others of the connection share one. So there may be far more uploads than lanes.
//!
//! One lane is left for calls, and from three on one for events, whether or not somebody has subscribed. What
//! is left says what can wait at the same time:
//!
//! | Lanes | calls | events | streams and uploads |
//! | --- | --- | --- | --- |
//! | 1 | yes | no | none |
//! | 2 | yes | no | one stream, or the uploads |
//! | 3 | yes | yes | one stream, or the uploads |
//! | 4 | yes | yes | one stream, and the uploads |
//! | more | yes | yes | half as many streams as lanes, and the uploads |
//!
//! With fewer than four lanes, an upload that has to wait while a stream waits for an item has its turn after
//! that, and the other way round. It waits as long as a call may take, or 30 s where that is for ever.
//! Then, and where there is no lane at all, it ends with
//! [`CallError::TooFewLanes`](crate::CallError::TooFewLanes), which says how many are needed, as the cause of
//! a [`StreamBroken`](crate::CallError::StreamBroken).
//!
//! A client may have 1024 streams open; the next is
//! [`CallError::TooManyStreams`](crate::CallError::TooManyStreams). So is one whose method would be the
//! 2049th that has begun and not ended, or would bring what their requests hold to over 256 MiB; the
//! error says which [limit](crate::StreamLimit) it was.
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
//! nothing. `self.events.to(cx.client_id())` emits to one of them alone, such as the caller:
//! no two clients have one number, also where clones of a service stand behind several servers.
//!
//! A subscriber that is too slow misses events, and is told how many, in their place:
//! [`EventError::Lagged`](crate::EventError::Lagged). Which ones it misses is the event's to say:
//! `#[wit(event, overflow = "oldest")]`, the default, keeps what is new; `"newest"` keeps what is old.
//! A progress bar wants the first: each event says more than those before. Nobody else is held up by
//! a subscriber of either.
//!
//! `"wait 100ms"` has the emitter wait until there is room, so long at the most: the emitter becomes as
//! slow as the slowest subscriber that still takes one event in that time, and with it all others who
//! hear of the event. One that takes none in that time is waited for once, and not again before it
//! takes something. On its way to an iterator that is full, such an event also keeps those behind it
//! waiting, of whatever kind: the other subscriptions of that connection become as slow as that
//! iterator. Whoever may be slow with such events has a connection for them alone.
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
//! All subscriptions of a connection take one of its lanes, which streams and uploads leave free. The
//! connection must have three, since a stream needs one and calls need one; with fewer, subscribing is
//! [`TooFewLanes`](crate::CallError::TooFewLanes).
//!
//! # Which one to take
//!
//! - What one caller has asked for, in full, at its own pace: a stream.
//! - What many may want to know, as it happens, though they miss some if they sleep: an event.
//!
//! The examples `render_worker` and `chat` take both, and mostly events.
