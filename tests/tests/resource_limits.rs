//! When a limit keeps one side from making its part of a connection, both sides get its name and
//! value. No process is killed by it, and the server goes on.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::getpid;
use tempfile::TempDir;
use witrpc::{ConnectError, ResourceError};
use witrpc_tests::basic::BasicClient;
use witrpc_tests::fixture::{Address, Fixture, FixtureConfig, ServerCommand, Started, Transport};
use witrpc_tests::process::Child;
use witrpc_tests::restriction::{Call, Restriction};
use witrpc_tests::roles::{Duty, Role};
use witrpc_tests::skip::{lacking, skipped};
use witrpc_tests::watchdog::{PATIENCE, Watchdog, eventually};

/// Less than a region of [`FixtureConfig::default`].
const SHORT: u64 = 100 << 10;

/// Half of the default size of an endpoint.
const REGION: u64 = 512 << 10;

/// What is left for the process itself, which goes on.
const ALMOST_A_REGION: u64 = REGION - (16 << 10);

const MIB: u64 = 1 << 20;

fn serving(address: &Address) -> Role {
    Role::Serve { address: address.clone(), plan: FixtureConfig::default() }
}

fn restricted(by: Restriction, role: Role) -> Role {
    Role::Restricted { by, role: Box::new(role) }
}

/// Returns the words that the error of either side contains, for each restriction.
fn restrictions() -> Vec<(Restriction, Vec<String>)> {
    let mut all = vec![(
        Restriction::FileSize(SHORT),
        vec!["RLIMIT_FSIZE".to_owned(), SHORT.to_string(), REGION.to_string()],
    )];
    all.push((
        Restriction::AddressSpace(ALMOST_A_REGION),
        vec!["RLIMIT_AS".to_owned(), REGION.to_string()],
    ));
    all.extend(Call::ALL.map(|call| {
        let says = ["seccomp", "Operation not permitted", call.name()].map(str::to_owned).to_vec();
        (Restriction::Call(call), says)
    }));
    all
}

fn assert_says(words: &str, expected: &[String]) {
    for each in expected {
        assert!(words.contains(each), "{each:?} is missing: {words}");
    }
}

#[test]
fn a_server_that_could_not_take_a_client_says_so_when_it_starts() {
    let _watchdog = Watchdog::new(2 * PATIENCE);
    let mut all = restrictions();
    all.push((Restriction::Descriptors(0), vec!["RLIMIT_NOFILE".to_owned()]));
    for (by, expected) in all {
        let dir = TempDir::new().unwrap();
        let server = Child::start(&restricted(by, serving(&Address::in_dir(dir.path(), "calc"))));
        let refused = server.hear::<Started>().expect_err("it could not serve");
        assert_says(&refused, &expected);
    }
}

#[test]
fn what_a_server_lacks_later_its_next_client_is_told_and_the_others_are_served() {
    let _watchdog = Watchdog::new(3 * PATIENCE);
    let mut all = restrictions();
    // No descriptor for the client's socket; or one for that, and too few for its memory or the
    // server's: with the doorbell it takes four. A descriptor of an earlier client may still be in
    // the queue to be closed.
    all.extend(
        (0..3).map(|left| (Restriction::Descriptors(left), vec!["RLIMIT_NOFILE".to_owned()])),
    );
    for (by, expected) in all {
        let fixture = Fixture::new(Transport::Mmf);
        let client = fixture.client();
        fixture.tell(ServerCommand::Restrict(by));
        let refused = fixture.builder().connect().unwrap_err();
        let ConnectError::ServerResource(lacked) = &refused else { panic!("{by:?}: {refused}") };
        assert_says(&refused.to_string(), &expected);
        match (by, lacked) {
            (Restriction::FileSize(_), ResourceError::FileSize { limit, needed }) => {
                assert_eq!((*limit, *needed), (SHORT, REGION));
            }
            (Restriction::Call(refused), ResourceError::Refused { call, errno }) => {
                assert_eq!((call.as_str(), *errno), (refused.name(), libc::EPERM));
            }
            (Restriction::AddressSpace(_), ResourceError::AddressSpace { needed, .. }) => {
                assert_eq!(*needed, REGION);
            }
            (Restriction::Descriptors(_), ResourceError::Descriptors { limit }) => {
                assert!(*limit < 100)
            }
            other => panic!("{other:?}"),
        }
        let passes = matches!(by, Restriction::Descriptors(_) | Restriction::AddressSpace(_));
        assert_eq!(refused.is_retryable(), passes, "{refused}");
        assert_eq!(client.add(1, 2), Ok(3), "{by:?}");
        assert!(fixture.metrics().refused_handshakes > 0, "{by:?}");
    }
}

