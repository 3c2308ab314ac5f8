//! The frames that leave by one socket, and the thread that sends what the socket did not take at once.
//!
//! # Invariants
//!
//! 1. Frames are sealed and leave in the order in which they were put: both happen under the lock, or on the
//!    thread that `writing` names.
//! 2. While `writing` or `corked` is set, or frames wait, a put only appends. So at most one thread sends.
//! 3. `end` only grows. After [`OutboxEnd::Last`] no frame is put, and after [`OutboxEnd::Closed`] none waits.

use std::collections::VecDeque;
use std::io;
use std::net::Shutdown as Way;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use witrpc_rt::{lock, wait_until};

use super::sealing::FrameSealer;
use super::stream::{send_some, wait_writable};

/// How long the last frame may take to leave. A peer that does not read delays an end by this.
const GRACE: Duration = Duration::from_secs(1);

/// How often a thread that waits for a peer looks whether the connection ends.
const RECHECK: Duration = Duration::from_millis(100);

/// The memory that a frame which waits takes beside its bytes.
const FRAME_COST: usize = 64;

/// The frames that leave by one socket. Any thread puts them, and never waits.
pub struct Outbox {
    socket: Arc<UnixStream>,
    /// The process that owns the connection. A forked child leaves it alone.
    process: u32,
    state: Mutex<OutboxState>,
    /// A frame waits, has left, or the end has come.
    changed: Condvar,
    /// Called without the lock when all that waited has left.
    emptied: Box<dyn Fn() + Send + Sync>,
}

struct OutboxState {
    sealer: FrameSealer,
    waiting: VecDeque<PartlySent>,
    /// The memory of the frames that have not left.
    held: usize,
    /// The greeting has not left: frames wait for it.
    corked: bool,
    /// The outbox's thread sends the frame that was first.
    writing: bool,
    end: OutboxEnd,
}

/// A frame, and how much of it the socket has taken.
struct PartlySent {
    frame: Vec<u8>,
    sent: usize,
}

#[derive(Clone, Copy)]
enum OutboxEnd {
    Open,
    /// The last frame was put, at this time.
    Last(Instant),
    Closed,
}

impl Outbox {
    /// Returns an outbox whose frames wait until it is [uncorked](Self::uncork).
    pub fn corked(
        socket: Arc<UnixStream>,
        sealer: FrameSealer,
        emptied: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let state = OutboxState {
            sealer,
            waiting: VecDeque::new(),
            held: 0,
            corked: true,
            writing: false,
            end: OutboxEnd::Open,
        };
        let (process, state) = (std::process::id(), Mutex::new(state));
        Self { socket, process, state, changed: Condvar::new(), emptied: Box::new(emptied) }
    }

    /// Lets frames leave from here on.
    pub fn uncork(&self) {
        lock(&self.state).corked = false;
        self.changed.notify_all();
    }

    /// Returns whether this process is a forked child of the one that connected.
    pub fn is_forked(&self) -> bool {
        std::process::id() != self.process
    }

    /// Sends a frame, at once if the socket takes it.
    pub fn put(&self, frame: Vec<u8>) {
        self.put_as(frame, false);
    }

    /// Sends the last frame, and then closes the connection. A peer that does not read it in time loses it.
    pub fn put_last(&self, frame: Vec<u8>) {
        self.put_as(frame, true);
    }

    fn put_as(&self, frame: Vec<u8>, is_last: bool) {
        // Before the lock: another thread may have held it at the fork.
        if self.is_forked() {
            return;
        }
        let mut state = lock(&self.state);
        if !matches!(state.end, OutboxEnd::Open) {
            return;
        }
        let Some(frame) = state.sealer.seal(frame) else {
            return self.close_with(&mut state);
        };
        if is_last {
            state.end = OutboxEnd::Last(Instant::now());
        }
        let mut sent = 0;
        if state.may_send_here() {
            match send_some(&self.socket, &frame) {
                Ok(all) if all == frame.len() => {
                    return if is_last {
                        self.close_with(&mut state)
                    };
                }
                Ok(some) => sent = some,
                Err(_) => return self.close_with(&mut state),
            }
        }
        state.held += frame.len() + FRAME_COST;
        state.waiting.push_back(PartlySent { frame, sent });
        drop(state);
        self.changed.notify_all();
    }

    /// Sends what the socket did not take at once, until the connection is closed. Run by a thread.
    pub fn run(&self) {
        while let Some(PartlySent { frame, sent }) = self.next() {
            let result = self.send_rest(&frame[sent..]);
            let mut state = lock(&self.state);
            state.writing = false;
            state.held -= frame.len() + FRAME_COST;
            let is_empty = state.waiting.is_empty();
            if result.is_err() || is_empty && matches!(state.end, OutboxEnd::Last(_)) {
                self.close_with(&mut state);
            }
            drop(state);
            self.changed.notify_all();
            if is_empty {
                (self.emptied)();
            }
        }
        (self.emptied)();
    }

