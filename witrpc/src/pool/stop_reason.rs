//! Why a server does not serve.

use std::fmt;

/// The reason why a server does not serve, from [`WitServer::wait`](crate::WitServer::wait).
///
/// # Examples
///
/// The end of a daemon's `main`:
///
/// ```
/// use std::process::ExitCode;
/// use std::time::Duration;
/// use witrpc::{InProcess, StopReason, WitServer, wit_service};
///
/// #[wit_service]
/// pub trait Clock {
///     fn now(&self) -> u64;
/// }
///
/// struct Stopped;
///
/// impl Clock for Stopped {
///     fn now(&self) -> u64 {
///         12
///     }
/// }
///
/// fn serve() -> Result<ExitCode, Box<dyn std::error::Error>> {
///     let server =
///         WitServer::builder().listen(InProcess::new()).service(ClockServer::new(Stopped)).start()?;
///     # let handle = server.handle();
///     # std::thread::spawn(move || handle.shutdown(Duration::ZERO));
///     match server.wait() {
///         StopReason::ShutDown => Ok(ExitCode::SUCCESS),
///         reason => {
///             eprintln!("{reason}");
///             Ok(ExitCode::FAILURE)
///         }
///     }
/// }
///
/// assert_eq!(serve().unwrap(), ExitCode::SUCCESS);
/// ```
#[must_use = "a server in a forked process never serves: StopReason::Forked"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// The server was shut down.
    ShutDown,
    /// This process is a fork of the one that serves. Threads do not cross a fork, so nothing was ever served
    /// here. A program that becomes a daemon must start its server after the fork.
    Forked,
    /// The thread of the transport that lets clients in has ended, and the server with it. It ends by a panic
    /// of the library, or because the program has closed a descriptor that is not its own.
    Failed,
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ShutDown => "the server was shut down",
            Self::Failed => {
                "the thread that lets clients in has ended: by a panic in the library, which is a bug \
                 to report with its message, or because the program has closed a descriptor that is \
                 not its own"
            }
            Self::Forked => {
                "the server does not run in this process, which was forked from the one that \
                 started it: start the server after the fork (after daemonizing)"
            }
        })
    }
}
