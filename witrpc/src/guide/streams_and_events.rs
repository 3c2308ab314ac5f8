//! Results that come one by one, and events that the service emits at any time.
//!
//! # Streams to the client
//!
//! A method that returns `impl Iterator` or `impl Stream` sends its items as they are made. A
//! blocking client gets a [`BlockingStream`](crate::BlockingStream), an iterator of `Result`s. An
//! async client gets an [`AsyncStream`](crate::AsyncStream):
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
//! - The client sees an item as soon as it has been made. Items that are made quickly travel
//!   together: some 64 KiB at most, plain numbers and `Vec`s of them as raw bytes.
//! - Back-pressure: the server makes that much ahead and then waits, so a slow client slows the
//!   iterator down.
//! - When a client drops a stream, it is closed: the server drops the iterator, also an endless
//!   one. A [token](crate::CancelToken) of the call closes the stream too. The next item is then
//!   [`CallError::Cancelled`](crate::CallError::Cancelled), and the last. When the client dies, the
//!   server drops its streams too.
//! - An iterator that blocks in `next` holds one of the server's threads, up to
//!   [`max_workers`](crate::WitServerBuilder::max_workers). A `Stream` that waits holds none.
//!
//! # What can go wrong, and when
//!
//! A method can fail as a whole, with a `Result` around the stream, or item by item, with `Result`s
//! in it. The call returns the first kind, [`CallError::App`](crate::CallError::App) as for any
//! call; the items carry the second:
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
//! Any other error ends a stream: the stream gives it once, then `None`. The producer
//! [panicked](crate::CallError::Panicked), the server [died](crate::CallError::PeerDied) or shut
//! down, or an item was too large. Items that were made before come first. A client that
//! [reconnects](crate::Reconnect) does not resume a stream, because it cannot know what the next
//! item would be: make the call once more.
//!
//! The [`call_timeout`](crate::ClientBuilder::call_timeout) and an explicit deadline hold until the
//! stream is open. From then on a client waits for as long as the server lives, unless it sets
//! [`item_timeout`](crate::BlockingStream::item_timeout). The method can ask its context whether
//! the client still wants the stream. A loop that looks for the next item calls
//! [`cx.cancelled()`](crate::CallContext::cancelled). A method that waits for an item uses
//! [`cx.until_cancelled()`](crate::CallContext::until_cancelled).
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
//! One argument of a method may be a stream as well (an upload):
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
//! A blocking client passes an iterator, an async client a `Stream`; the method may take either. A
//! method that has enough returns, which ends the client's iterator. Flow control: if the method
//! takes items slowly, the client stops after some windows of 64 KiB ahead.
//!
//! The method sees an item as soon as it waits for one; items made meanwhile travel together. A
//! blocking client runs a second thread for the length of such a call, so that no item waits for
//! the next one. An async client sends the first item of a stream at once, and later items when the
//! server has taken that in. A stream that is always ready never lets its task go. There the client
//! looks for the server's notice after the first item, the second, the fourth and so on. It looks
//! after 64 KiB at the latest.
//!
//! A deadline or timeout of [`CallOptions`](crate::CallOptions) holds for the whole of such a call.
//! The client's [`call_timeout`](crate::ClientBuilder::call_timeout) holds three times: until the
//! stream is open, then until the method takes an item, and from the last item to the answer. In
//! between, a server may take items at any pace. A client may send its first item late.
//! If the method has begun by the end of the time, a new time begins with that item.
//!
//! An upload of which the server takes no item in time ends with
//! [`CallError::UploadStalled`](crate::CallError::UploadStalled), which says whether its method had
//! begun. The method of an upload that was still [queued](crate::UploadStage::Queued) never runs. A
//! token, a deadline or the server's death can end the call from outside. The caller of a blocking
//! client learns of that when its iterator gives the next item. An item that cannot be sent,
//! because it cannot be encoded or is too large, ends the call with
//! [`CallError::StreamBroken`](crate::CallError::StreamBroken): the method has already begun.
//!
//! The client may go before its last item. The method must not take the items so far for the whole
//! upload, so it sees no end. An iterator leaves the method by unwinding, as a panic would, but
//! without a report. The server drops the future of an `async fn`. A program built with
//! `panic = "abort"` cannot unwind: there a server with a method that takes an iterator does not
//! start ([`BindError::NeedsUnwinding`](crate::BindError::NeedsUnwinding)). An `async fn` that
//! takes a `Stream` works in both.
//!
//! A method that takes an iterator keeps a thread until its client is done. That thread is not one
//! of those that serve calls. Each client has eight, and further uploads of that client wait for
//! one of them. A method that takes a `Stream` needs no thread. When the server's machine refuses a
//! thread, that call ends with [`CallError::ServerNoThread`](crate::CallError::ServerNoThread): its
//! method did not run, and others go on. A blocking client needs one more thread for an upload too;
//! if its machine refuses it, the call ends with
//! [`CallError::NoThread`](crate::CallError::NoThread).
//!
//! When its client has disconnected, a method that asks for the next item ends. A method that is stuck
//! elsewhere keeps its thread. With too many such threads, the server refuses new clients
//! ([`max_workers`](crate::WitServerBuilder::max_workers) states the bound).
//!
//! # How many there may be
//!
//! A stream costs no lane and no thread while no caller waits for its next item. Waiting for an
//! item takes a lane. Streams get half of the lanes at most, so calls always find one:
//! `Mmf::new(name).lanes(1024)` lets callers wait for 512 streams at once. A further caller waits for
//! its turn as long as a call may take. Then it ends with
//! [`CallError::StreamBroken`](crate::CallError::StreamBroken), whose cause is
//! [`NoFreeLane`](crate::CallError::NoFreeLane).
//!
//! An upload that waits, for room or for its answer, takes a lane while a quarter of the lanes are
//! free. All other uploads of the connection share one lane. So there may be far more uploads than
//! lanes.
//!
//! One lane stays free for calls. From three lanes on, one is for events, whether or not there is a
//! subscription. The rest determines what can wait at the same time:
//!
//! | Lanes | calls | events | streams and uploads |
//! | --- | --- | --- | --- |
//! | 1 | yes | no | none |
//! | 2 | yes | no | one stream, or the uploads |
//! | 3 | yes | yes | one stream, or the uploads |
//! | 4 | yes | yes | one stream, and the uploads |
//! | more | yes | yes | half as many streams as lanes, and the uploads |
//!
//! With fewer than four lanes, waiting uploads and waiting streams take turns. An upload waits for
//! its turn as long as a call may take, or 30 s where that has no limit. After that, or at once
//! where no lane can be had, it ends with a [`StreamBroken`](crate::CallError::StreamBroken). Its
//! cause is [`CallError::TooFewLanes`](crate::CallError::TooFewLanes), which says how many lanes
//! are needed. A stream waits as long as a call may take, and without a limit until its turn comes.
//! Where calls hold all lanes, both wait as long for one, and then the cause is
//! [`NoFreeLane`](crate::CallError::NoFreeLane).
//!
//! A client may have 1024 streams open; the next is
//! [`CallError::TooManyStreams`](crate::CallError::TooManyStreams). The same error ends a stream
//! whose method would be the 2049th that has begun and not ended. It also ends a stream that would
//! bring the memory of their requests to over 256 MiB. The error says which
//! [limit](crate::StreamLimit) it was.
//!
//! # Events
//!
//! Declare an event in the trait. The service may emit it at any time, during a call or not:
//!
//! ```
//! use witrpc::{EventError, InProcess, WitServer, wit_service};
//!
//! #[wit_service]
//! pub trait Thermometer {
//!     fn heat(&self, degrees: u32);
//!
//!     /// Reports a higher temperature.
//!     #[wit(event)]
//!     fn rose(&self, degrees: u32);
//! }
//!
//! /// The service receives its emitter.
//! struct Mercury {
//!     events: ThermometerEvents,
//! }
//!
//! impl Thermometer for Mercury {
//!     fn heat(&self, degrees: u32) {
//!         // The number of clients does not matter here, nor whether a client was too slow.
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
//! All clients that have subscribed get it (fan-out), in the order in which it was emitted; the
//! others are sent nothing. `self.events.to(cx.client_id())` emits to one client alone, such as the
//! caller. No two clients have the same number, also where clones of a service serve several
//! servers.
//!
//! The struct of an event is called after trait and event. `#[wit(event, item = Rise)]` gives it another
//! name.
//!
//! A subscriber that is too slow misses events. In their place it gets their number:
//! [`EventError::Lagged`](crate::EventError::Lagged). The event's declaration says which events are
//! dropped: `#[wit(event, overflow = "oldest")]`, the default, keeps what is new; `"newest"` keeps
//! what is old. A progress bar wants the first: each event says more than those before. With
//! either, a slow subscriber delays no other.
//!
//! `"wait 100ms"` makes the emitter wait until there is room, at most for that time. Then the
//! emitter, and all other subscribers of the event, become as slow as the slowest subscriber that
//! still takes one event in that time. The emitter waits once for a subscriber that takes nothing
//! in that time, and not again before it takes something.
//!
//! With such events, a full iterator blocks all later events of its connection, of every kind. The
//! other subscriptions of that connection become as slow as that iterator. A client that may be
//! slow with such events should use a separate connection for them.
//!
//! Up to 1024 events of a kind, or 1 MiB of them, wait for a client at the server. The same holds
//! at each of its iterators. Closures of one connection run on one thread, one after the other. A
//! closure that takes long delays the others, and the iterators of the connection too. A closure
//! may call, subscribe, and drop its own guard.
//!
//! The order between events and the answers of calls is not specified.
//!
//! The last item is [`EventError::Ended`](crate::EventError::Ended), with the reason. A client that
//! [reconnects](crate::Reconnect) renews its subscriptions at the next server. One
//! [`EventError::MayHaveMissed`](crate::EventError::MayHaveMissed) then marks the place where any
//! number of events may be missing: query the current state there. A server that shuts down does
//! not wait until its events are taken; send what must arrive as the answer of a call.
//!
//! All subscriptions of a connection take one of its lanes, which streams and uploads leave free.
//! The connection must have three, because a stream needs one and calls need one. With fewer,
//! subscribing is [`TooFewLanes`](crate::CallError::TooFewLanes).
//!
//! # Stream or event
//!
//! - Data that one caller has asked for, in full, at its own pace: a stream.
//! - Data that many clients may want, as it happens, and of which a slow client may miss some: an
//!   event.
//!
//! The examples `render_worker` and `chat` use both, and mostly events.
