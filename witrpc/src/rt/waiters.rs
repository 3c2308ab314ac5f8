//! A [`WakerSet`] that stands in the state that its tasks wait for.

use std::sync::{Arc, Mutex};

use witrpc_rt::{WakerSet, lock};

/// The tasks that wait for a change of the state.
#[derive(Debug, Default)]
pub struct Waiters(Arc<WakerSet>);

impl Waiters {
    /// Returns the set, whose tasks are to be woken without the lock.
    pub fn take(&mut self) -> Arc<WakerSet> {
        Arc::clone(&self.0)
    }
}

/// Completes once `is_so`. What makes it so takes the waiters, and wakes them after.
pub async fn until_so<S>(
    state: &Mutex<S>,
    is_so: fn(&S) -> bool,
    waiters: fn(&mut S) -> &mut Waiters,
) {
    let set = waiters(&mut lock(state)).take();
    set.until(|| is_so(&lock(state))).await;
}
