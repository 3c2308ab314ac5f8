//! The limits on what the streams of one client may cost its server.
//!
//! Two costs are not bounded by lanes, and are counted here. The first is methods: a call with a stream
//! is answered when the stream is open. So a client could open and close streams faster than their
//! methods end. The second is unread items: a push is answered before its items are used.
//!
//! # Invariants
//!
//! 1. A [`MethodPermit`] exists for each method with a stream that was begun, until its job is dropped.
//!    There are at most [`MAX_JOBS`]. Their requests take at most [`MAX_ARGUMENT_BYTES`], unless there is
//!    only one.
//! 2. Unread items whose push was answered take at most [`MAX_CREDIT_BYTES`] of messages. A push that
//!    would exceed this is answered after these are read, and so keeps its lane.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use crate::error::StreamLimit;
use crate::stream::protocol::MAX_STREAMS;

use super::not_opened::NotOpened;

/// The most methods with a stream that one client may have begun. This exceeds the number of open
/// streams, because the methods of closed streams end a little later.
const MAX_JOBS: usize = 2 * MAX_STREAMS;

/// The most bytes of their requests that are kept.
const MAX_ARGUMENT_BYTES: usize = 256 << 20;

/// The most bytes of pushed messages that may be unread after their push was answered.
const MAX_CREDIT_BYTES: usize = 64 << 20;

/// The current costs of a client's streams.
#[derive(Default)]
pub struct StreamLimits {
    jobs: AtomicUsize,
    argument_bytes: AtomicUsize,
    credit_bytes: AtomicUsize,
}

/// The permit of a method with a stream that was begun.
pub struct MethodPermit {
    load: Arc<StreamLimits>,
    argument_bytes: usize,
}

/// Credit for a push that is answered while its items are unread.
pub struct Credit {
    load: Arc<StreamLimits>,
    bytes: usize,
}

impl StreamLimits {
    /// Counts one more method, whose request has `argument_bytes` bytes.
    ///
    /// # Errors
    ///
    /// One of the limits is reached.
    pub fn begin(self: &Arc<Self>, argument_bytes: usize) -> Result<MethodPermit, NotOpened> {
        if !add(&self.jobs, 1, MAX_JOBS) {
            return Err(NotOpened::TooMany { limit: StreamLimit::Methods, max: MAX_JOBS });
        }
        // A single request is bounded by the longest message.
        let others = self.argument_bytes.load(Relaxed);
        let most = if others == 0 { usize::MAX } else { MAX_ARGUMENT_BYTES };
        if !add(&self.argument_bytes, argument_bytes, most) {
            self.jobs.fetch_sub(1, Relaxed);
            let (limit, max) = (StreamLimit::RequestBytes, MAX_ARGUMENT_BYTES);
            return Err(NotOpened::TooMany { limit, max });
        }
        Ok(MethodPermit { load: Arc::clone(self), argument_bytes })
    }

    /// Grants credit for a push of `bytes` bytes, unless that exceeds the limit.
    pub fn grant(self: &Arc<Self>, bytes: usize) -> Option<Credit> {
        let granted = add(&self.credit_bytes, bytes, MAX_CREDIT_BYTES);
        granted.then(|| Credit { load: Arc::clone(self), bytes })
    }
}

impl MethodPermit {
    /// Returns the length of the request in bytes.
    pub fn request_len(&self) -> usize {
        self.argument_bytes
    }
}

impl Drop for MethodPermit {
    fn drop(&mut self) {
        self.load.argument_bytes.fetch_sub(self.argument_bytes, Relaxed);
        self.load.jobs.fetch_sub(1, Relaxed);
    }
}

impl Drop for Credit {
    fn drop(&mut self) {
        self.load.credit_bytes.fetch_sub(self.bytes, Relaxed);
    }
}

/// Adds `more` to the count, unless the sum exceeds `most`. Returns whether it was added.
fn add(count: &AtomicUsize, more: usize, most: usize) -> bool {
    let add = |now: usize| now.checked_add(more).filter(|sum| *sum <= most);
    count.fetch_update(Relaxed, Relaxed, add).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_methods_begun_up_to_the_limit() {
        let load = Arc::<StreamLimits>::default();
        let mut permits: Vec<_> = std::iter::from_fn(|| load.begin(0).ok()).collect();
        assert_eq!(permits.len(), MAX_JOBS);
        let refused = load.begin(0).err();
        let bound = Some(NotOpened::TooMany { limit: StreamLimit::Methods, max: MAX_JOBS });
        assert_eq!(refused, bound);
        permits.pop();
        assert!(load.begin(0).is_ok());
    }

    #[test]
    fn requests_are_kept_up_to_a_bound_or_a_single_one() {
        let load = Arc::<StreamLimits>::default();
        let large = load.begin(MAX_ARGUMENT_BYTES + 1).expect("it is alone");
        let (limit, max) = (StreamLimit::RequestBytes, MAX_ARGUMENT_BYTES);
        assert_eq!(load.begin(1).err(), Some(NotOpened::TooMany { limit, max }));
        assert_eq!(load.jobs.load(Relaxed), 1, "what was refused counts for nothing");
        drop(large);
        let _half = load.begin(MAX_ARGUMENT_BYTES / 2).expect("there is room");
        assert!(load.begin(MAX_ARGUMENT_BYTES).is_err());
        assert!(load.begin(MAX_ARGUMENT_BYTES / 2).is_ok());
    }

    #[test]
    fn credit_is_granted_until_it_is_used_up() {
        let load = Arc::<StreamLimits>::default();
        let credit = load.grant(MAX_CREDIT_BYTES).expect("all of it");
        assert!(load.grant(1).is_none());
        drop(credit);
        assert!(load.grant(MAX_CREDIT_BYTES + 1).is_none());
        assert!(load.grant(1).is_some());
    }
}