    fn next(&self) -> Option<PartlySent> {
        let is_due = |state: &OutboxState| {
            matches!(state.end, OutboxEnd::Closed) || !state.corked && !state.waiting.is_empty()
        };
        let (mut state, _) = wait_until(&self.changed, lock(&self.state), None, is_due);
        let next = state.waiting.pop_front();
        state.writing = next.is_some();
        next
    }

    fn send_rest(&self, mut rest: &[u8]) -> io::Result<()> {
        while !rest.is_empty() {
            let sent = send_some(&self.socket, rest)?;
            rest = &rest[sent..];
            if sent > 0 {
                continue;
            }
            wait_writable(&self.socket, RECHECK)?;
            match lock(&self.state).end {
                OutboxEnd::Last(since) if since.elapsed() > GRACE => {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                OutboxEnd::Closed => return Err(io::ErrorKind::NotConnected.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Waits while the frames that have not left take more than `max` bytes. The caller reads nothing meanwhile,
    /// so a peer that does not read is not heard either.
    pub fn wait_for_room(&self, max: usize) {
        let has_room =
            |state: &OutboxState| state.held <= max || matches!(state.end, OutboxEnd::Closed);
        drop(wait_until(&self.changed, lock(&self.state), None, has_room));
    }

    /// Returns whether all that was put has left, or will never leave.
    pub fn is_empty(&self) -> bool {
        let state = lock(&self.state);
        state.waiting.is_empty() && !state.writing
    }

    /// Closes the connection at once. What has not left is lost.
    pub fn close(&self) {
        if !self.is_forked() {
            self.close_with(&mut lock(&self.state));
        }
    }

    fn close_with(&self, state: &mut OutboxState) {
        state.end = OutboxEnd::Closed;
        state.held -= state.waiting.iter().map(|each| each.frame.len() + FRAME_COST).sum::<usize>();
        state.waiting.clear();
        self.changed.notify_all();
        // The peer may have closed it already.
        let _ = self.socket.shutdown(Way::Both);
    }
}

impl OutboxState {
    /// Returns whether a frame may leave on the thread that puts it.
    fn may_send_here(&self) -> bool {
        !self.corked && !self.writing && self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::thread;

    use super::super::frame;
    use super::*;

    fn outbox() -> (Arc<Outbox>, UnixStream, Arc<AtomicUsize>) {
        let (near, far) = UnixStream::pair().unwrap();
        let emptied = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&emptied);
        let sealer = FrameSealer::of_messages(None);
        let outbox = Outbox::corked(Arc::new(near), sealer, move || {
            count.fetch_add(1, SeqCst);
        });
        (Arc::new(outbox), far, emptied)
    }

    fn run(outbox: &Arc<Outbox>) -> thread::JoinHandle<()> {
        let outbox = Arc::clone(outbox);
        thread::spawn(move || outbox.run())
    }

    #[test]
    fn frames_leave_in_their_order_whatever_the_socket_takes() {
        let (outbox, mut far, emptied) = outbox();
        let frames: Vec<_> =
            (0..40).map(|len| frame::hello(&vec![len; len as usize * 4000])).collect();
        for frame in &frames[..20] {
            outbox.put(frame.clone());
        }
        assert!(!outbox.is_empty(), "nothing leaves before the greeting");
        let thread = run(&outbox);
        outbox.uncork();
        for frame in &frames[20..] {
            outbox.put(frame.clone());
        }
        outbox.put_last(frame::drain());
        outbox.put(frame::drain());
        let mut read = Vec::new();
        far.read_to_end(&mut read).unwrap();
        let expected: Vec<u8> = frames.concat().into_iter().chain(frame::drain()).collect();
        assert!(read == expected);
        thread.join().unwrap();
        assert!(outbox.is_empty());
        assert!(emptied.load(SeqCst) > 0);
    }

    #[test]
    fn a_peer_that_does_not_read_fills_the_outbox_up_to_its_bound_and_cannot_hold_its_end() {
        let (outbox, far, _) = outbox();
        outbox.uncork();
        let thread = run(&outbox);
        let long = frame::hello(&vec![0; 1 << 20]);
        (0..4).for_each(|_| outbox.put(long.clone()));
        let held = lock(&outbox.state).held;
        assert!(held > 3 << 20, "the kernel takes little of them");
        let waiting = Arc::clone(&outbox);
        let reader = thread::spawn(move || waiting.wait_for_room(1 << 20));
        outbox.put_last(frame::drain());
        // Both end although nothing is ever read.
        thread.join().unwrap();
        reader.join().unwrap();
        assert_eq!(lock(&outbox.state).held, 0);
        drop(far);
    }

    #[test]
    fn a_close_ends_the_thread_and_drops_what_waits() {
        let (outbox, mut far, _) = outbox();
        let thread = run(&outbox);
        outbox.put(frame::drain());
        outbox.close();
        thread.join().unwrap();
        assert_eq!(far.read(&mut [0; 8]).unwrap(), 0);
        assert!(outbox.is_empty());
        outbox.close();
    }
}
