//! Closes descriptors that a peer has made or passed.
//!
//! Closing a descriptor can take as long as the creator of the file wants. A socket lingers until what
//! was sent has been acknowledged; a file system in a process of the peer answers when that process
//! does. And a file closes when its last reference goes, which may be one in a socket's queue that no
//! process has read. So no thread that serves clients or calls closes any of these:
//!
//! - Where no descriptors are expected, none is received: it stays in its socket
//!   ([`receive`](super::fdpass::receive)).
//! - A descriptor that a peer has passed is a [`ReceivedFd`], until it is found to be of a kind that
//!   closes without waiting. All descriptors of a message are received, because the kernel closes on
//!   the spot those that a receiver has no room for. It also does so when this process has no places
//!   left for descriptors. So no peer's descriptors are received while some wait to be closed.
//! - The socket to a peer is a [`Socket`]. After its hang-up, nothing can be put into it. If it has
//!   unread bytes then, there may be descriptors behind them.
//!
//! Dropping a `ReceivedFd`, or such a `Socket`, hands it to a closer thread. Closer threads start when
//! there is something to close, and end when there is nothing more. If one blocks, others join it, up
//! to [`MAX_CLOSERS`]. Then the rest is kept, and [`is_backed_up`] tells the threads that accept peers,
//! or receive what they pass.
//!
//! The closers belong to the process, because a descriptor does not say which server it was for. A
//! server that ends [joins](join) all of them. So it also waits for descriptors of another server's
//! peers, until its time is over.

use std::mem::{ManuallyDrop, take};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use rustix::io::ioctl_fionread;
use rustix::net::{Shutdown, shutdown, sockopt};
use witrpc_rt::{Joinable, lock, poll_until};

use super::fork::{Descriptor, NoFork, Origin};

/// How many threads may be blocked in closing.
pub const MAX_CLOSERS: usize = 8;

/// A descriptor that a peer has passed, of any kind.
#[derive(Debug)]
pub struct ReceivedFd(ManuallyDrop<Descriptor>);

impl ReceivedFd {
    pub fn new(descriptor: Descriptor) -> Self {
        Self(ManuallyDrop::new(descriptor))
    }

    /// Returns the descriptor, which the caller has found to be of a kind that closes without waiting.
    pub fn harmless(self) -> Descriptor {
        let mut passed = ManuallyDrop::new(self);
        // SAFETY: taken once, since `passed` is neither used nor dropped afterwards.
        let descriptor = unsafe { ManuallyDrop::take(&mut passed.0) };
        descriptor.note_file();
        descriptor
    }
}

impl AsFd for ReceivedFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Drop for ReceivedFd {
    fn drop(&mut self) {
        // SAFETY: taken once, here, and not used afterwards.
        dispose(unsafe { ManuallyDrop::take(&mut self.0) });
    }
}

/// A connected socket whose other end is a peer's.
#[derive(Debug)]
pub struct Socket(ManuallyDrop<Descriptor>);

impl Socket {
    pub fn new(descriptor: Descriptor) -> Self {
        // Otherwise, a call that reads past an urgent byte throws that byte away, with any descriptors
        // passed with it. This cannot fail on a socket.
        let _ = sockopt::set_socket_oobinline(&descriptor, true);
        Self(ManuallyDrop::new(descriptor))
    }

