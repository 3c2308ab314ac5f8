//! The names and paths of sockets: when one is in use, what a dead server leaves, whose files stay as they are, and
//! what other processes learn.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use witrpc::{BindError, ConnectError, Socket, WitServer, wit_service};
use witrpc_tests::watchdog::{PATIENCE, Watchdog};

#[wit_service]
trait Clock {
    fn now(&self) -> u64;
}

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> u64 {
        12
    }
}

fn serve(socket: &Socket) -> Result<WitServer, BindError> {
    WitServer::builder().listen(socket.clone()).service(ClockServer::new(Stopped)).start()
}

fn now(socket: &Socket) -> u64 {
    let client = ClockClient::connect(socket.clone()).expect("it is served");
    client.now().expect("it is answered")
}

fn scratch() -> TempDir {
    tempfile::tempdir().expect("a directory can be made")
}

fn mode_of(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("it is there").permissions().mode() & 0o7777
}

#[test]
fn a_name_has_one_server_at_a_time_and_is_free_after_it() {
    let _watchdog = Watchdog::new(PATIENCE);
    let scratch = scratch();
    let socket = Socket::new("calc").in_dir(scratch.path().join("names"));
    let path = scratch.path().join("names/calc");
    let first = serve(&socket).expect("it is free");
    assert_eq!((first.name(), now(&socket)), ("calc", 12));
    assert_eq!(now(&Socket::at(&path)), 12, "the path leads there too");
    let second = serve(&socket);
    assert!(
        matches!(&second, Err(BindError::NameInUse { name, .. }) if name == "calc"),
        "{second:?}"
    );
    assert_eq!(now(&socket), 12, "the first has not noticed");
    assert!(first.shutdown(PATIENCE));
    assert!(!path.exists());
    let nobody = ClockClient::connect(socket.clone()).err();
    assert!(matches!(nobody, Some(ConnectError::NobodyServes { .. })), "{nobody:?}");
    drop(serve(&socket).expect("it is free again"));
    assert!(!path.exists());
}

#[test]
fn the_socket_of_a_dead_server_is_taken_over_and_nothing_else_is() {
    let _watchdog = Watchdog::new(PATIENCE);
    let scratch = scratch();
    let path = scratch.path().join("calc");
    let socket = Socket::at(&path);
    // Its file stays, as after a kill; so does that of a server that died before it listened under its name.
    drop(UnixListener::bind(&path).expect("it is free"));
    drop(UnixListener::bind(scratch.path().join(".calc")).expect("it is free"));
    let dead = ClockClient::connect(socket.clone()).err();
    assert!(matches!(dead, Some(ConnectError::NobodyServes { .. })), "{dead:?}");
    let server = serve(&socket).expect("it is dead");
    assert_eq!(now(&socket), 12);
    drop(server);
    assert_eq!(fs::read_dir(scratch.path()).expect("it can be read").count(), 0);

    let foreign = UnixListener::bind(&path).expect("it is free");
    let taken = serve(&socket);
    assert!(matches!(taken, Err(BindError::NameInUse { .. })), "{taken:?}");
    drop(foreign);
    fs::remove_file(&path).expect("it is ours");
    fs::write(&path, "a letter").expect("it is free");
    let (bound, connected) = (serve(&socket), ClockClient::connect(socket).err());
    assert!(matches!(bound, Err(BindError::NotOurs { found: "a file", .. })), "{bound:?}");
    assert!(matches!(connected, Some(ConnectError::NotOurs { found: "a file", .. })));
    assert_eq!(fs::read_to_string(&path).expect("it is as it was"), "a letter");
}

#[test]
fn a_socket_that_was_replaced_is_not_removed_by_its_former_server() {
    let _watchdog = Watchdog::new(PATIENCE);
    let scratch = scratch();
    let socket = Socket::at(scratch.path().join("calc"));
    let first = serve(&socket).expect("it is free");
    fs::remove_file(scratch.path().join("calc")).expect("it is ours");
    let second = serve(&socket).expect("no server is found there");
    drop(first);
    assert_eq!(now(&socket), 12);
    drop(second);
}

#[test]
fn a_start_removes_dead_sockets_from_the_users_directory() {
    let _watchdog = Watchdog::new(PATIENCE);
    let uid = rustix::process::geteuid().as_raw();
    let directory = format!("/tmp/witrpc-sockets-{uid}");
    let name = |suffix| format!("test-{}-{suffix}", std::process::id());
    let first = serve(&Socket::new(name("first"))).expect("it is free");
    assert_eq!(mode_of(directory.as_ref()), 0o700);
    let dead = Path::new(&directory).join(name("dead"));
    drop(UnixListener::bind(&dead).expect("it is free"));
    let second = Socket::new(name("second"));
    let server = serve(&second).expect("it is free");
    assert!(!dead.exists());
    let names = second.live().expect("it can be read");
    assert!(names.contains(&name("first")) && names.contains(&name("second")));
    drop(first);
    assert!(!second.live().expect("it can be read").contains(&name("first")));
    drop(server);
}

