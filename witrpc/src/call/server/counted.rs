//! Calls that have not been answered, for a shutdown to wait for.

use std::sync::{Arc, Weak};

use crate::pool::Pool;

/// Counts as a call that has not been answered: a shutdown waits for it.
pub struct Counted(Weak<Pool>);

impl Counted {
    pub fn new(pool: &Arc<Pool>) -> Self {
        pool.job_begun();
        Self(Arc::downgrade(pool))
    }
}

#[cfg(test)]
impl Counted {
    /// Of no server.
    pub fn nowhere() -> Self {
        Self(Weak::new())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some(pool) = self.0.upgrade() {
            pool.job_done();
        }
    }
}
