//! One stream of a client, in either direction.

use crate::call::server::pending_reply::PendingReply;
use crate::codec::Decoder;
use crate::stream::protocol::UploadState;

use super::slot::Unheard;

/// The status of a stream: whether it continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamStatus {
    GoesOn,
    /// The client has received everything.
    Over,
}

/// One stream of a client.
pub trait ServerStream: Send + Sync {
    /// Answers a pull, at once or later.
    fn pull(&self, asked: PendingReply) -> StreamStatus;

    /// Takes a push of `len` bytes and answers it, at once or later.
    fn push(&self, asked: PendingReply, _len: usize, _items: &mut Decoder<'_>) -> StreamStatus {
        asked.reply().bad_request("nothing can be pushed into this stream");
        StreamStatus::GoesOn
    }

    /// Closes the stream, because the client no longer wants it or has disconnected. The caller
    /// must drop the returned value, which tells the hooks.
    #[must_use]
    fn close(&self) -> Option<Unheard>;

    /// Returns whether it is an upload, whose client receives notices.
    fn is_upload(&self) -> bool {
        false
    }

    /// Gives an upload up, unless an item of it was taken. If the upload does not continue, the
    /// caller closes it.
    fn give_up(&self) -> UploadState {
        UploadState::GoesOn
    }
}
