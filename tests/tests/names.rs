//! Names, and what prevents their use.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tempfile::TempDir;
use witrpc::{BindError, ConnectError, Mmf, NameChange, ServerHook, WitServer};
use witrpc_tests::basic::{BasicClient, BasicServer, Bench};
use witrpc_tests::fixture::{Address, Fixture, FixtureConfig, ServerCommand, Transport};
use witrpc_tests::over_both_transports;
use witrpc_tests::process::Child;
use witrpc_tests::roles::{Bid, Go, Role};
use witrpc_tests::watchdog::{PATIENCE, Watchdog, eventually};

over_both_transports! {
    fn a_name_in_use_is_refused_at_once(transport) {
        let fixture = Fixture::new(transport);
        let second = FixtureConfig::default().start(fixture.address(), &Arc::default());
        match second.map(drop).unwrap_err() {
            BindError::NameInUse { name, path } => {
                assert!(!name.is_empty());
                let in_process = transport == Transport::InProcess;
                assert_eq!(path.is_none_or(|path| !path.is_file()), in_process);
            }
            other => panic!("{other}"),
        }
        assert_eq!(fixture.client().add(1, 2), Ok(3), "the first one serves on");
    }

    fn a_name_without_a_server_is_an_error_at_once_or_after_the_wait(transport) {
        let address = match transport {
            Transport::Mmf | Transport::Encrypted => Address::unguessable(),
            Transport::InProcess => Address::InProcess { name: "no server has this".to_owned() },
        };
        let expect_none = |error: ConnectError, at_least: Duration| match error {
            ConnectError::NobodyServes { waited, .. } => assert!(waited >= at_least, "{waited:?}"),
            other => panic!("{other}"),
        };
        expect_none(BasicClient::connect(address.endpoint()).unwrap_err(), Duration::ZERO);
        let wait = Duration::from_millis(80);
        let started = Instant::now();
        let waiting = BasicClient::builder(address.endpoint()).wait_for_server(wait);
        expect_none(waiting.connect().unwrap_err(), wait);
        assert!(started.elapsed() >= wait);
    }

    fn a_client_can_wait_for_its_server(transport) {
        let address = match transport {
            Transport::Mmf | Transport::Encrypted => Address::unguessable(),
            Transport::InProcess => Address::InProcess { name: "comes soon".to_owned() },
        };
        let endpoint = address.endpoint();
        let waiting = std::thread::spawn(move || {
            let client = BasicClient::builder(endpoint).wait_for_server(Duration::from_secs(60));
            client.connect().unwrap().add(1, 2)
        });
        let _site = Fixture::at(address, FixtureConfig::default());
        assert_eq!(waiting.join().unwrap(), Ok(3));
    }
}

#[test]
fn a_name_that_breaks_a_rule_is_refused_with_the_rule() {
    let long = "x".repeat(65);
    let broken = [
        ("", "empty"),
        ("a/b", "slash"),
        ("/", "slash"),
        ("a\0b", "control"),
        ("a\nb", "control"),
        (".hidden", "dot"),
        ("..", "dot"),
        ("locks", "reserved"),
        (long.as_str(), "65 bytes"),
    ];
    for (name, word) in broken {
        match start(Mmf::new(name)).map(drop).unwrap_err() {
            BindError::InvalidName { name: said, rule } => {
                assert!(said == name && rule.contains(word), "{name:?}: {rule}");
            }
            other => panic!("{name:?}: {other}"),
        }
        match BasicClient::connect(name).unwrap_err() {
            ConnectError::InvalidName { name: said, rule } => {
                assert!(said == name && rule.contains(word), "{name:?}: {rule}");
            }
            other => panic!("{name:?}: {other}"),
        }
    }
}

#[test]
fn unusual_names_serve() {
    let dir = TempDir::new().unwrap();
    for name in ["x", &"x".repeat(64), "two words", "größe", "a.b", "-v"] {
        let place = Mmf::new(name).in_dir(dir.path());
        let _server = start(place.clone()).unwrap();
        assert_eq!(BasicClient::connect(place).unwrap().add(1, 2), Ok(3), "{name:?}");
    }
    assert_ne!(Mmf::unguessable().name(), Mmf::unguessable().name());
}

