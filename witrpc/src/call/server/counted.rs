//! Unanswered calls, which a shutdown waits for.

use std::sync::{Arc, Weak};

use crate::pool::Pool;

/// The registration of one unanswered call: a shutdown waits for it.
pub struct Counted(Weak<Pool>);

impl Counted {
    pub fn new(pool: &Arc<Pool>) -> Self {
        pool.job_begun();
        Self(Arc::downgrade(pool))
    }

    /// Returns whether the server ends: what is unanswered then ends with its connection.
    pub fn server_ends(&self) -> bool {
        Pool::ends(&self.0)
    }
}

#[cfg(test)]
impl Counted {
    /// Creates a registration that belongs to no server.
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
