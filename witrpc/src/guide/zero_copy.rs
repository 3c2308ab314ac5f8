//! Frames, tensors and samples that cross without being copied.
//!
//! A `&[T]` argument is copied twice: into the shared memory by the caller, out of it for the handler. A
//! [`Shared`](crate::Shared) is not copied at all: it is filled where the other process reads it. That
//! pays from some tens of KiB on; a call with a mebibyte that nobody looks at takes hardly longer
//! than an empty one.
//!
//! # The trait
//!
//! `Shared<[T]>` stands for a slice and `Shared<T>` for one value, as a whole argument or result, among
//! others of any kind:
//!
//! ```
//! use witrpc::{CallContext, Mmf, Shared, WitServer, wit_service};
//!
//! #[wit_service]
//! pub trait Mixer {
//!     /// Both tracks together, each as loud as said.
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
//! The element type has no padding and any bytes are a value of it: numbers, arrays of them, and
//! your own `#[repr(C)]` structs that derive `bytemuck::Pod`, `bytemuck::Zeroable`,
//! `serde::Serialize` and `serde::Deserialize`. Serde does not encode them; it is how their fields
//! get into the contract.
//!
//! # Filling
//!
//! [`Connection::alloc`](crate::Connection::alloc) and
//! [`CallContext::alloc`](crate::CallContext::alloc) give a [`SharedMut`](crate::SharedMut), which is a
//! `&mut [T]`. What is in it at first is not specified, so fill all of it. `freeze` makes a `Shared`
//! of it, to which nobody writes any more.
//!
//! What is private already can be passed too: [`Shared::from_vec`](crate::Shared::from_vec) takes a
//! `Vec`, which the call copies.
//!
//! # Reading
//!
//! In another process a `Shared` gives no `&[T]`, since that process cannot know that the writer has
//! stopped writing. It gives copies, of as much at a time as you like, on x86-64 at the speed of
//! `memcpy`:
//!
//! ```
//! let frame = witrpc::Shared::from_vec((0..640 * 480).map(|n| n as u8).collect());
//!
//! // One after the other; good for sums and searches.
//! let bright = frame.iter().filter(|pixel| *pixel > 200).count();
//! // A row at a time, in one buffer.
//! let mut rows = frame.chunks(640);
//! let mut sums = Vec::new();
//! while let Some(row) = rows.next() {
//!     sums.push(row.iter().map(|pixel| u64::from(*pixel)).sum::<u64>());
//! }
//! // Any part of it, to where you want it.
//! let mut corner = [0; 16];
//! frame.copy_range_to(640 * 479, &mut corner);
//! # assert!(bright > 0 && sums.len() == 480 && corner[1] == corner[0] + 1);
//! ```
//!
//! Elements that decide something, such as an index, are used as they were when they were checked:
//! keep the copy, do not look again.
//!
//! If you can vouch for the other process, because it is your own worker running your own code, say so
//! with [`TrustedPeer`](crate::TrustedPeer), in the one `unsafe` line that this needs. Then
//! [`as_slice`](crate::Shared::as_slice) gives the elements in place, and plain `&[T]` arguments refer
//! to the shared memory too.
//!
//! # Space
//!
//! Each side has half of [`Mmf::size`](crate::Mmf::size) for what it sends, messages included. Give
//! it the frames that are out at a time and one more, and 1 MiB for messages:
//!
//! ```
//! # let frame_bytes = 1920 * 1080 * 3;
//! let in_flight = 3; // one is filled, one waits, one is looked at
//! let size = 2 * ((in_flight + 1) * frame_bytes + (1 << 20));
//! ```
//!
//! When there is no space left,
//!
//! - a client's `alloc` waits for it, as long as a call may take, or 30 s if that is without end, and
//!   then says what is short. So a producer that is too quick is slowed down by itself;
//! - a handler's `alloc` does not wait, since a client that keeps what it got would hold up the
//!   server. It gives private memory, and the answer copies it; but an error if that copy would be
//!   over [`max_message_size`](crate::Mmf::max_message_size);
//! - `try_alloc` says so at once, and so does every `alloc` that asks for more than can ever be had.
//!
//! Two threads that each hold a frame and wait for a second one can wait for each other; both are
//! told in the end, but who needs several asks for them at once, by
//! [`alloc_all`](crate::Connection::alloc_all) or
//! [`alloc_all_async`](crate::Connection::alloc_all_async). Who asks for little goes past those who wait
//! for much, since what these wait for may be in its hands.
//!
//! # Keeping
//!
//! A `Shared` is cheap to clone, and can be kept after the call, by a handler as by a client. Meanwhile
//! its space is not free for its sender, who has a bound of 1,024 leases and of its half of the
//! memory; beyond it `alloc` fails with an error that says so. So keep what you need, and copy what you
//! need for long.
//!
//! A lease outlives its connection and the other process: the memory stays as it was when the other
//! side stopped writing. Over another connection, or the next one after a
//! [reconnection](crate::Reconnect), it can be passed too, and is copied then: where a `Shared` comes
//! from is never an error by itself. But a copy is a part of its message, and so no longer than
//! [`max_message_size`](crate::Mmf::max_message_size), 64 MiB unless given, which what is lent may be:
//! who shares frames as long as that raises it too. [`Shared`](crate::Shared) lists when it is copied.
//!
//! With [encryption](crate::WitServerBuilder::encryption) nothing can be lent, since all that lies in
//! shared memory is sealed then: `alloc` says so, and what was made by `from_vec` is copied and sealed.
