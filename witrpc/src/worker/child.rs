//! The worker's side: takes the line, serves, and ends with its parent.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{io, thread};

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Signal, getpid, kill_process};
use rustix::stdio::{dup2_stdin, stdin};
use witrpc_rt::lock;
use zeroize::Zeroizing;

use crate::call::server::call::IntoService;
use crate::endpoint::mmf::Mmf;
use crate::error::ServeError;
use crate::rt::spawn;
use crate::server::builder::WitServerBuilder;
use crate::server::handle::{ServerHandle, WitServer};

use super::assignment::{Assignment, MAX_LEN, Report, read_assignment, whole_body};
use super::nesting::{NamedLine, Serving, has_begun, serves_no_more};

/// How long a process whose parent has gone may take to end by itself.
const GRACE: Duration = Duration::from_secs(1);

/// Serves the parent that started this process as a [`Worker`](crate::Worker), until the parent goes.
///
/// Call it before any code reads standard input, and before you start processes that must not hold the
/// line.
///
/// When it returns, the parent has gone or does not want the worker any more. The server has been closed, and
/// the program may clean up. A process that still runs one second later, because a handler or another thread
/// blocks it, is killed. The line is watched from the beginning, so all this also holds while the server
/// starts.
///
/// # Errors
///
/// [`ServeError`]: this process is not a worker, or its server cannot start. The parent receives the reason.
///
/// # Examples
///
/// A complete worker program:
///
/// ```no_run
/// use witrpc::{ServeError, wit_service};
///
/// #[wit_service]
/// pub trait Greeter {
///     fn greet(&self, name: &str) -> String;
/// }
///
/// struct Polite;
///
/// impl Greeter for Polite {
///     fn greet(&self, name: &str) -> String {
///         format!("Good day, {name}")
///     }
/// }
///
/// fn main() -> Result<(), ServeError> {
///     witrpc::worker::serve(GreeterServer::new(Polite))
/// }
/// ```
pub fn serve(service: impl IntoService) -> Result<(), ServeError> {
    serve_with(|server, _| server.service(service))
}

/// Serves as [`serve`] does, with a server that `configure` sets up. `configure` gets a builder that
/// already listens on the assigned endpoint and asks for the parent's token, and adds services and
/// limits. It may listen on the endpoint again with a size: `server.listen(place.size(64 <<
/// 20)).service(..)`.
///
/// A service with its own workers starts them here. They end with this process, however it ends. Once
/// this function has returned, or the parent has gone, the process
/// [cannot start workers](crate::WorkerBuilder::spawn).
///
/// # Errors
///
/// As [`serve`].
pub fn serve_with(
    configure: impl FnOnce(WitServerBuilder, Mmf) -> WitServerBuilder,
) -> Result<(), ServeError> {
    let (line, _serving) = take_line()?;
    let assignment = receive(&line)?;
    let parent = Arc::new(Mutex::new(Parent { gone: false, server: None }));
    watch(&line, &parent)?;

    let place = assignment.place();
    let builder = WitServer::builder().listen(place.clone());
    let builder = builder.access_token(assignment.token.clone());
    let server = match configure(builder, place).start() {
        Ok(server) => server,
        Err(error) => {
            report(&line, &Report::failed(&error.to_string()));
            return Err(error.into());
        }
    };
    {
        let mut parent = lock(&parent);
        if parent.gone {
            return Ok(());
        }
        parent.server = Some(server.handle());
    }
    report(&line, &Report::Serving);
    // Always shut down: this thread does not run in a fork.
    let _ = server.wait();
    Ok(())
}

/// Takes the line away from standard input, so that neither this program nor the processes that it
/// starts use it.
fn take_line() -> Result<(UnixStream, Serving), ServeError> {
    let has_line = || NamedLine::of_this_process().is_some_and(|line| line.is_here());
    if has_begun() || !has_line() {
        return Err(ServeError::NotAWorker);
    }
    let refused = |source| ServeError::Io { doing: "take the line to the parent", source };
    // At a number above the standard streams, even if those are closed.
    let line = fcntl_dupfd_cloexec(stdin(), 3).map_err(|errno| refused(errno.into()))?;
    let nothing = std::fs::File::open("/dev/null").map_err(refused)?;
    dup2_stdin(nothing).map_err(|errno| refused(errno.into()))?;
    Ok((line.into(), Serving::begin()))
}

/// Reads the assignment, which the parent has written before it started this process.
fn receive(mut line: &UnixStream) -> Result<Assignment, ServeError> {
    let bad = |problem| ServeError::Assignment { problem };
    let refused = |source| ServeError::Io { doing: "read the assignment", source };
    let mut heard = Zeroizing::new(Vec::with_capacity(4 + MAX_LEN));
    loop {
        if let Some(body) = whole_body(&heard).map_err(bad)? {
            return read_assignment(body).map_err(bad);
        }
        let mut part = Zeroizing::new([0; 512]);
        match line.read(&mut *part) {
            Ok(0) => return Err(refused(io::ErrorKind::UnexpectedEof.into())),
            Ok(len) => heard.extend_from_slice(&part[..len]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(refused(error)),
        }
    }
}

/// Reports to the parent. If the parent has gone, the thread that watches the line notices it too.
fn report(mut line: &UnixStream, report: &Report) {
    let _ = line.write_all(&report.to_frame());
}

/// The state that the thread that watches the line shares with the one that serves.
struct Parent {
    gone: bool,
    server: Option<ServerHandle>,
}

/// Starts the thread that ends the process when the parent hangs up.
fn watch(line: &UnixStream, parent: &Arc<Mutex<Parent>>) -> Result<(), ServeError> {
    let refused = |source| ServeError::Io { doing: "watch the line to the parent", source };
    let mut line = line.try_clone().map_err(refused)?;
    let parent = Arc::clone(parent);
    let wait = move || {
        // The parent sends nothing more. Reading ends when the parent ends, or when the line fails.
        let _ = io::copy(&mut line, &mut io::sink());
        serves_no_more();
        let server = {
            let mut parent = lock(&parent);
            parent.gone = true;
            parent.server.take()
        };
        if let Some(server) = server {
            server.shutdown(Duration::ZERO);
        }
        thread::sleep(GRACE);
        // Not `exit`: that runs code which other threads may block, or which they do not expect.
        let _ = kill_process(getpid(), Signal::KILL);
        // The first process of a container does not receive its own signal.
        std::process::abort();
    };
    spawn("witrpc-parent", wait).map(drop).map_err(refused)
}
