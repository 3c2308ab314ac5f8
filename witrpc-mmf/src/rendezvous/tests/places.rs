//! Unusable places are skipped, with their reasons, as long as another can be used.

use std::os::unix::fs::{MetadataExt, chown, symlink};

use rustix::fs::Mode;
use rustix::process::{geteuid, umask};

use crate::error::{BindError, DirectoryError, LookedIn};

use super::directories::per_user;
use super::users::AsOther;
use super::*;

/// A user that is not this one.
const OTHER: u32 = 12_345;

/// What can be wrong with a directory of the user.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    Link,
    File,
    Mode(u32),
    Owner,
    /// Of the parent directory.
    ParentMode,
    /// Of the parent directory.
    ParentOwner,
}

impl Flaw {
    /// Returns all flaws that this user can cause.
    fn all() -> Vec<Self> {
        let modes = [0o755, 0o770, 0o701].map(Self::Mode);
        let mut all = vec![Self::Link, Self::File, Self::ParentMode];
        all.extend(modes);
        // Only root can give a directory away.
        if geteuid().is_root() {
            all.extend([Self::Owner, Self::ParentOwner]);
        }
        all
    }

    fn bring_about(self, scratch: &Scratch, directory: &Path) {
        let parent = directory.parent().unwrap();
        let elsewhere = scratch.path().join("elsewhere");
        match self {
            Self::Link => {
                let _ = fs::create_dir(&elsewhere);
                set_mode(&elsewhere, 0o700);
                symlink(&elsewhere, directory).unwrap();
            }
            Self::File => fs::write(directory, "").unwrap(),
            Self::Mode(mode) => {
                fs::create_dir(directory).unwrap();
                set_mode(directory, mode);
            }
            Self::Owner => {
                fs::create_dir(directory).unwrap();
                set_mode(directory, 0o700);
                chown(directory, Some(OTHER), None).unwrap();
            }
            Self::ParentMode => set_mode(parent, 0o777),
            Self::ParentOwner => chown(parent, Some(OTHER), None).unwrap(),
        }
    }

    /// Returns whether this is what the error says, with the full path.
    fn is_told_by(self, error: &DirectoryError, directory: &Path) -> bool {
        use DirectoryError as E;
        let (uid, parent) = (geteuid().as_raw(), directory.parent().unwrap());
        match (self, error) {
            (Self::Link, E::NotADirectory { path, found: "a symbolic link" })
            | (Self::File, E::NotADirectory { path, found: "a file" }) => path == directory,
            (Self::Mode(expected), E::WrongMode { path, mode, excess }) => {
                path == directory && *mode == expected && *excess == expected & 0o077
            }
            (Self::Owner, E::WrongOwner { path, owner: OTHER, expected }) => {
                path == directory && *expected == uid
            }
            (Self::ParentMode, E::ParentOpen { path, mode: 0o777 }) => path == parent,
            (Self::ParentOwner, E::ParentOwner { path, owner: OTHER, expected }) => {
                path == parent && *expected == uid
            }
            _ => false,
        }
    }
}

#[test]
fn a_place_that_cannot_be_used_is_passed_over_by_both_sides_with_its_reason() {
    for flaw in Flaw::all() {
        for is_session in [true, false] {
            let (scratch, session, shared, place) = per_user();
            let (flawed, good) = if is_session { (&session, &shared) } else { (&shared, &session) };
            flaw.bring_about(&scratch, flawed);
            let what = format!("{flaw:?} at {flawed:?}");
            let server = Server::start(&place, limits());
            drop(try_connect(&place).expect(&what));
            assert_eq!(try_to_inquire(&place).expect(&what), b"never better");
            assert_eq!(live_names(&place).expect(&what), ["calc"]);
            let again = NameClaim::new(&name("calc"), &place).map(drop);
            assert!(matches!(again, Err(BindError::NameInUse { .. })), "{what}: {again:?}");
            server.end();
            let over = try_connect(&place).map(drop);
            let Err(ConnectError::NobodyServes { places, .. }) = &over else {
                panic!("{what}: {over:?}")
            };
            let [LookedIn::Nothing { path }, LookedIn::PassedOver(why)] = &places[..] else {
                panic!("{what}: {over:?}")
            };
            assert_eq!(path, &good.join("calc"), "{what}");
            assert!(flaw.is_told_by(why, flawed), "{what}: {why}");
        }
    }
}

#[test]
fn it_is_an_error_if_no_place_is_left_and_says_why_of_each() {
    for (one, other) in Flaw::all().into_iter().zip(Flaw::all().into_iter().rev()) {
        let (scratch, session, shared, place) = per_user();
        one.bring_about(&scratch, &session);
        other.bring_about(&scratch, &shared);
        let connected = try_connect(&place).map(drop);
        let inquired = try_to_inquire(&place).map(drop);
        let bound = NameClaim::new(&name("calc"), &place).map(drop);
        let Err(BindError::Directory(bound)) = bound else { panic!("{bound:?}") };
        let Err(ConnectError::Directory(connected)) = connected else { panic!("{connected:?}") };
        let Err(ConnectError::Directory(inquired)) = inquired else { panic!("{inquired:?}") };
        let listed = live_names(&place).expect_err("none can be used");
        for error in [bound, connected, inquired, listed] {
            let DirectoryError::NonePossible { reasons } = &error else { panic!("{error}") };
            assert!(one.is_told_by(&reasons[0], &session), "{error}");
            assert!(other.is_told_by(&reasons[1], &shared), "{error}");
        }
    }
}