#[test]
fn a_server_at_its_limit_of_descriptors_tells_each_client_and_takes_those_that_come_later() {
    const CLIENTS: u64 = 5;
    let _watchdog = Watchdog::new(3 * PATIENCE);
    let dir = TempDir::new().unwrap();
    let fixture = Fixture::at(Address::in_dir(dir.path(), "calc"), FixtureConfig::default());
    let client = fixture.client();
    fixture.tell(ServerCommand::Restrict(Restriction::Descriptors(0)));
    for _ in 0..CLIENTS {
        let refused = fixture.builder().connect().unwrap_err();
        let ConnectError::ServerResource(ResourceError::Descriptors { limit }) = refused else {
            panic!("{refused}")
        };
        assert!(limit < 100, "{limit}");
    }
    assert_eq!(fixture.metrics().refused_handshakes, CLIENTS);
    // A client that sends nothing does not keep others from their refusal.
    let _silent = UnixStream::connect(dir.path().join("calc")).unwrap();
    let refused = fixture.builder().connect().unwrap_err();
    assert!(matches!(refused, ConnectError::ServerResource(_)), "{refused}");
    assert_eq!(client.add(1, 2), Ok(3));
    fixture.tell(ServerCommand::Restrict(Restriction::Descriptors(50)));
    assert_eq!(fixture.client().add(1, 2), Ok(3));
}

#[test]
fn what_an_older_kernel_or_a_filter_does_not_know_is_done_without() {
    let _watchdog = Watchdog::new(2 * PATIENCE);
    for by in [Restriction::NoexecMemory, Restriction::AllocateBy(64 << 10)] {
        let dir = TempDir::new().unwrap();
        let address = Address::in_dir(dir.path(), "calc");
        let server = Child::start(&restricted(by, serving(&address)));
        server.hear::<Started>().expect("it can serve");
        let client = Child::start(&restricted(by, Role::TryToConnect { address }));
        assert_eq!(client.hear::<Result<i64, String>>(), Ok(42), "{by:?}");
    }
}

#[test]
fn a_small_stack_for_the_programs_threads_is_not_the_servers() {
    let _watchdog = Watchdog::new(2 * PATIENCE);
    let dir = TempDir::new().unwrap();
    let address = Address::in_dir(dir.path(), "calc");
    let mut small = Command::new("env");
    small.arg("RUST_MIN_STACK=16384");
    let server = Child::start_under(small, &serving(&address));
    server.hear::<Started>().expect("it can serve");
    let client = BasicClient::connect(address.endpoint()).unwrap();
    assert_eq!(client.add(1, 2), Ok(3));
    assert_eq!(client.make(100_000, 1).map(|bytes| bytes.len()), Ok(100_000));
}

#[test]
fn a_parent_that_cannot_watch_its_worker_is_told_which_call_to_allow() {
    let _watchdog = Watchdog::new(PATIENCE);
    let employing = Role::TryToEmploy { duty: Duty::Serve };
    let parent = Child::start(&restricted(Restriction::Pidfds, employing));
    let refused = parent.hear::<Result<u32, String>>().expect_err("it cannot be watched");
    assert_says(&refused, &["pidfd_open", "not implemented", "seccomp"].map(str::to_owned));
}

#[test]
fn a_server_without_mappings_or_watches_says_so_and_serves_others() {
    let _watchdog = Watchdog::new(3 * PATIENCE);
    let mappings = fs::read_to_string("/proc/sys/vm/max_map_count").unwrap();
    let watches = fs::read_to_string("/proc/sys/fs/epoll/max_user_watches").unwrap();
    for (by, name, value) in [
        (Restriction::Mappings, "vm.max_map_count", mappings),
        (Restriction::Watches, "fs.epoll.max_user_watches", watches),
    ] {
        let fixture = Fixture::new(Transport::Mmf);
        let client = fixture.client();
        fixture.tell(ServerCommand::Restrict(by));
        let refused = fixture.builder().connect().unwrap_err();
        assert!(matches!(refused, ConnectError::ServerResource(_)), "{refused}");
        assert_says(&refused.to_string(), &[name.to_owned(), value.trim().to_owned()]);
        assert!(refused.is_retryable(), "{refused}");
        assert_eq!(client.add(1, 2), Ok(3), "{by:?}");
        assert!(fixture.metrics().refused_handshakes > 0, "{by:?}");
    }
}

