//! One stream of a client, whichever way it goes.

use crate::call::server::pending_reply::PendingReply;
use crate::codec::Decoder;
use crate::tag::UploadState;

use super::slot::Unheard;

/// Whether a stream goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamStatus {
    GoesOn,
    /// All has been told of it.
    Over,
}

/// One stream.
pub trait ServerStream: Send + Sync {
    /// Answers a pull, at once or later.
    fn pull(&self, asked: PendingReply) -> StreamStatus;

    /// Takes a push of so many bytes and answers it, at once or later.
    fn push(&self, asked: PendingReply, _len: usize, _items: &mut Decoder<'_>) -> StreamStatus {
        asked.reply().bad_request("nothing can be pushed into this stream");
        StreamStatus::GoesOn
    }

    /// The client does not want it any more, or has gone. To drop what this returns tells the hooks.
    #[must_use]
    fn close(&self) -> Option<Unheard>;

    /// Whether the client feeds it, and is told of it by notices.
    fn is_upload(&self) -> bool {
        false
    }

    /// The client gives an upload up unless an item of it was taken: one that does not go on is closed
    /// next.
    fn give_up(&self) -> UploadState {
        UploadState::GoesOn
    }
}
