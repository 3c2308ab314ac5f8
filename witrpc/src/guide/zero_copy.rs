//! Frames, tensors and samples that cross without being copied.
//!
//! A `&[T]` argument is copied twice: the caller copies it into the shared memory, the server out
//! of it for the handler. A [`Shared`](crate::Shared) is not copied at all: the sender fills it
//! where the other process reads it. That pays from some tens of KiB on. A call with a mebibyte
//! that neither side reads takes hardly longer than an empty one.
//!
//! # The trait
//!
//! `Shared<[T]>` is a slice and `Shared<T>` one value. Each is a whole argument or result, beside
//! others of any kind:
//!
//! ```
//! use witrpc::{CallContext, Mmf, Shared, WitServer, wit_service};
//!
//! #[wit_service]
//! pub trait Mixer {
//!     /// Mixes both tracks, each at the given volume.
//!     fn mix(
//!         &self,
//!         #[wit(ctx)] cx: &CallContext,
//!         left: Shared<[f32]>,
//!         right: Shared<[f32]>,
//!         volumes: (f32, f32),
//!     ) -> Result<Shared<[f32]>, String>;
//! }
//!
//! struct Desk;
//!
//! impl Mixer for Desk {
//!     fn mix(
//!         &self,
//!         cx: &CallContext,
//!         left: Shared<[f32]>,
//!         right: Shared<[f32]>,
//!         (a, b): (f32, f32),
//!     ) -> Result<Shared<[f32]>, String> {
//!         if left.len() != right.len() {
//!             return Err("the tracks differ in length".to_owned());
//!         }
//!         let mut mix = cx.alloc(left.len()).map_err(|error| error.to_string())?;
//!         for ((mix, left), right) in mix.iter_mut().zip(&left).zip(&right) {
//!             *mix = a * left + b * right;
//!         }
//!         Ok(mix.freeze())
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let place = Mmf::unguessable().size(16 << 20);
//! let server = WitServer::builder().listen(place.clone()).service(MixerServer::new(Desk)).start()?;
//!
//! let mixer = MixerClient::connect(place)?;
//! let mut tracks = mixer.connection().alloc_all::<f32>(&[48_000, 48_000])?;
//! tracks[0].fill(0.5); // `&mut [f32]`, in memory that the server reads
//! tracks[1].fill(0.25);
//! let mut tracks = tracks.into_iter().map(|track| track.freeze());
//! let (left, right) = (tracks.next().unwrap(), tracks.next().unwrap());
//! let mix = mixer.mix(left, right, (1.0, 2.0))?;
//! assert!(mix.iter().all(|sample| sample == 1.0));
//! # Ok(())
//! # }
//! ```
//!
//! The element type must have no padding, and any bytes must be a valid value of it. Such types are
//! numbers, arrays of them, and your own `#[repr(C)]` structs that derive `bytemuck::Pod`,
//! `bytemuck::Zeroable`, `serde::Serialize` and `serde::Deserialize`. Serde does not encode them;
//! it only brings their fields into the contract.
//!
//! # Filling
//!
//! [`Connection::alloc`](crate::Connection::alloc) and
//! [`CallContext::alloc`](crate::CallContext::alloc) give a [`SharedMut`](crate::SharedMut), which
//! is a `&mut [T]`. Its initial contents are not specified, so fill all of it. `freeze` makes a
//! `Shared` of it, which can no longer be written.
//!
//! You can also pass private data: [`Shared::from_vec`](crate::Shared::from_vec) takes a `Vec`,
//! which the call copies.
//!
//! # Reading
//!
//! In another process a `Shared` gives no `&[T]`, because the reader cannot know that the writer
//! has stopped writing. It gives copies, of any part at a time, on x86-64 at the speed of `memcpy`:
//!
//! ```
//! let frame = witrpc::Shared::from_vec((0..640 * 480).map(|n| n as u8).collect());
//!
//! // Element by element, for sums and searches.
//! let bright = frame.iter().filter(|pixel| *pixel > 200).count();
//! // Row by row, in one reused buffer.
//! let mut rows = frame.chunks(640);
//! let mut sums = Vec::new();
//! while let Some(row) = rows.next() {
//!     sums.push(row.iter().map(|pixel| u64::from(*pixel)).sum::<u64>());
//! }
//! // Any range, into a buffer of yours.
//! let mut corner = [0; 16];
//! frame.copy_range_to(640 * 479, &mut corner);
//! # assert!(bright > 0 && sums.len() == 480 && corner[1] == corner[0] + 1);
//! ```
//!
//! Check an element that decides something, such as an index, and then use that same copy: a second
//! read may give another value.
//!
//! If you can vouch for the other process, because it is your own worker with your own code, say so
//! with [`TrustedPeer`](crate::TrustedPeer). That takes one `unsafe` line. Then
//! [`as_slice`](crate::Shared::as_slice) gives the elements in place, and plain `&[T]` arguments
//! refer to the shared memory too.
//!
//! # Space
//!
//! Each side has half of [`Mmf::size`](crate::Mmf::size) for what it sends, messages included. Give
//! it space for the frames that are out at a time and one more, and 1 MiB for messages:
//!
//! ```
//! # let frame_bytes = 1920 * 1080 * 3;
//! let in_flight = 3; // one is filled, one waits, one is looked at
//! let size = 2 * ((in_flight + 1) * frame_bytes + (1 << 20));
//! ```
//!
//! When there is no space left,
//!
//! - a client's `alloc` waits for space, as long as a call may take, or 30 s if that has no limit.
//!   Then it returns an error that says what is short. This is back-pressure: it slows down a
//!   producer that is too fast;
//! - a handler's `alloc` does not wait, because a client that keeps its leases would then block the
//!   server. It gives private memory, and the answer copies it. It is an error if that copy would
//!   exceed [`max_message_size`](crate::Mmf::max_message_size);
//! - `try_alloc` returns an error at once, and so does every `alloc` that asks for more than there
//!   can ever be.
//!
//! Allocate several frames in one call, with [`alloc_all`](crate::Connection::alloc_all) or
//! [`alloc_all_async`](crate::Connection::alloc_all_async). Two threads that each hold a frame and
//! wait for a second can wait for each other, until both get an error. A thread that asks for
//! little goes ahead of threads that wait for much, because it may hold what they wait for.
//!
//! # Keeping
//!
//! A `Shared` is cheap to clone, and both a handler and a client can keep it after the call.
//! Meanwhile its space is not free for its sender. A sender has at most 1,024 leases out, within
//! its half of the memory. Beyond that `alloc` fails with an error that says so. So keep what you
//! need, and copy what you need for long.
//!
//! A lease outlives its connection and the other process: the memory stays as it was when the other
//! side stopped writing. You can also pass it over another connection, or over the next one after a
//! [reconnection](crate::Reconnect): that call copies it. The origin of a `Shared` is never an
//! error by itself.
//!
//! But a copy is part of its message, so it must fit in
//! [`max_message_size`](crate::Mmf::max_message_size), 64 MiB by default; a lent value need not. If
//! you share longer frames, raise that limit too. [`Shared`](crate::Shared) lists when it is
//! copied.
//!
//! With [encryption](crate::WitServerBuilder::encryption) nothing can be lent, because all data in
//! shared memory is sealed. `alloc` then returns an error, and values made by `from_vec` are copied
//! and sealed.
