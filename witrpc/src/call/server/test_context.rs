//! The context of a call that no client makes, for tests of a service.

use std::sync::Arc;
use std::task::Waker;

use witrpc_transport::{ChannelError, ClientInfo, Outgoing, Peer, Session, Ticket};

use crate::call::client::options::{CallDeadline, CallOptions};
use crate::rt::cancel_token::CancelToken;

use super::cancel::Deadline;
use super::context::CallContext;

impl CallContext {
    /// Creates the context of a call that a client of this process makes with `options`, for a test that
    /// calls a method of a service itself.
    ///
    /// [`cancelled`](Self::cancelled) becomes true when the token of the options is cancelled, or their
    /// deadline passes. Each context is that of another client.
    ///
    /// # Examples
    ///
    /// ```
    /// use witrpc::{CallContext, CallOptions, CancelToken, wit_service};
    ///
    /// #[wit_service]
    /// trait Miner {
    ///     fn dig(&self, #[wit(ctx)] cx: &CallContext) -> u64;
    /// }
    ///
    /// struct Steady;
    ///
    /// impl Miner for Steady {
    ///     fn dig(&self, cx: &CallContext) -> u64 {
    ///         (0..1000).take_while(|_| !cx.cancelled()).count() as u64
    ///     }
    /// }
    ///
    /// let token = CancelToken::new();
    /// let cx = CallContext::for_tests(CallOptions::new().cancelled_by(&token));
    /// assert_eq!(Steady.dig(&cx), 1000);
    /// token.cancel();
    /// assert_eq!(Steady.dig(&cx), 0);
    /// ```
    #[must_use]
    pub fn for_tests(options: CallOptions) -> Self {
        let peer: Arc<dyn Peer> = Arc::new(TestClient {
            client: ClientInfo::new(std::process::id(), witrpc_rt::user_id()),
            session: Session::new(Arc::new(())),
            token: options.token().cloned().unwrap_or_default(),
        });
        let deadline = CallDeadline::new(Some(&options), None).deadline;
        let deadline = deadline.map(|at| Deadline { at, timer: Arc::default() });
        Self::new(&peer, Ticket::new(0, 1), deadline, None)
    }
}

/// A client that takes no answer.
struct TestClient {
    client: ClientInfo,
    session: Session,
    token: CancelToken,
}

impl Peer for TestClient {
    fn client(&self) -> &ClientInfo {
        &self.client
    }

    fn session(&self) -> &Session {
        &self.session
    }

    fn answer(&self, _: Ticket, _: Outgoing<'_>) -> Result<(), ChannelError> {
        Ok(())
    }

    fn is_connected(&self) -> bool {
        true
    }

    fn is_cancelled(&self, _: Ticket) -> bool {
        self.token.is_cancelled()
    }

    fn watch(&self, _: Ticket, waker: &Waker) -> u64 {
        self.token.add(waker)
    }

    fn unwatch(&self, key: u64) {
        self.token.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll};
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn each_context_is_of_another_client_of_this_process() {
        let [one, other] = [(); 2].map(|()| CallContext::for_tests(CallOptions::new()));
        assert_ne!(one.client_id(), other.client_id());
        assert_eq!(one.pid(), std::process::id());
        assert_eq!((one.identity(), one.deadline()), (None, None));
        assert!(!one.cancelled());
    }

    #[test]
    fn what_waits_for_the_end_of_the_call_is_woken() {
        let token = CancelToken::new();
        let cx = CallContext::for_tests(CallOptions::new().cancelled_by(&token));
        let mut cancelled = pin!(cx.until_cancelled());
        let mut task = Context::from_waker(Waker::noop());
        assert_eq!(cancelled.as_mut().poll(&mut task), Poll::Pending);
        let waiting = std::thread::spawn({
            let cx = cx.clone();
            move || futures_executor::block_on(cx.until_cancelled())
        });
        token.cancel();
        waiting.join().unwrap();
        assert_eq!(cancelled.as_mut().poll(&mut task), Poll::Ready(()));
    }

    #[test]
    fn a_deadline_that_has_passed_cancels_it() {
        let cx = CallContext::for_tests(CallOptions::new().deadline(Instant::now()));
        assert!(cx.cancelled());
        futures_executor::block_on(cx.until_cancelled());
        let hour = CallOptions::new().timeout(Duration::from_secs(3600));
        assert!(!CallContext::for_tests(hour).cancelled());
    }
}
