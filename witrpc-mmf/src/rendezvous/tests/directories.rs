//! Which directories hold names, and which are refused.

use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::net::UnixStream;

use rustix::process::geteuid;

use crate::error::{BindError, DirectoryError};

use super::*;

/// Returns the two parents of a user's directories, and a place below them.
pub fn per_user() -> (Scratch, PathBuf, PathBuf, Place) {
    let scratch = Scratch::new();
    let (session, shared) = (scratch.path().join("session"), scratch.path().join("shared"));
    fs::create_dir(&session).unwrap();
    fs::create_dir(&shared).unwrap();
    set_mode(&session, 0o700);
    set_mode(&shared, 0o1777);
    let place = Place::below(&session, &shared);
    (scratch, session.join("witrpc"), shared.join(format!("witrpc-{}", geteuid().as_raw())), place)
}

fn refused(place: &Place) -> DirectoryError {
    let connected = try_connect(place).map(drop);
    assert!(matches!(connected, Err(ConnectError::Directory(_))), "{connected:?}");
    match NameClaim::new(&name("calc"), place) {
        Err(BindError::Directory(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_default_is_by_uid_and_not_by_environment() {
    let uid = geteuid().as_raw();
    let expected = Place::below(Path::new(&format!("/run/user/{uid}")), Path::new("/dev/shm"));
    assert_eq!(Place::default(), expected);
}

#[test]
fn a_name_is_taken_in_both_directories_for_this_user_alone() {
    let (_scratch, session, shared, place) = per_user();
    let server = Server::start(&place, limits());
    for directory in [&session, &shared] {
        for each in [directory.clone(), directory.join("locks")] {
            assert_eq!(each.metadata().unwrap().mode() & 0o7777, 0o700, "{each:?}");
        }
        assert_eq!(directory.join("calc").metadata().unwrap().mode() & 0o777, 0o600);
        UnixStream::connect(directory.join("calc")).expect("it listens in both");
    }
    server.end();
    assert!(!session.join("calc").exists() && !shared.join("calc").exists());
}

#[test]
fn either_directory_may_vanish() {
    let (_scratch, session, shared, place) = per_user();
    for vanishing in [&session, &shared] {
        let server = Server::start(&place, limits());
        fs::remove_dir_all(vanishing).unwrap();
        drop(try_connect(&place).expect("the other directory has it"));
        let again = NameClaim::new(&name("calc"), &place);
        assert!(matches!(again, Err(BindError::NameInUse { .. })), "{again:?}");
        assert_eq!(live_names(&place).unwrap(), ["calc"]);
        server.end();
    }
}

#[test]
fn a_parent_that_is_missing_is_passed_over_but_one_is_needed() {
    let (_scratch, session, shared, place) = per_user();
    fs::remove_dir(session.parent().unwrap()).unwrap();
    let server = Server::start(&place, limits());
    drop(try_connect(&place).expect("it is served in the shared directory"));
    server.end();
    assert!(!session.exists());

    fs::remove_dir_all(shared.parent().unwrap()).unwrap();
    let bound = NameClaim::new(&name("calc"), &place).map(drop);
    let Err(BindError::Directory(DirectoryError::NonePossible { reasons })) = bound else {
        panic!("{bound:?}");
    };
    let missing: Vec<_> = reasons
        .iter()
        .map(|why| match why {
            DirectoryError::Missing { path } => path.as_path(),
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(missing, [session.parent().unwrap(), shared.parent().unwrap()]);
    let connected = try_connect(&place).map(drop);
    assert!(matches!(connected, Err(ConnectError::NobodyServes { .. })), "{connected:?}");
}

#[test]
fn a_link_in_place_of_the_locks_is_refused() {
    let scratch = Scratch::new();
    drop(claim(&scratch.place()));
    fs::remove_dir(scratch.path_of("locks")).unwrap();
    symlink(scratch.path(), scratch.path_of("locks")).unwrap();
    let bound = NameClaim::new(&name("calc"), &scratch.place());
    let Err(BindError::Directory(DirectoryError::NotADirectory { found, .. })) = bound else {
        panic!("{bound:?}");
    };
    assert_eq!(found, "a symbolic link");
}

#[test]
fn a_given_directory_must_not_be_writable_by_others() {
    let scratch = Scratch::new();
    drop(claim(&scratch.place()));
    set_mode(&scratch.path().join("names"), 0o770);
    assert!(matches!(refused(&scratch.place()), DirectoryError::WrongMode { excess: 0o020, .. }));
}

#[test]
fn a_directory_with_a_path_longer_than_an_address_works() {
    let scratch = Scratch::new();
    let long = scratch.path().join("d".repeat(150));
    let place = Place::in_dir(long);
    let server = Server::start(&place, limits());
    drop(try_connect(&place).expect("it is served"));
    server.end();
}

#[test]
fn others_may_use_the_sockets_of_a_directory_that_they_may_enter_where_it_is_shared() {
    let scratch = Scratch::new();
    drop(claim(&scratch.place()));
    let shared = || scratch.place().allow_uid(u32::MAX);
    for (directory, place, socket) in [
        (0o755, shared(), 0o666),
        (0o711, shared(), 0o666),
        (0o750, shared(), 0o660),
        (0o755, scratch.place(), 0o600),
        (0o700, scratch.place(), 0o600),
    ] {
        set_mode(&scratch.path().join("names"), directory);
        let claim = claim(&place);
        assert_eq!(scratch.path_of("calc").metadata().unwrap().mode() & 0o777, socket);
        drop(claim);
    }
}
