//! Keeps the name of a server published.
//!
//! A log-out that removes what its user left in shared memory, or an `rm -rf`, takes the name away while the
//! server runs. Clients then find no server, and another one may take the name. So the kernel tells the
//! control thread when a file of the name changes (inotify). Where it has no watch left, the thread looks
//! whenever something else wakes it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::inotify;
use rustix::fs::inotify::{CreateFlags, WatchFlags};
use rustix::io::Errno;
use witrpc_transport::NameChange;

use crate::rendezvous::claim::NameClaim;
use crate::sys::fork::Descriptor;

/// How long after a change to look. What removes a name removes its directory too, and must not meet a name
/// that has just been published anew.
const SETTLED: Duration = Duration::from_millis(50);

/// How long after a vain attempt to try again. No event says when the obstacle has gone.
const AGAIN: Duration = Duration::from_secs(1);

/// The watch over a name, and when to look at it next.
#[derive(Debug)]
pub struct Names {
    /// Absent where the kernel has none left.
    watch: Option<Descriptor>,
    look_at: Option<Instant>,
    /// The name is not published, and the host knows.
    is_lost: bool,
}

impl Names {
    /// Watches the files of a claim. They may have gone before, so the first look is due at once.
    pub fn of(claim: Option<&NameClaim>) -> Self {
        let watch = claim.and_then(|claim| watch(&claim.files()).ok());
        Self { watch, look_at: Some(Instant::now()), is_lost: false }
    }

    /// Returns the descriptor that is readable after a change.
    pub fn descriptor(&self) -> Option<&Descriptor> {
        self.watch.as_ref()
    }

    /// Notes that the descriptor is readable.
    pub fn changed(&mut self) {
        if let Some(watch) = &self.watch {
            // What has changed does not matter: the look finds it.
            while rustix::io::read(watch, &mut [0; 4096]).is_ok() {}
        }
        self.look_at.get_or_insert(Instant::now() + SETTLED);
    }

    /// Returns when to look.
    pub fn look_at(&self) -> Option<Instant> {
        self.look_at
    }

    /// Looks whether the claim still stands, if that is due, and publishes the name anew if not. Returns the
    /// listeners if they are others now, and what to tell the host.
    pub fn look(
        &mut self,
        claim: &mut Option<NameClaim>,
    ) -> (Option<Vec<Arc<Descriptor>>>, Option<NameChange>) {
        let is_due = self.look_at.is_some_and(|at| at <= Instant::now()) || self.watch.is_none();
        let Some(claim) = claim.as_mut().filter(|_| is_due) else { return (None, None) };
        self.look_at = None;
        if claim.stands() && !self.is_lost {
            return (None, None);
        }
        let change = match claim.renew() {
            Ok(is_new) => {
                self.is_lost = false;
                is_new.then_some(NameChange::Republished)
            }
            Err(error) => {
                self.look_at = Some(Instant::now() + AGAIN);
                let is_news = !std::mem::replace(&mut self.is_lost, true);
                is_news.then(|| NameChange::Lost { problem: error.to_string() })
            }
        };
        self.watch = watch(&claim.files()).ok();
        (Some(claim.listeners()), change)
    }
}

/// Watches files: their removal changes the number of their links, and so their attributes. Directories are
/// watched for their own removal only, and not for what other servers do in them.
fn watch(files: &[PathBuf]) -> Result<Descriptor, Errno> {
    let inotify = Descriptor::open(|| inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK))?;
    for path in files {
        let of_itself = WatchFlags::MOVE_SELF | WatchFlags::DELETE_SELF | WatchFlags::DONT_FOLLOW;
        let what = if path.is_dir() { of_itself } else { of_itself | WatchFlags::ATTRIB };
        match inotify::add_watch(&inotify, path, what) {
            // It has gone already, which the next look finds.
            Ok(_) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(inotify)
}
