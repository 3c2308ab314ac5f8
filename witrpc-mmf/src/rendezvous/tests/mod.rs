//! Tests of the rendezvous as a whole, and what they share.

mod bind;
pub mod bombs;
mod descriptors;
mod directories;
mod forking;
mod handshake;
mod inquiries;
mod making;
mod name_removed;
mod places;
mod raw;
mod regions;
mod unauthenticated;
mod users;

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use rustix::process::{Signal, set_parent_process_death_signal};
use witrpc_transport::{Admitted, ClientInfo, Demands, NameChange, Plain, Session};

use crate::error::ConnectError;
use crate::name::Name;
use crate::portable::{Backend, PORTABLE};

use super::record::MAX_BLOB_LEN;
use super::*;

/// A time that a machine under any load meets: only a failing test waits this long.
pub const PATIENCE: Duration = Duration::from_secs(60);

const REGION_LEN: usize = 64 << 10;

/// A directory of the test's own. Dropping it removes the directory.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("witrpc-{}", Name::unguessable().unwrap()));
        fs::create_dir(&path).expect("the directory for temporary files can be written");
        set_mode(&path, 0o700);
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Returns a place of one directory.
    fn place(&self) -> Place {
        Place::in_dir(self.0.join("names"))
    }

    /// Returns where [`Scratch::place`] keeps a name.
    fn path_of(&self, name: &str) -> PathBuf {
        self.0.join("names").join(name)
    }

    /// Returns the files that are left in the directory of [`Scratch::place`] and in its locks.
    fn leftovers(&self) -> Vec<String> {
        let names = self.0.join("names");
        let mut found: Vec<_> = [names.clone(), names.join("locks")]
            .iter()
            .flat_map(|path| fs::read_dir(path).expect("a server has been there"))
            .map(|entry| entry.expect("it can be read").file_name().into_string().unwrap())
            .filter(|name| name != "locks")
            .collect();
        found.sort();
        found
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
}

fn name(name: &str) -> Name {
    Name::new(name).expect("it breaks no rule")
}

fn claim(place: &Place) -> NameClaim {
    NameClaim::new(&name("calc"), place).expect("no other server has it")
}

fn limits() -> ServerLimits {
    ServerLimits {
        backend: Backend::Native,
        max_clients: 8,
        lanes: 4,
        client_region_len: REGION_LEN,
        server_region_len: REGION_LEN,
        max_message_len: 1000,
        handshake_timeout: PATIENCE,
        grace: PATIENCE,
    }
}

/// What the control thread reports to a [`Recorder`].
#[derive(Debug)]
enum Event {
    Connected {
        client_id: u64,
        session: Session,
        connection: Established,
    },
    HungUp(u64),
    NameChanged(NameChange),
    /// The thread has ended and dropped all that it had.
    Dropped,
}

/// A host that admits every hello but `refuse`, welcomes with the hello, and reports to the test.
struct Recorder(Sender<Event>);

impl Host for Recorder {
    fn admit(&self, client: &ClientInfo, hello: &[u8]) -> Admitted {
        match hello {
            b"refuse" => Admitted::Refusal(b"not you".into()),
            _ => Admitted::Welcome {
                welcome: hello.into(),
                session: Session::new(Arc::new(client.id + 100)),
            },
        }
    }

    fn connected(&self, client: ClientInfo, session: Session, connection: Established) {
        let client_id = client.id;
        let _ = self.0.send(Event::Connected { client_id, session, connection });
    }

    fn hung_up(&self, client_id: u64) {
        let _ = self.0.send(Event::HungUp(client_id));
    }

    fn name_changed(&self, change: NameChange) {
        let _ = self.0.send(Event::NameChanged(change));
    }

    fn report(&self) -> Vec<u8> {
        b"never better".into()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = self.0.send(Event::Dropped);
    }
}

fn start(claim: NameClaim, limits: ServerLimits, host: Arc<dyn Host>) -> Control {
    let control = Control::new(claim).expect("the machine has descriptors to give");
    control.start(limits, host).expect("the machine has a thread to give");
    control
}

/// A server of the name `calc`, and the events of its control thread.
struct Server {
    control: Control,
    events: Receiver<Event>,
}

impl Server {
    fn start(place: &Place, limits: ServerLimits) -> Self {
        let (sender, events) = channel();
        let control = start(claim(place), limits, Arc::new(Recorder(sender)));
        Self { control, events }
    }

    fn next(&self) -> Event {
        self.events.recv_timeout(PATIENCE).expect("something happens in time")
    }

    fn next_connected(&self) -> (u64, Established) {
        match self.next() {
            Event::Connected { client_id, connection, .. } => (client_id, connection),
            other => panic!("{other:?} instead of a client"),
        }
    }

    fn expect_hung_up(&self, client_id: u64) {
        assert!(matches!(self.next(), Event::HungUp(id) if id == client_id));
    }

    /// Shuts down and waits until the control thread ends.
    fn end(self) {
        self.control.shutdown();
        while !matches!(self.next(), Event::Dropped) {}
    }
}

fn options<'a>() -> ConnectOptions<'a> {
    ConnectOptions {
        backend: Backend::Native,
        hello: b"hello",
        wait_for_server: Duration::ZERO,
        max_region_len: 1 << 40,
        handshake_timeout: PATIENCE,
        initiator: &const { Plain::new(false) },
    }
}

fn try_connect(place: &Place) -> Result<Connected, ConnectError> {
    connect(&name("calc"), place, &options())
}

fn try_to_inquire(place: &Place) -> Result<Vec<u8>, ConnectError> {
    inquire(&name("calc"), place, PATIENCE).map(|inquired| inquired.report)
}

/// Reads to the end of the stream, and so returns when the other side has hung up.
fn wait_for_hang_up(mut socket: UnixStream) {
    socket.set_read_timeout(Some(PATIENCE)).expect("it is not zero");
    if let Err(error) = socket.read_to_end(&mut Vec::new()) {
        // This is a hang-up too: the peer had not read everything that this side sent.
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
}

/// Set in the processes that [`child`] starts, to the role that the test plays there.
const ROLE: &str = "WITRPC_TEST_ROLE";

/// Returns the role of this process; `None` in the test runner.
fn role() -> Option<String> {
    let role = std::env::var(ROLE).ok()?;
    set_parent_process_death_signal(Some(Signal::KILL)).expect("a signal that exists");
    // The parent may have died before the line above.
    assert!(rustix::process::getppid().is_some_and(|pid| !pid.is_init()), "the parent is dead");
    Some(role)
}

/// Runs a test of this crate alone, in its own process, which sees `role`.
fn child(test: &str, role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this is a program"));
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(ROLE, role);
    command
}

/// Runs `body` in a process without other tests, for what concerns a whole process.
pub fn in_own_process(test: &str, body: impl FnOnce()) {
    if role().is_some() {
        return body();
    }
    let output = child(test, "alone").output().expect("this program can be run again");
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success() && text.contains("1 passed"), "{test}: {text}");
}

/// A child that is killed when the test ends, at the latest.
struct Killed(Child);

impl Killed {
    fn kill(&mut self) {
        self.0.kill().expect("it is our child");
        self.0.wait().expect("it is our child");
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A guard that ends the threads of a test even if it fails.
struct SetAtEnd<'a>(&'a AtomicBool);

impl Drop for SetAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