/// A squatter comes before the first server of this boot, and the system has made no session's
/// directory. The client sends nothing to the squatter.
#[test]
fn a_squatted_place_alone_is_an_error_and_not_a_server() {
    let (scratch, session, shared, place) = per_user();
    fs::remove_dir(session.parent().unwrap()).unwrap();
    Flaw::Mode(0o755).bring_about(&scratch, &shared);
    let squatter = std::os::unix::net::UnixListener::bind(shared.join("calc")).unwrap();
    let connected = try_connect(&place).map(drop);
    let Err(ConnectError::Directory(DirectoryError::NonePossible { reasons })) = &connected else {
        panic!("{connected:?}")
    };
    assert!(matches!(&reasons[0], DirectoryError::Missing { .. }));
    assert!(Flaw::Mode(0o755).is_told_by(&reasons[1], &shared), "{connected:?}");
    squatter.set_nonblocking(true).unwrap();
    assert!(squatter.accept().is_err(), "it was not even connected to");
}

#[test]
fn what_stands_under_the_name_in_one_place_hides_no_server_in_another() {
    let (_scratch, session, _, place) = per_user();
    let server = Server::start(&place, limits());
    fs::remove_file(session.join("calc")).unwrap();
    fs::write(session.join("calc"), "").unwrap();
    drop(try_connect(&place).expect("it listens in the other"));
    assert_eq!(try_to_inquire(&place).unwrap(), b"never better");
    server.end();
    let refused = try_connect(&place).map(drop);
    let Err(ConnectError::NotAServer { path, found: "a file" }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(path, session.join("calc"));
}

#[test]
fn a_given_directory_is_never_passed_over() {
    for flaw in Flaw::all() {
        if matches!(flaw, Flaw::ParentMode | Flaw::ParentOwner | Flaw::Mode(0o755 | 0o701)) {
            // Others may enter a given directory, whose place its user has chosen.
            continue;
        }
        let scratch = Scratch::new();
        flaw.bring_about(&scratch, &scratch.path().join("names"));
        let bound = NameClaim::new(&name("calc"), &scratch.place()).map(drop);
        let connected = try_connect(&scratch.place()).map(drop);
        let Err(BindError::Directory(bound)) = bound else { panic!("{flaw:?}: {bound:?}") };
        let Err(ConnectError::Directory(connected)) = connected else {
            panic!("{flaw:?}: {connected:?}")
        };
        for error in [bound, connected] {
            assert!(!matches!(error, DirectoryError::NonePossible { .. }), "{flaw:?}: {error}");
            assert!(error.to_string().contains("names"), "{flaw:?}: {error}");
        }
    }
}

#[test]
fn no_umask_keeps_a_server_or_the_next_out_of_its_own_directories() {
    let test =
        "rendezvous::tests::places::no_umask_keeps_a_server_or_the_next_out_of_its_own_directories";
    if role().is_some() {
        for mask in [0o177, 0o277, 0o477, 0o777, 0o077, 0o000] {
            serve_under(Mode::from_bits_retain(mask));
        }
        serve_where_an_older_one_was_kept_out();
        println!("result: served");
        return;
    }
    // No mode keeps root out.
    let Some(other) = AsOther::new(test) else {
        serve_under(Mode::from_bits_retain(0o077));
        return;
    };
    let text = other.run("narrow");
    assert!(text.contains("result: served"), "{text}");
}

fn mode_of(path: &Path) -> u32 {
    path.metadata().unwrap().mode() & 0o7777
}

fn serve_under(mask: Mode) {
    let (_scratch, session, shared, place) = per_user();
    let given = Scratch::new();
    let before = umask(mask);
    for (place, directories) in [
        (&place, vec![session.clone(), shared.clone()]),
        (&given.place(), vec![given.path().join("names")]),
    ] {
        for _ in 0..2 {
            let server = Server::start(place, limits());
            drop(try_connect(place).expect("it serves"));
            let again = NameClaim::new(&name("calc"), place).map(drop);
            assert!(matches!(again, Err(BindError::NameInUse { .. })), "{mask:?}: {again:?}");
            for directory in &directories {
                assert_eq!(mode_of(directory), 0o700, "{mask:?}");
                assert_eq!(mode_of(&directory.join("locks")), 0o700, "{mask:?}");
                assert_eq!(mode_of(&directory.join("locks/calc")) & 0o700, 0o600, "{mask:?}");
            }
            server.end();
        }
    }
    umask(before);
}

/// Plays an older server under such an umask, or a server that was killed in between.
fn serve_where_an_older_one_was_kept_out() {
    for mode in [0o600, 0o300, 0o000] {
        let (_scratch, session, shared, place) = per_user();
        for directory in [&session, &shared] {
            fs::create_dir(directory).unwrap();
            fs::create_dir(directory.join("locks")).unwrap();
            fs::write(directory.join("locks/calc"), "").unwrap();
            set_mode(&directory.join("locks/calc"), 0o200);
            set_mode(&directory.join("locks"), mode);
            set_mode(directory, mode);
        }
        // A client changes nothing, and keeps waiting for a server.
        let none = try_connect(&place).map(drop);
        let Err(ConnectError::NobodyServes { places, .. }) = &none else { panic!("{none:?}") };
        for each in places {
            let LookedIn::PassedOver(DirectoryError::TooNarrow { mode: found, .. }) = each else {
                panic!("{none:?}")
            };
            assert_eq!(*found, mode);
        }
        assert_eq!(mode_of(&session), mode);
        let server = Server::start(&place, limits());
        drop(try_connect(&place).expect("it serves"));
        assert_eq!((mode_of(&session), mode_of(&shared)), (0o700, 0o700));
        server.end();
    }
}
