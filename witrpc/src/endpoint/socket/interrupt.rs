//! The end of a connect whose caller has given up.

use std::net::Shutdown as Way;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use witrpc_rt::{lock, wait_until};

use crate::rt::cancel_token::{CancelToken, TokenWatch};

/// Ends a connect from another thread: it closes the socket and ends a pause.
#[derive(Default)]
pub struct ConnectInterrupt {
    state: Mutex<InterruptState>,
    came: Condvar,
}

#[derive(Default)]
struct InterruptState {
    has_come: bool,
    /// The socket that the connect waits for.
    socket: Option<Arc<UnixStream>>,
}

impl ConnectInterrupt {
    /// Returns an interrupt that the token causes for as long as the watch is kept.
    pub fn by(token: Option<&CancelToken>) -> (Arc<Self>, Option<TokenWatch>) {
        let interrupt = Arc::<Self>::default();
        let mut watch = token.map(CancelToken::watch);
        if let Some(watch) = &mut watch {
            let waker = Waker::from(Arc::clone(&interrupt));
            if watch.poll(&Context::from_waker(&waker)).is_ready() {
                waker.wake();
            }
        }
        (interrupt, watch)
    }

    pub fn has_come(&self) -> bool {
        lock(&self.state).has_come
    }

    /// Closes this socket when the interrupt comes, or at once. With `None`, no socket from here on.
    pub fn guard(&self, socket: Option<&Arc<UnixStream>>) {
        let mut state = lock(&self.state);
        state.socket = socket.cloned();
        state.close_if_come();
    }

    /// Waits for this time, or until the interrupt.
    pub fn pause(&self, time: Duration) {
        let until = Instant::now().checked_add(time);
        drop(wait_until(&self.came, lock(&self.state), until, |state| state.has_come));
    }
}

impl InterruptState {
    fn close_if_come(&self) {
        if let Some(socket) = self.socket.as_ref().filter(|_| self.has_come) {
            // The server may have closed it already.
            let _ = socket.shutdown(Way::Both);
        }
    }
}

impl Wake for ConnectInterrupt {
    fn wake(self: Arc<Self>) {
        let mut state = lock(&self.state);
        state.has_come = true;
        state.close_if_come();
        drop(state);
        self.came.notify_all();
    }
}
