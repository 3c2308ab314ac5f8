//! The files of the regions that this process has made and still maps.
//!
//! A peer that has received such a file could pass it on as its own region, here or over another of its
//! connections. Then this process would read what it writes through exclusive references. So it refuses a
//! file of its own from every peer that is not this process itself.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};

use witrpc_rt::lock;

use super::fork::{NoFork, Origin};
use super::memfd::FileIdentity;

/// Device and inode of each. The kernel gives no two files of shared memory one inode at the same time,
/// as long as it has made less than 2³² of them; then a peer that keeps to the rules may be refused once.
static LIVE: Mutex<BTreeSet<(u64, u64)>> = Mutex::new(BTreeSet::new());

/// Locks the files. Prevents a fork meanwhile, whose child would find the lock taken.
fn live() -> (MutexGuard<'static, BTreeSet<(u64, u64)>>, NoFork) {
    let no_fork = NoFork::begin();
    (lock(&LIVE), no_fork)
}

/// The file of a region of this process, as long as that is mapped. To be dropped after the mapping.
#[derive(Debug)]
pub struct OwnFile {
    file: (u64, u64),
    origin: Origin,
}

impl OwnFile {
    /// Enters a file that this process has just made.
    pub fn enter(identity: FileIdentity) -> Self {
        let file = (identity.device, identity.inode);
        live().0.insert(file);
        Self { file, origin: Origin::here() }
    }
}

impl Drop for OwnFile {
    fn drop(&mut self) {
        if !self.origin.is_forked() {
            live().0.remove(&self.file);
        }
    }
}

/// Returns whether this process has made this file and still maps it.
pub fn is_own(identity: FileIdentity) -> bool {
    live().0.contains(&(identity.device, identity.inode))
}