#[test]
fn what_a_client_lacks_it_is_told_and_the_server_serves_others() {
    let _watchdog = Watchdog::new(2 * PATIENCE);
    let fixture = Fixture::new(Transport::Mmf);
    let connecting = || Role::TryToConnect { address: fixture.address().clone() };
    for (by, expected) in restrictions() {
        let client = Child::start(&restricted(by, connecting()));
        let refused = client.hear::<Result<i64, String>>().expect_err("it could not connect");
        assert_says(&refused, &expected);
    }
    assert_eq!(fixture.client().add(1, 2), Ok(3));
}

/// Wherever the last descriptor is used up, the error blames neither the server nor a directory.
#[test]
fn a_client_of_few_descriptors_is_told_so_until_there_are_enough() {
    let _watchdog = Watchdog::new(2 * PATIENCE);
    let fixture = Fixture::new(Transport::Mmf);
    let mut connected = 0;
    for left in 0..14 {
        let role = Role::TryToConnect { address: fixture.address().clone() };
        let client = Child::start(&restricted(Restriction::Descriptors(left), role));
        match client.hear::<Result<i64, String>>() {
            Ok(_) => connected += 1,
            Err(refused) => {
                assert_eq!(connected, 0, "{left} are enough, and fewer were: {refused}");
                assert!(refused.contains("RLIMIT_NOFILE"), "{left}: {refused}");
            }
        }
    }
    assert!((1..14).contains(&connected), "{connected} of 14");
    assert_eq!(fixture.client().add(1, 2), Ok(3));
}

/// A control group with a limit. Dropping it removes it, after what ran in it has ended.
struct Group {
    directory: PathBuf,
    /// The file with the limit.
    limit: PathBuf,
}

impl Group {
    /// Creates a group. Returns `None`, with a printed reason, where this process may make none:
    /// also in CI, where a machine may lack the controller or deny writes. Any other failure fails
    /// the test in CI.
    fn new(limit: u64) -> Option<Self> {
        Self::under(
            &[("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")],
            limit,
        )
    }

    /// Creates a group that may have this many threads.
    fn of_threads(limit: u64) -> Option<Self> {
        Self::under(&[("/sys/fs/cgroup/pids", "pids.max"), ("/sys/fs/cgroup", "pids.max")], limit)
    }

    /// Creates a group under the first of these mounts that has the file of its limit.
    fn under(places: &[(&str, &str)], limit: u64) -> Option<Self> {
        let name = format!("witrpc-test-{}-{limit}", getpid().as_raw_nonzero());
        for (mount, file) in places {
            let directory = PathBuf::from(mount).join(&name);
            match fs::create_dir(&directory) {
                Ok(()) => {}
                Err(error) => {
                    let forbidden = [
                        ErrorKind::NotFound,
                        ErrorKind::PermissionDenied,
                        ErrorKind::ReadOnlyFilesystem,
                    ];
                    let tell = if forbidden.contains(&error.kind()) { skipped } else { lacking };
                    tell(&format!("no control group can be made in {mount}: {error}"));
                    continue;
                }
            }
            let group = Self { limit: directory.join(file), directory };
            if !group.limit.exists() {
                skipped(&format!("{mount} has no {file}"));
                continue;
            }
            match fs::write(&group.limit, limit.to_string()) {
                Ok(()) => return Some(group),
                Err(error) => lacking(&format!("the group gets no limit in {mount}: {error}")),
            }
        }
        None
    }

    /// Starts a role in it.
    fn start(&self, role: &Role) -> Child {
        let mut shell = Command::new("sh");
        let procs = self.directory.join("cgroup.procs");
        shell.args(["-c", "echo $$ > \"$1\" && exec \"$2\"", "sh"]).arg(procs);
        Child::start_under(shell, role)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let gone = || fs::remove_dir(&self.directory).is_ok() || !self.directory.exists();
        if std::thread::panicking() {
            gone();
        } else {
            eventually("what ran in the group has ended", gone);
        }
    }
}