#[test]
fn what_the_system_refuses_is_said_with_what_was_being_done() {
    let dir = TempDir::new().unwrap();
    // The server makes its directories. A directory in place of a lock file is not removed.
    drop(start(Mmf::new("other").in_dir(dir.path())).unwrap());
    fs::create_dir(dir.path().join("locks/calc")).unwrap();
    let refused = start(Mmf::new("calc").in_dir(dir.path())).map(drop).unwrap_err();
    assert!(matches!(refused, BindError::Directory { .. }), "{refused}");
    let words = refused.to_string();
    let lock = dir.path().join("locks/calc");
    assert!(words.contains(&format!("could not lock {lock:?}: Is a directory")), "{words}");
}

#[test]
fn limits_out_of_their_bounds_are_refused_with_the_bounds() {
    let place = Mmf::unguessable();
    let min = match start(place.clone().size(1)).map(drop).unwrap_err() {
        BindError::SizeTooSmall { size: 1, min } => min,
        other => panic!("{other}"),
    };
    let refused = start(place.clone().size(min - 1)).map(drop).unwrap_err();
    assert!(refused.to_string().contains(&min.to_string()), "{refused}");
    let wrong = [
        (place.clone().lanes(0), "lanes"),
        (place.clone().lanes(1025), "lanes"),
        (place.clone().max_clients(0), "max_clients"),
        (place.clone().max_message_size(1), "max_message_size"),
        (place.clone().size(1 << 50), "size"),
    ];
    for (wrong, expected) in wrong {
        match start(wrong).map(drop).unwrap_err() {
            BindError::LimitOutOfRange { limit, value, min, max } => {
                assert_eq!(limit, expected);
                assert!(value < min || value > max);
            }
            other => panic!("{expected}: {other}"),
        }
    }
    // The least size works.
    let smallest = place.size(min).max_clients(1);
    let _server = start(smallest.clone()).unwrap();
    let client = BasicClient::connect(smallest).unwrap();
    assert_eq!(client.make(100_000, 1).map(|bytes| bytes.len()), Ok(100_000));
}

#[test]
fn a_server_needs_a_place_and_a_service() {
    let nothing = WitServer::builder().listen(Mmf::unguessable()).start();
    assert!(matches!(nothing.map(drop), Err(BindError::NoService)));
    let nowhere = WitServer::builder().service(BasicServer::new(Bench::default())).start();
    assert!(matches!(nowhere.map(drop), Err(BindError::NoEndpoint)));
    let twice = WitServer::builder()
        .listen(Mmf::unguessable())
        .service(BasicServer::new(Bench::default()))
        .service(BasicServer::new(Bench::default()))
        .start();
    assert!(matches!(twice.map(drop), Err(BindError::DuplicateService { service: "Basic" })));
}

#[test]
fn what_is_not_a_servers_is_left_as_it_was() {
    let dir = TempDir::new().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::write(at("file"), "precious").unwrap();
    fs::create_dir(at("folder")).unwrap();
    symlink(at("file"), at("link")).unwrap();
    symlink(at("nothing"), at("dangling")).unwrap();
    let listener = UnixListener::bind(at("socket")).unwrap();
    for name in ["file", "folder", "link", "dangling", "socket"] {
        let before = fs::symlink_metadata(at(name)).unwrap();
        match start(Mmf::new(name).in_dir(dir.path())).map(drop).unwrap_err() {
            BindError::NotOurs { path, .. } => assert_eq!(path, at(name)),
            other => panic!("{name}: {other}"),
        }
        let connected = || BasicClient::connect(short(Mmf::new(name).in_dir(dir.path())));
        match connected().unwrap_err() {
            ConnectError::NotOurs { path, .. } => assert_eq!(path, at(name)),
            ConnectError::HandshakeTimedOut { .. } if name == "socket" => {}
            other => panic!("{name}: {other}"),
        }
        let after = fs::symlink_metadata(at(name)).unwrap();
        assert_eq!(identity(&after), identity(&before), "{name}");
    }
    assert_eq!(fs::read(at("file")).unwrap(), b"precious");
    drop(listener);
}

