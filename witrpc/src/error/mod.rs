//! The errors, grouped by what the program was doing: binding, connecting, calling, running a worker.

mod alloc;
mod bind;
mod call;
mod codec;
mod connect;
mod difference;
mod direction;
mod event;
#[cfg(feature = "worker")]
mod exit;
mod from_channel;
mod left_behind;
mod rejection;
mod remedy;
mod remote;
mod stream_limit;
mod upload;
mod wording;
#[cfg(feature = "worker")]
mod worker;

pub use alloc::AllocError;
pub use bind::BindError;
pub use call::{CallError, NoAppError};
pub use codec::Codec;
pub use connect::ConnectError;
pub use difference::ContractDifference;
pub use direction::Direction;
pub use event::{EmitError, EventError};
#[cfg(feature = "worker")]
pub use exit::WorkerExit;
pub use left_behind::LeftBehindLimit;
pub use rejection::Rejection;
pub use remote::RemoteError;
pub use stream_limit::StreamLimit;
pub use upload::UploadStage;
#[cfg(feature = "worker")]
pub use worker::{ServeError, WorkerError};

/// Checks that an error reads as a sentence: what happened, then a colon or a semicolon, then what
/// to do.
#[cfg(test)]
fn assert_is_sentence(words: &str) {
    let flaws = ["  ", "\n", "{", "}"];
    assert!(flaws.iter().all(|flaw| !words.contains(flaw)), "{words}");
    assert!(words.contains([':', ';']), "says what to do: {words}");
    assert!(!words.ends_with(['.', ':', ';', ' ']), "{words}");
    assert!(words.len() > 40, "{words}");
}