trait Live {
    fn live(&self) -> Result<Vec<String>, ConnectError>;
}

impl Live for Socket {
    fn live(&self) -> Result<Vec<String>, ConnectError> {
        witrpc::Endpoint::from(self.clone()).servers()
    }
}

#[test]
fn other_processes_learn_names_and_metrics_without_a_place() {
    let _watchdog = Watchdog::new(PATIENCE);
    let scratch = scratch();
    let socket = |name| Socket::new(name).in_dir(scratch.path().join("names")).max_clients(1);
    assert!(socket("b").live().expect("it is empty").is_empty());
    let servers = ["b", "a"].map(|name| serve(&socket(name)).expect("it is free"));
    fs::write(scratch.path().join("names/letter"), "").expect("it is free");
    drop(UnixListener::bind(scratch.path().join("names/dead")).expect("it is free"));
    assert_eq!(socket("a").live().expect("it can be read"), ["a", "b"]);
    let client = ClockClient::connect(socket("a")).expect("it is served");
    assert_eq!(client.now(), Ok(12));
    let endpoint = witrpc::Endpoint::from(socket("a"));
    assert_eq!(endpoint.metrics().expect("it answers").calls, servers[1].metrics().calls);
    assert!(endpoint.check_health().is_ok());
    drop(servers);
    assert!(matches!(endpoint.check_health(), Err(ConnectError::NobodyServes { .. })));
}

#[test]
fn a_directory_and_its_sockets_are_open_to_others_only_if_these_are_allowed() {
    let _watchdog = Watchdog::new(PATIENCE);
    let scratch = scratch();
    for (name, allowed, modes) in
        [("own", None, [0o700, 0o600]), ("shared", Some(12), [0o711, 0o666])]
    {
        let directory = scratch.path().join(name);
        let socket = Socket::new("calc").in_dir(&directory);
        let socket = allowed.into_iter().fold(socket, Socket::allow_uid);
        let _server = serve(&socket).expect("it is free");
        assert_eq!([mode_of(&directory), mode_of(&directory.join("calc"))], modes);
        assert_eq!(now(&socket), 12);
    }
    let open = scratch.path().join("open");
    fs::create_dir(&open).expect("it is free");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).expect("it is ours");
    let refused = serve(&Socket::new("calc").in_dir(&open));
    assert!(matches!(refused, Err(BindError::Directory { .. })), "{refused:?}");
}

#[test]
fn limits_and_names_out_of_bounds_are_named() {
    let _watchdog = Watchdog::new(PATIENCE);
    let scratch = scratch();
    let socket = Socket::at(scratch.path().join("calc"));
    for (socket, name) in [
        (socket.clone().lanes(0), "lanes"),
        (socket.clone().max_clients(0), "max_clients"),
        (socket.clone().max_message_size(63), "max_message_size"),
        (socket.clone().max_message_size(u32::MAX as usize), "max_message_size"),
    ] {
        let error = serve(&socket).err();
        assert!(
            matches!(error, Some(BindError::LimitOutOfRange { limit, .. }) if limit == name),
            "{error:?}"
        );
    }
    let long = Socket::at(scratch.path().join("x".repeat(120)));
    assert!(matches!(serve(&long), Err(BindError::InvalidName { .. })));
    let error = ClockClient::connect(long).err();
    assert!(matches!(error, Some(ConnectError::InvalidName { .. })), "{error:?}");
    assert!(matches!(serve(&Socket::new("a/b")), Err(BindError::InvalidName { .. })));
}

#[test]
fn a_connect_waits_no_longer_than_allowed_for_a_queue_that_is_full() {
    let _watchdog = Watchdog::new(PATIENCE);
    let scratch = scratch();
    let path = scratch.path().join("calc");
    // It listens and never accepts, as a stopped server.
    let _stopped = UnixListener::bind(&path).expect("it is free");
    let mut waiting = Vec::new();
    let _full = loop {
        let socket = rustix::net::socket_with(
            rustix::net::AddressFamily::UNIX,
            rustix::net::SocketType::STREAM,
            rustix::net::SocketFlags::NONBLOCK,
            None,
        )
        .expect("there are sockets");
        let address = rustix::net::SocketAddrUnix::new(&path).expect("it is short");
        match rustix::net::connect(&socket, &address) {
            Ok(()) => waiting.push(UnixStream::from(socket)),
            Err(error) => break error,
        }
    };
    let socket = Socket::at(&path).handshake_timeout(Duration::from_millis(5));
    let error = ClockClient::connect(socket).err();
    assert!(matches!(error, Some(ConnectError::HandshakeTimedOut { .. })), "{error:?}");
    assert!(matches!(serve(&Socket::at(&path)), Err(BindError::NameInUse { .. })));
}