#[test]
fn a_directory_that_others_can_write_is_refused() {
    let parent = TempDir::new().unwrap();
    let dir = parent.path().join("names");
    for mode in [0o777, 0o770, 0o702] {
        fs::create_dir(&dir).unwrap();
        fs::set_permissions(&dir, Permissions::from_mode(mode)).unwrap();
        refused_directory(&dir);
        assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, mode);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 0, "nothing was put into it");
        fs::remove_dir(&dir).unwrap();
    }
}

#[test]
fn what_is_no_directory_is_refused() {
    let parent = TempDir::new().unwrap();
    fs::create_dir(parent.path().join("real")).unwrap();
    let link = parent.path().join("link");
    symlink(parent.path().join("real"), &link).unwrap();
    refused_directory(&link);
    let file = parent.path().join("file");
    fs::write(&file, "precious").unwrap();
    refused_directory(&file);
    assert_eq!(fs::read(&file).unwrap(), b"precious");
}

/// Only root can give a directory away. Other users can test only with the system's own.
#[test]
fn another_users_directory_is_refused() {
    let parent = TempDir::new().unwrap();
    let dir = if rustix::process::getuid().is_root() {
        let dir = parent.path().join("names");
        fs::create_dir(&dir).unwrap();
        fs::set_permissions(&dir, Permissions::from_mode(0o700)).unwrap();
        std::os::unix::fs::chown(&dir, Some(54_321), None).unwrap();
        dir
    } else {
        "/".into()
    };
    let refused = start(Mmf::new("calc").in_dir(&dir)).map(drop).unwrap_err();
    assert!(matches!(refused, BindError::Directory { .. }), "{refused}");
}

#[test]
fn a_killed_servers_name_is_taken_over_and_others_are_swept() {
    let dir = TempDir::new().unwrap();
    let serve = |name| Child::start(&Role::Bind { address: Address::in_dir(dir.path(), name) });
    let mut children = ["one", "two", "three"].map(serve);
    for child in &mut children {
        assert_eq!(child.hear::<Bid>(), Bid::Ready);
        assert_eq!(child.ask::<Go, Bid>(&Go), Bid::Won);
    }
    children.into_iter().for_each(Child::kill);
    assert!(dir.path().join("two").exists(), "a killed server leaves its name");
    let place = Mmf::new("one").in_dir(dir.path());
    let server = start(place.clone()).unwrap();
    assert_eq!(BasicClient::connect(place).unwrap().add(1, 2), Ok(3));
    assert_eq!(names_in(dir.path()), ["locks", "one"]);
    assert_eq!(names_in(&dir.path().join("locks")), ["one"]);
    drop(server);
    eventually("a dropped server takes its name along", || {
        names_in(dir.path()) == ["locks"] && names_in(&dir.path().join("locks")).is_empty()
    });
}

#[test]
fn the_names_that_are_served_can_be_listed() {
    let listed = |fixture: &Fixture| {
        let Address::Mmf { name, .. } = fixture.address() else { panic!("it has a name") };
        witrpc::servers().unwrap().contains(name)
    };
    let dropped = Fixture::new(Transport::Mmf);
    assert!(listed(&dropped));
    dropped.tell(ServerCommand::Drop);
    eventually("a dropped server is not listed", || !listed(&dropped));
    let killed = Fixture::new(Transport::Mmf);
    assert!(listed(&killed));
    killed.server_process().signal(Signal::KILL);
    eventually("nor is a killed one", || !listed(&killed));
}