#[test]
fn a_server_of_regions_above_the_limit_of_its_group_says_so_when_it_starts() {
    let _watchdog = Watchdog::new(2 * PATIENCE);
    let Some(group) = Group::new(32 * MIB) else { return };
    let dir = TempDir::new().unwrap();
    let plan = FixtureConfig { size: Some(64 << 20), ..FixtureConfig::default() };
    let address = Address::in_dir(dir.path(), "calc");
    let server = group.start(&Role::Serve { address, plan });
    let refused = server.hear::<Started>().expect_err("a client would have it killed");
    let file = group.limit.to_str().unwrap().to_owned();
    assert_says(&refused, &[file, (32 * MIB).to_string()]);
    drop(server);
}

#[test]
fn a_server_at_the_limit_of_its_group_turns_clients_away_and_lives() {
    let _watchdog = Watchdog::new(2 * PATIENCE);
    let Some(group) = Group::new(64 * MIB) else { return };
    let dir = TempDir::new().unwrap();
    let address = Address::in_dir(dir.path(), "calc");
    let plan = FixtureConfig { size: Some(16 << 20), ..FixtureConfig::default() };
    let server = group.start(&Role::Serve { address: address.clone(), plan });
    server.hear::<Started>().expect("there is memory for a client");
    let mut clients = Vec::new();
    let refused = loop {
        match BasicClient::connect(address.endpoint()) {
            Ok(client) => clients.push(client),
            Err(refused) => break refused,
        }
        assert!(clients.len() < 8, "eight times 8 MiB are all of it");
    };
    let ConnectError::ServerResource(ResourceError::ControlGroup { file, limit, used, needed }) =
        &refused
    else {
        panic!("{refused}")
    };
    assert_eq!((PathBuf::from(file), *limit), (group.limit.clone(), 64 * MIB));
    assert!(*needed <= 8 * MIB && used + needed + 4 * MIB > *limit, "{refused}");
    assert!(refused.is_retryable());
    assert!(!clients.is_empty());
    for client in &clients {
        assert_eq!(client.add(1, 2), Ok(3), "it lives");
    }
    // When a client leaves, there is room again.
    drop(clients);
    eventually("there is room", || BasicClient::connect(address.endpoint()).is_ok());
    server.kill();
}

#[test]
fn a_client_in_a_group_of_little_memory_is_told_and_lives() {
    let _watchdog = Watchdog::new(2 * PATIENCE);
    let Some(group) = Group::new(33 * MIB) else { return };
    let fixture = Fixture::with(
        Transport::Mmf,
        FixtureConfig { size: Some(128 << 20), ..FixtureConfig::default() },
    );
    let client = group.start(&Role::TryToConnect { address: fixture.address().clone() });
    let refused = client.hear::<Result<i64, String>>().expect_err("it would be killed");
    let file = group.limit.to_str().unwrap().to_owned();
    assert_says(&refused, &[file, (33 * MIB).to_string(), (64 * MIB).to_string()]);
    drop(client);
}

#[test]
fn a_client_whose_group_may_have_no_more_threads_is_told() {
    let _watchdog = Watchdog::new(2 * PATIENCE);
    // The thread that reads from the test is the second one.
    let Some(group) = Group::of_threads(2) else { return };
    let fixture = Fixture::new(Transport::Mmf);
    let client = group.start(&Role::TryToConnect { address: fixture.address().clone() });
    let refused = client.hear::<Result<i64, String>>().expect_err("its thread is refused");
    let file = group.limit.to_str().unwrap().to_owned();
    assert_says(&refused, &[file, "may have 2 ".to_owned()]);
    drop(client);
}

#[test]
fn a_full_file_system_of_shared_memory_is_told_by_its_path_and_size() {
    let _watchdog = Watchdog::new(2 * PATIENCE);
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "sh", "-c"]);
    let script = "mount -t tmpfs -o size=1m none /dev/shm && exec \"$@\"";
    let tried =
        Command::new("unshare").args(["--mount", "sh", "-c", script, "sh", "true"]).status();
    if !tried.is_ok_and(|status| status.success()) {
        return lacking("no file system can be mounted");
    }
    unshare.args([script, "sh"]);
    let peer = Child::start_under(unshare, &Role::ServeItselfPortably { size: 16 * MIB });
    let refused = peer.hear::<Result<i64, String>>().expect_err("there is no room for a region");
    assert_says(&refused, &["/dev/shm".to_owned(), MIB.to_string(), (8 * MIB).to_string()]);
}
