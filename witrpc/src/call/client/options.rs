//! The options that apply to some calls of a client.

use std::time::{Duration, Instant};

use witrpc_transport::Limit;

use crate::rt::cancel_token::CancelToken;

/// The options of one view's calls: `client.with(CallOptions::new()…)`.
///
/// A deadline or a timeout that is given here goes to the server with each call. The server does
/// not begin an expired call ([`CallError::Expired`](crate::CallError::Expired)). A handler can
/// read the [deadline](crate::CallContext::deadline), and learns [when it has
/// passed](crate::CallContext::cancelled).
///
/// Both replace the client's [default timeout](crate::ClientBuilder::call_timeout).
///
/// # Examples
///
/// ```
/// use std::time::{Duration, Instant};
/// use witrpc::{CallError, CallOptions, wit_service};
///
/// #[wit_service]
/// pub trait Adder {
///     fn add(&self, a: i64, b: i64) -> i64;
/// }
///
/// struct Plain;
///
/// impl Adder for Plain {
///     fn add(&self, a: i64, b: i64) -> i64 {
///         a + b
///     }
/// }
///
/// let adder = AdderClient::in_process(Plain);
/// let quick = adder.with(CallOptions::new().timeout(Duration::from_secs(1)));
/// assert_eq!(quick.add(1, 2), Ok(3));
///
/// let too_late = adder.with(CallOptions::new().deadline(Instant::now()));
/// let error = too_late.add(1, 2).unwrap_err();
/// assert_eq!(error, CallError::Expired);
/// assert!(!error.maybe_executed());
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "options do nothing until a client is made with them"]
pub struct CallOptions {
    deadline: Option<Instant>,
    timeout: Option<Duration>,
    token: Option<CancelToken>,
}

impl CallOptions {
    /// Creates options that change nothing about the client's own.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the instant until which the client waits for answers. `None`, which
    /// [`CallContext::deadline`](crate::CallContext::deadline) may return, sets no deadline.
    pub fn deadline(mut self, deadline: impl Into<Option<Instant>>) -> Self {
        self.deadline = deadline.into();
        self
    }

    /// Sets how long the client waits for each answer, from its call on. Together with a
    /// [`deadline`](Self::deadline), the earlier of the two counts.
    pub fn timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.timeout = timeout.into();
        self
    }

    /// Ends the calls when this token is cancelled.
    pub fn cancelled_by(mut self, token: &CancelToken) -> Self {
        self.token = Some(token.clone());
        self
    }

    /// Returns these options, completed by those of `earlier` that are unset here.
    pub(crate) fn or(self, earlier: Option<&Self>) -> Self {
        let Some(earlier) = earlier else { return self };
        Self {
            deadline: self.deadline.or(earlier.deadline),
            timeout: self.timeout.or(earlier.timeout),
            token: self.token.or_else(|| earlier.token.clone()),
        }
    }

    pub(crate) fn token(&self) -> Option<&CancelToken> {
        self.token.as_ref()
    }

    fn have_time(&self) -> bool {
        self.deadline.is_some() || self.timeout.is_some()
    }

    /// Returns the deadline of a call that starts now; `None` also for an unlimited time.
    fn deadline_now(&self) -> Option<Instant> {
        let timeout = self.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        match (self.deadline, timeout) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Returns how long an operation that starts now may take; `None` for as long as the server
    /// lives.
    pub(crate) fn time_left(&self, default: Option<Duration>) -> Option<Duration> {
        let left = self.deadline.map(|at| at.saturating_duration_since(Instant::now()));
        match (left, self.timeout) {
            (Some(left), Some(timeout)) => Some(left.min(timeout)),
            (None, None) => default,
            (left, timeout) => left.or(timeout),
        }
    }

    /// Returns the time that a call is allowed, for its error; `None` if it has a deadline.
    pub(crate) fn time_allowed(&self, default: Option<Duration>) -> Option<Duration> {
        match (self.deadline, self.timeout) {
            (None, None) => default,
            (None, timeout) => timeout,
            (Some(_), _) => None,
        }
    }
}

/// The time limits of one call.
#[derive(Clone, Copy, Debug)]
pub struct CallDeadline {
    /// How long the caller waits.
    pub limit: Limit,
    /// The deadline that is sent to the server.
    pub deadline: Option<Instant>,
}

impl CallDeadline {
    /// Returns the limits of a call that starts now.
    #[inline]
    pub fn new(options: Option<&CallOptions>, default: Option<Duration>) -> Self {
        match options {
            Some(options) if options.have_time() => {
                let deadline = options.deadline_now();
                Self { limit: deadline.map_or(Limit::Never, Limit::At), deadline }
            }
            _ => Self { limit: default.map_or(Limit::Never, Limit::Within), deadline: None },
        }
    }

    /// Returns whether the deadline has already passed.
    #[inline]
    pub fn are_over(&self) -> bool {
        // Reads the clock only for a call that has a deadline.
        self.deadline.is_some_and(|at| at <= Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_later_counts_and_the_rest_stays() {
        let second = Duration::from_secs(1);
        let now = Instant::now();
        let token = CancelToken::new();
        let earlier = CallOptions::new().timeout(second).deadline(now).cancelled_by(&token);
        let both = CallOptions::new().timeout(2 * second).or(Some(&earlier));
        assert_eq!((both.timeout, both.deadline), (Some(2 * second), Some(now)));
        token.cancel();
        assert!(both.token().is_some_and(CancelToken::is_cancelled));
    }

    #[test]
    fn the_earlier_of_deadline_and_timeout_counts() {
        let hour = Duration::from_secs(3600);
        let soon = Instant::now() + hour;
        let options = CallOptions::new().deadline(soon);
        let call_deadline = |options: &CallOptions| CallDeadline::new(Some(options), Some(hour));
        assert_eq!(call_deadline(&options).deadline, Some(soon));
        assert!(options.time_left(None).is_some_and(|left| left <= hour));
        assert_eq!(call_deadline(&options.clone().timeout(2 * hour)).deadline, Some(soon));
        assert!(call_deadline(&options.timeout(hour / 2)).deadline.is_some_and(|at| at < soon));
        let endless = CallOptions::new().timeout(Duration::MAX);
        assert!(matches!(
            call_deadline(&endless),
            CallDeadline { limit: Limit::Never, deadline: None }
        ));
        assert!(call_deadline(&CallOptions::new().deadline(Instant::now())).are_over());
        assert!(matches!(CallDeadline::new(None, None).limit, Limit::Never));
    }

    #[test]
    fn only_an_explicit_time_is_told_to_the_server() {
        let second = Duration::from_secs(1);
        let call_deadline = CallDeadline::new(Some(&CallOptions::new()), Some(second));
        assert!(matches!(call_deadline.limit, Limit::Within(time) if time == second));
        assert_eq!(call_deadline.deadline, None);
        assert_eq!(CallOptions::new().time_allowed(Some(second)), Some(second));
        assert_eq!(CallOptions::new().timeout(2 * second).time_allowed(None), Some(2 * second));
    }
}