#[test]
fn two_binds_that_race_for_a_dead_servers_name_never_both_win() {
    let _watchdog = Watchdog::new(3 * PATIENCE);
    let dir = TempDir::new().unwrap();
    let address = Address::in_dir(dir.path(), "wanted");
    let racer = || Child::start(&Role::Bind { address: address.clone() });
    let mut racers = [racer(), racer()];
    assert!(racers.iter().all(|racer| racer.hear::<Bid>() == Bid::Ready));
    let mut dying = None;
    for round in 0..500 {
        let winner = race(&mut racers, round);
        drop(dying.take());
        if round % 50 == 0 {
            let client = BasicClient::connect(address.endpoint()).unwrap();
            assert_eq!(client.add(round, 1), Ok(round + 1), "the winner serves");
        }
        // The winner is the dead server of the next round, or one that is about to die.
        let next = racer();
        assert_eq!(next.hear::<Bid>(), Bid::Ready);
        let last = std::mem::replace(&mut racers[winner], next);
        if round % 2 == 0 {
            last.kill();
        } else {
            last.signal(Signal::KILL);
            dying = Some(last);
        }
    }
}

/// Makes both bind until one has won, and returns its index.
fn race(racers: &mut [Child; 2], round: i64) -> usize {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        racers.iter_mut().for_each(|racer| racer.tell(&Go));
        let bids: [Bid; 2] = racers.each_mut().map(|racer| racer.hear());
        match &bids {
            [Bid::Won, Bid::InUse] => return 0,
            [Bid::InUse, Bid::Won] => return 1,
            // The last winner is still dying.
            [Bid::InUse, Bid::InUse] => {}
            other => panic!("round {round}: {other:?}"),
        }
    }
    panic!("round {round}: no process wins");
}

fn start(place: Mmf) -> Result<WitServer, BindError> {
    WitServer::builder().listen(place).service(BasicServer::new(Bench::default())).start()
}

/// Returns an endpoint that does not wait long for a server that sends nothing.
fn short(place: Mmf) -> Mmf {
    place.handshake_timeout(Duration::from_millis(200))
}

fn refused_directory(dir: &Path) {
    let refused = start(Mmf::new("calc").in_dir(dir)).map(drop).unwrap_err();
    assert!(matches!(refused, BindError::Directory { .. }), "{dir:?}: {refused}");
    let refused = BasicClient::connect(Mmf::new("calc").in_dir(dir)).unwrap_err();
    assert!(matches!(refused, ConnectError::Directory { .. }), "{dir:?}: {refused}");
}

fn identity(metadata: &fs::Metadata) -> (u64, u64, u32, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino(), metadata.mode(), metadata.size())
}

fn names_in(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Sends what it is told of the name.
struct NameHook(mpsc::Sender<NameChange>);

impl ServerHook for NameHook {
    fn name_changed(&self, change: &NameChange) {
        let _ = self.0.send(change.clone());
    }
}

#[test]
fn a_name_that_a_cleanup_removes_is_published_anew_and_a_hook_is_told() {
    let _watchdog = Watchdog::new(PATIENCE);
    let dir = TempDir::new().unwrap();
    let place = dir.path().join("names");
    let (tell, told) = mpsc::channel();
    let endpoint = || Mmf::new("calc").in_dir(&place);
    let server = WitServer::builder().listen(endpoint()).hook(NameHook(tell));
    let server = server.service(BasicServer::new(Bench::default())).start().unwrap();
    let connected = BasicClient::connect(endpoint()).unwrap();
    fs::remove_dir_all(&place).unwrap();
    assert_eq!(told.recv(), Ok(NameChange::Republished));
    assert_eq!(BasicClient::connect(endpoint()).unwrap().add(1, 2), Ok(3));
    let second = WitServer::builder().listen(endpoint());
    let second = second.service(BasicServer::new(Bench::default())).start();
    assert!(matches!(second, Err(BindError::NameInUse { .. })), "{second:?}");
    assert_eq!(connected.add(1, 2), Ok(3), "its clients did not notice");
    assert!(server.shutdown(PATIENCE));
}
