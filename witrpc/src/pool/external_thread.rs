//! Threads that run methods of a server and are none of its pool's.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Pool;

/// A thread that runs methods and is none of the pool's, for as long as it does. It does not keep the
/// pool.
pub struct ExternalThreadGuard(Arc<AtomicUsize>);

impl ExternalThreadGuard {
    pub fn new(pool: &Pool) -> Self {
        pool.beside.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(&pool.beside))
    }
}

impl Drop for ExternalThreadGuard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
