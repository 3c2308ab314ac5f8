//! Closing what a peer has made or passed.
//!
//! To close a descriptor can take as long as whoever made the file wants: a socket lingers until
//! what was sent has been acknowledged, a file system in a process of the peer's answers when it
//! likes. And a descriptor closes when the last reference goes, which may be one in a socket's queue
//! that nobody has looked into. So no thread that serves others closes any of these:
//!
//! - Where nothing is to be passed nothing that is passed is received: it stays in its socket
//!   ([`receive`](super::fdpass::receive)).
//! - What a peer has passed is a [`ReceivedFd`], until it has been found to be of a kind whose closing
//!   does not wait. All that comes with a message is received, since the kernel closes on the spot
//!   what a receiver has no room for. It does so too when this process has no places left for
//!   descriptors; so nobody's are received while there are some that wait to be closed.
//! - The socket to a peer is a [`Socket`], which nothing can be put into once it has hung up. One
//!   that has unread bytes then may hold descriptors behind them.
//!
//! Dropped, these two go to a thread that does nothing else, started when there is something to
//! close and ended when there is nothing more. One that is kept waiting is joined by others, up to
//! [`MAX_CLOSERS`]; what comes then is kept, and [`is_backed_up`] tells those who let peers in, or
//! receive what they pass.
//!
//! They belong to the process, as none of what they close says which server it was for. A server that ends
//! [joins](join) them all, and so waits for those that another's peer keeps waiting, until its time is over.

use std::mem::{ManuallyDrop, take};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Instant;

use rustix::io::ioctl_fionread;
use rustix::net::{Shutdown, shutdown, sockopt};
use witrpc_rt::{lock, spawn};

use super::fork::{Descriptor, NoFork, Origin};

/// How many threads may be kept waiting by what they close.
pub const MAX_CLOSERS: usize = 8;

/// A descriptor that a peer has passed, of whatever kind.
#[derive(Debug)]
pub struct ReceivedFd(ManuallyDrop<Descriptor>);

impl ReceivedFd {
    pub fn new(descriptor: Descriptor) -> Self {
        Self(ManuallyDrop::new(descriptor))
    }

    /// The descriptor, which has been found to be of a kind whose closing does not wait.
    pub fn harmless(self) -> Descriptor {
        let mut passed = ManuallyDrop::new(self);
        // SAFETY: taken once, since `passed` is neither used nor dropped after.
        unsafe { ManuallyDrop::take(&mut passed.0) }
    }
}

impl AsFd for ReceivedFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Drop for ReceivedFd {
    fn drop(&mut self) {
        // SAFETY: taken once, here, and not used after.
        dispose(unsafe { ManuallyDrop::take(&mut self.0) });
    }
}

/// A connected socket whose other end is a peer's.
#[derive(Debug)]
pub struct Socket(ManuallyDrop<Descriptor>);

impl Socket {
    pub fn new(descriptor: Descriptor) -> Self {
        // An urgent byte would else be thrown away by the call that reads past it, with whatever was
        // passed along. It cannot fail on a socket.
        let _ = sockopt::set_socket_oobinline(&descriptor, true);
        Self(ManuallyDrop::new(descriptor))
    }

    /// Says good-bye for every copy of the socket. Nothing can be put into it from here on; what is
    /// in it can still be read.
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
        // SAFETY: taken once, here, and not used after.
        let socket = unsafe { ManuallyDrop::take(&mut self.0) };
        // Every message with a descriptor has a byte.
        if !socket.is_forked() && ioctl_fionread(&socket) != Ok(0) {
            dispose(socket);
        }
    }
}

/// What is to be closed, and by how many.
struct CloseQueue {
    waiting: Vec<OwnedFd>,
    closers: usize,
    /// Of the threads that close, or have ended.
    handles: Vec<JoinHandle<()>>,
    /// Dropped when no thread closes any more: who waits for that sees the other ends hang up. A lock and a
    /// condition would be found taken by a child that is forked meanwhile.
    joining: Vec<Sender<()>>,
    /// `None` before its first use.
    origin: Option<Origin>,
}

static HEAP: Mutex<CloseQueue> = Mutex::new(CloseQueue {
    waiting: Vec::new(),
    closers: 0,
    handles: Vec::new(),
    joining: Vec::new(),
    origin: None,
});

/// The heap of this process, with no fork meanwhile that would find its lock taken.
fn heap() -> (MutexGuard<'static, CloseQueue>, NoFork) {
    let no_fork = NoFork::begin();
    let mut heap = lock(&HEAP);
    if heap.origin.is_some_and(Origin::is_forked) {
        // The parent's: its threads are not here, and its descriptors are not to be touched.
        take(&mut heap.waiting).into_iter().for_each(std::mem::forget);
        std::mem::forget((take(&mut heap.handles), take(&mut heap.joining)));
        (heap.closers, heap.origin) = (0, None);
    }
    (heap, no_fork)
}

fn dispose(descriptor: Descriptor) {
    if descriptor.is_forked() {
        return;
    }
    let origin = Origin::here();
    let descriptor = descriptor.unregister();
    let (mut heap, no_fork) = heap();
    heap.origin = Some(origin);
    heap.waiting.push(descriptor);
    if heap.closers == MAX_CLOSERS {
        return;
    }
    heap.closers += 1;
    drop((heap, no_fork));
    match spawn("witrpc-closer", close_all) {
        Ok(handle) => {
            let (mut heap, _no_fork) = self::heap();
            heap.handles.retain(|handle| !handle.is_finished());
            heap.handles.push(handle);
        }
        // What disposes of something next tries again.
        Err(_) => self::heap().0.has_ended(),
    }
}

impl CloseQueue {
    /// One thread closes nothing any more.
    fn has_ended(&mut self) {
        self.closers -= 1;
        if self.closers == 0 {
            self.joining.clear();
        }
    }
}

/// Waits until no thread closes anything, until that time at the most. Returns whether none does.
pub fn join(until: Option<Instant>) -> bool {
    loop {
        let (joins, ended) = mpsc::channel();
        let (mut heap, no_fork) = heap();
        if heap.closers == 0 {
            let handles = take(&mut heap.handles);
            drop((heap, no_fork));
            // All that is left of them is the system's part of their end.
            handles.into_iter().for_each(|handle| drop(handle.join()));
            return true;
        }
        heap.joining.push(joins);
        drop((heap, no_fork));
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

fn close_all() {
    while let Some(next) = next_to_close() {
        // Not a socket, or one that it means nothing to.
        let _ = sockopt::set_socket_linger(&next, None);
        drop(next);
    }
}

/// `None`: this thread is to end.
fn next_to_close() -> Option<OwnedFd> {
    let (mut heap, _no_fork) = heap();
    let next = heap.waiting.pop();
    if next.is_none() {
        heap.has_ended();
    }
    next
}

/// Whether all threads are kept waiting, and more is to be closed.
pub fn is_backed_up() -> bool {
    let (heap, _no_fork) = heap();
    heap.closers == MAX_CLOSERS && !heap.waiting.is_empty()
}
