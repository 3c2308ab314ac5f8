//! Errors of uploads.

use std::fmt;

/// The stage at which an upload waited at the server while no item of it was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UploadStage {
    /// Its turn among this client's uploads to methods that take an iterator: eight of them have a
    /// thread. The method did not run, and will not.
    Queued,
    /// The method, which had begun. It may have run in part.
    Begun,
}

impl fmt::Display for UploadStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            UploadStage::Queued => {
                "it waited for one of the threads that the server has for uploads of one client, and \
                 its method did not run: make fewer uploads at once, or raise call_timeout"
            }
            UploadStage::Begun => {
                "its method has begun and waits for something else: find out for what, or raise \
                 call_timeout"
            }
        })
    }
}
