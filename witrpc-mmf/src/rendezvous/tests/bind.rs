//! Which server gets a name, and what becomes of the names of dead servers.

use std::io::{BufRead, BufReader};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Stdio;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::BindError;

use super::*;

#[test]
fn a_name_in_use_is_refused_at_once_and_free_afterwards() {
    let scratch = Scratch::new();
    let first = claim(&scratch.place());
    let second = NameClaim::new(&name("calc"), &scratch.place());
    let Err(BindError::NameInUse { name: used, path }) = second else { panic!("{second:?}") };
    assert_eq!((used.as_str(), path), ("calc", scratch.path_of("locks/calc")));
    let other = NameClaim::new(&name("calc2"), &scratch.place()).expect("another name is free");
    assert_eq!(live_names(&scratch.place()).unwrap(), ["calc", "calc2"]);
    drop(first);
    assert_eq!(live_names(&scratch.place()).unwrap(), ["calc2"]);
    drop(other);
    assert_eq!(scratch.leftovers(), [""; 0]);
    drop(claim(&scratch.place()));
}

#[test]
fn a_bind_takes_over_a_killed_servers_name_and_sweeps_the_others() {
    const NAMES: [&str; 3] = ["calc", "dead1", "dead2"];
    let test =
        "rendezvous::tests::bind::a_bind_takes_over_a_killed_servers_name_and_sweeps_the_others";
    if let Some(path) = role() {
        let place = Place::in_dir(path);
        let _claims = NAMES.map(|each| NameClaim::new(&name(each), &place).expect("it is free"));
        println!("bound");
        loop {
            std::thread::park();
        }
    }
    let scratch = Scratch::new();
    let place = scratch.place();
    let live = NameClaim::new(&name("live"), &place).expect("it is free");
    let foreign = UnixListener::bind(scratch.path_of("foreign")).expect("the directory is ours");
    let mut command = child(test, scratch.path().join("names").to_str().unwrap());
    let mut server = Killed(command.stdout(Stdio::piped()).spawn().expect("it can be run"));
    let output = BufReader::new(server.0.stdout.take().expect("it is piped"));
    assert!(output.lines().any(|line| line.is_ok_and(|line| line.ends_with("bound"))));
    assert!(matches!(NameClaim::new(&name("calc"), &place), Err(BindError::NameInUse { .. })));

    server.kill();
    assert_eq!(live_names(&place).unwrap(), ["live"]);
    assert!(scratch.leftovers().contains(&"dead1".to_owned()), "no server has cleaned up yet");
    let refused = try_connect(&place).map(drop);
    assert!(matches!(refused, Err(ConnectError::NobodyServes { .. })), "{refused:?}");

    let taken = claim(&place);
    assert_eq!(scratch.leftovers(), ["calc", "calc", "foreign", "live", "live"]);
    assert_eq!(live_names(&place).unwrap(), ["calc", "live"]);
    drop((taken, live, foreign));
}

#[test]
fn two_binds_that_race_for_a_dead_servers_name_never_both_win() {
    let scratch = Scratch::new();
    let place = scratch.place();
    drop(claim(&place));
    let start = Barrier::new(2);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _over = SetAtEnd(&over);
        // Other servers bind meanwhile, and remove what they take for dead.
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                drop(NameClaim::new(&name("sweeper"), &place).expect("no other server has it"));
            }
        });
        for round in 0..500 {
            // What a killed server leaves: both files, no lock, and no listener.
            drop(UnixListener::bind(scratch.path_of("calc")).expect("it was given up"));
            fs::write(scratch.path().join("names/locks/calc"), "").expect("it is ours");
            let bind = || {
                start.wait();
                NameClaim::new(&name("calc"), &place)
            };
            let (one, other) = {
                let one = scope.spawn(bind);
                (bind(), one.join().expect("it does not panic"))
            };
            let winners = [one, other]
                .into_iter()
                .filter_map(|bound| match bound {
                    Ok(claim) => Some(claim),
                    Err(BindError::NameInUse { .. }) => None,
                    Err(error) => panic!("round {round}: {error}"),
                })
                .collect::<Vec<_>>();
            assert_eq!(winners.len(), 1, "round {round}");
            UnixStream::connect(scratch.path_of("calc")).expect("the winner listens");
        }
    });
}

#[test]
fn binds_that_race_with_a_server_that_gives_its_name_up_never_overlap() {
    let scratch = Scratch::new();
    let place = scratch.place();
    let served = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut turns = 0;
                while turns < 200 {
                    match NameClaim::new(&name("calc"), &place) {
                        Ok(claim) => {
                            assert!(!served.swap(true, Ordering::Relaxed), "two serve at once");
                            UnixStream::connect(scratch.path_of("calc")).expect("it listens");
                            turns += 1;
                            served.store(false, Ordering::Relaxed);
                            drop(claim);
                        }
                        Err(BindError::NameInUse { .. }) => std::thread::yield_now(),
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    assert_eq!(scratch.leftovers(), [""; 0]);
}

/// Checks that binding fails with this description, and leaves the file under the name alone.
fn assert_refused(scratch: &Scratch, expected: &str) {
    let bound = NameClaim::new(&name("calc"), &scratch.place()).map(drop);
    let Err(BindError::NotOurs { path, found }) = bound else { panic!("{bound:?}") };
    assert_eq!((path, found), (scratch.path_of("calc"), expected));
    assert!(scratch.path_of("calc").symlink_metadata().is_ok(), "it was left");
    assert_eq!(scratch.leftovers(), ["calc"]);
}

#[test]
fn what_is_not_a_dead_servers_is_refused_and_left() {
    let scratch = Scratch::new();
    drop(claim(&scratch.place()));
    let path = scratch.path_of("calc");

    fs::write(&path, "precious").unwrap();
    assert_refused(&scratch, "a file");
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    let connected = try_connect(&scratch.place()).map(drop);
    assert!(matches!(connected, Err(ConnectError::NotAServer { found: "a file", .. })));

    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_refused(&scratch, "a directory");

    fs::remove_dir(&path).unwrap();
    let elsewhere = UnixListener::bind(scratch.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(scratch.path().join("elsewhere"), &path).unwrap();
    assert_refused(&scratch, "a symbolic link");
    let connected = try_connect(&scratch.place()).map(drop);
    assert!(matches!(connected, Err(ConnectError::NotAServer { found: "a symbolic link", .. })));
    drop(elsewhere);

    fs::remove_file(&path).unwrap();
    let listening = UnixListener::bind(&path).unwrap();
    assert_refused(&scratch, "the socket of a program that holds no lock on the name");
    drop(listening);
    drop(claim(&scratch.place()));
}

#[test]
fn a_temporary_socket_of_a_killed_bind_is_replaced() {
    let scratch = Scratch::new();
    drop(claim(&scratch.place()));
    drop(UnixListener::bind(scratch.path_of(".calc")).unwrap());
    let claim = claim(&scratch.place());
    assert_eq!(scratch.leftovers(), ["calc", "calc"]);
    drop(claim);
}

#[test]
fn a_claim_leaves_alone_what_has_replaced_its_socket() {
    let scratch = Scratch::new();
    let claim = claim(&scratch.place());
    fs::remove_file(scratch.path_of("calc")).unwrap();
    let other = UnixListener::bind(scratch.path_of("calc")).unwrap();
    drop(claim);
    assert_eq!(scratch.leftovers(), ["calc"]);
    drop(other);
}