    /// Shuts down the socket, for all copies of it. Nothing can be put into it from here on; its
    /// content can still be read.
    pub fn hang_up(&self) {
        if !self.0.is_forked() {
            // An error means that the other side has hung up already.
            let _ = shutdown(&*self.0, Shutdown::Both);
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.hang_up();
        // SAFETY: taken once, here, and not used afterwards.
        let socket = unsafe { ManuallyDrop::take(&mut self.0) };
        // Every message with a descriptor has at least one byte.
        if !socket.is_forked() && ioctl_fionread(&socket) != Ok(0) {
            dispose(socket);
        }
    }
}

/// What is to be closed, and which threads close.
struct CloseQueue {
    waiting: Vec<OwnedFd>,
    closers: usize,
    /// The handles of the threads that close, or have ended.
    handles: Vec<Joinable>,
    /// Dropped when no thread closes any more: a thread that waits for that sees the other ends hang
    /// up. A lock and a condition variable could be held at a fork, and so be stuck in the child.
    joining: Vec<Sender<()>>,
    /// `None` before its first use.
    origin: Option<Origin>,
}

static QUEUE: Mutex<CloseQueue> = Mutex::new(CloseQueue {
    waiting: Vec::new(),
    closers: 0,
    handles: Vec::new(),
    joining: Vec::new(),
    origin: None,
});

/// Locks the queue of this process. Prevents a fork meanwhile, whose child would find the lock taken.
fn queue() -> (MutexGuard<'static, CloseQueue>, NoFork) {
    let no_fork = NoFork::begin();
    let mut queue = lock(&QUEUE);
    if queue.origin.is_some_and(Origin::is_forked) {
        // They are the parent's: its threads do not exist here, and its descriptors must not be
        // touched.
        take(&mut queue.waiting).into_iter().for_each(std::mem::forget);
        std::mem::forget((take(&mut queue.handles), take(&mut queue.joining)));
        (queue.closers, queue.origin) = (0, None);
    }
    (queue, no_fork)
}

fn dispose(descriptor: Descriptor) {
    if descriptor.is_forked() {
        return;
    }
    let origin = Origin::here();
    let descriptor = descriptor.unregister();
    let (mut queue, no_fork) = queue();
    queue.origin = Some(origin);
    queue.waiting.push(descriptor);
    if queue.closers == MAX_CLOSERS {
        return;
    }
    queue.closers += 1;
    drop((queue, no_fork));
    match Joinable::spawn("witrpc-closer", close_all) {
        Ok(handle) => {
            let (mut queue, _no_fork) = self::queue();
            queue.handles.retain(|thread| !thread.has_ended());
            queue.handles.push(handle);
        }
        // The next drop tries again.
        Err(_) => self::queue().0.has_ended(),
    }
}

impl CloseQueue {
    /// Notes that one thread has stopped closing.
    fn has_ended(&mut self) {
        self.closers -= 1;
        if self.closers == 0 {
            self.joining.clear();
        }
    }
}

/// Waits until no thread closes anything, at most until that time. Returns whether none does.
pub fn join(until: Option<Instant>) -> bool {
    loop {
        let (joins, ended) = mpsc::channel();
        let (mut queue, no_fork) = queue();
        if queue.closers == 0 {
            drop((queue, no_fork));
            return poll_until(until, have_ended);
        }
        queue.joining.push(joins);
        drop((queue, no_fork));
        let left = |until: Instant| until.saturating_duration_since(Instant::now());
        let waited = match until {
            Some(until) => ended.recv_timeout(left(until)),
            None => ended.recv().map_err(RecvTimeoutError::from),
        };
        if waited == Err(RecvTimeoutError::Timeout) {
            return false;
        }
    }
}

/// Returns whether all threads have ended, with all that the system does then.
fn have_ended() -> bool {
    let (mut queue, _no_fork) = queue();
    queue.handles.retain(|thread| !thread.has_ended());
    queue.handles.is_empty()
}

fn close_all() {
    while let Some(next) = next_to_close() {
        // It is no socket, or one for which this has no meaning.
        let _ = sockopt::set_socket_linger(&next, None);
        drop(next);
    }
}

/// Returns the next descriptor to close; `None` if this thread must end.
fn next_to_close() -> Option<OwnedFd> {
    let (mut queue, _no_fork) = queue();
    let next = queue.waiting.pop();
    if next.is_none() {
        queue.has_ended();
    }
    next
}

/// Returns whether all threads are blocked and more is to be closed.
pub fn is_backed_up() -> bool {
    let (queue, _no_fork) = queue();
    queue.closers == MAX_CLOSERS && !queue.waiting.is_empty()
}
