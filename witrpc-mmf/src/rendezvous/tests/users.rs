//! Which users' clients a server accepts.

use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::thread::yield_now;

use crate::error::{BindError, DirectoryError};

use super::*;

/// A user that is not this one.
const OTHER: u32 = 12_345;

/// A runner of `test` as another user, in a process that can reach the directory of a [`Scratch`].
pub struct AsOther {
    test: &'static str,
    scratch: Scratch,
    program: PathBuf,
}

impl AsOther {
    /// Returns `None` if this process cannot become another user.
    pub fn new(test: &'static str) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("{test} has shown nothing: only root can become another user");
            return None;
        }
        let scratch = Scratch::new();
        // The other user must be able to run this program, wherever it was built.
        let program = scratch.path().join("program");
        fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        set_mode(scratch.path(), 0o711);
        Some(Self { test, scratch, program })
    }

    fn directory(&self) -> PathBuf {
        self.scratch.path().join("names")
    }

    /// Returns what the role printed there.
    pub fn run(&self, role: &str) -> String {
        let mut command = Command::new(&self.program);
        let role = format!("{role} {}", self.directory().display());
        command.args([self.test, "--exact", "--nocapture"]).env(ROLE, role).uid(OTHER);
        let output = loop {
            match command.output() {
                // Another test's child was started while the program was written, and holds it open for
                // writing until it runs its own.
                Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => yield_now(),
                output => break output.unwrap(),
            }
        };
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        text
    }
}

/// Plays the role that a test has given this process. Returns `false` if it has none.
fn played() -> bool {
    let Some(role) = role() else { return false };
    let (role, path) = role.split_once(' ').expect("a role and a directory");
    let place = match role {
        "trusting" => Place::in_dir(path).allow_uid(0),
        _ => Place::in_dir(path),
    };
    if role == "curious" {
        println!("result: {:?}", try_to_inquire(&place.allow_uid(0)).map(drop));
    } else {
        println!("result: {:?}", try_connect(&place).map(drop));
    }
    true
}

#[test]
fn another_user_comes_in_only_where_both_sides_allow_it() {
    if played() {
        return;
    }
    let test = "rendezvous::tests::users::another_user_comes_in_only_where_both_sides_allow_it";
    let Some(other) = AsOther::new(test) else { return };
    let place = || other.scratch.place();

    let server = Server::start(&place().allow_uid(OTHER), limits());
    let mode = |path: PathBuf| path.metadata().unwrap().mode() & 0o7777;
    assert_eq!(mode(other.directory()), 0o711, "to enter, not to list");
    assert_eq!(mode(other.directory().join("calc")) & 0o777, 0o666);
    assert_eq!(mode(other.directory().join("locks")), 0o700);
    let text = other.run("trusting");
    assert!(text.contains("result: Ok"), "{text}");
    assert_eq!(server.next_connected().1.credentials.uid, OTHER);
    let text = other.run("wary");
    assert!(text.contains("WrongOwner") && text.contains("owner: 0"), "{text}");
    drop(try_connect(&place()).expect("its own user's clients come in all the same"));
    server.end();

    // The server refuses other users, by the credentials that the kernel reports.
    let server = Server::start(&place().allow_uid(OTHER + 1), limits());
    let text = other.run("trusting");
    assert!(text.contains("NotAllowed { uid: 12345 }"), "{text}");
    server.end();

    // Users that are not allowed cannot even connect.
    let server = Server::start(&place(), limits());
    let text = other.run("trusting");
    assert!(text.contains("PermissionDenied"), "{text}");
    set_mode(&other.directory(), 0o700);
    let text = other.run("trusting");
    assert!(text.contains("PermissionDenied"), "{text}");
    // The server refuses them even if the file system lets them connect.
    set_mode(&other.directory(), 0o755);
    set_mode(&other.directory().join("calc"), 0o666);
    let text = other.run("trusting");
    assert!(text.contains("NotAllowed"), "{text}");
    server.end();
}

#[test]
fn how_a_server_is_another_user_is_not_told_even_a_client() {
    if played() {
        return;
    }
    let test = "rendezvous::tests::users::how_a_server_is_another_user_is_not_told_even_a_client";
    let Some(other) = AsOther::new(test) else { return };
    let place = other.scratch.place().allow_uid(OTHER);
    let server = Server::start(&place, limits());
    let text = other.run("trusting");
    assert!(text.contains("result: Ok"), "{text}");
    let text = other.run("curious");
    assert!(text.contains("NotAllowed { uid: 12345 }"), "{text}");
    assert_eq!(try_to_inquire(&place).expect("it is our own"), b"never better");
    server.end();
}

#[test]
fn a_server_of_another_user_is_not_taken_for_ours() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let scratch = Scratch::new();
    let server = Server::start(&scratch.place(), limits());
    for path in [scratch.path_of("calc"), scratch.path().join("names")] {
        chown(path, Some(OTHER), None).unwrap();
    }
    let refused = try_connect(&scratch.place()).map(drop);
    assert!(
        matches!(
            refused,
            Err(ConnectError::Directory(DirectoryError::WrongOwner {
                owner: OTHER,
                expected: 0,
                ..
            }))
        ),
        "{refused:?}"
    );
    // Nor is one for the user that owns its directory.
    let refused = try_connect(&scratch.place().allow_uid(OTHER)).map(drop);
    assert!(
        matches!(refused, Err(ConnectError::OtherUser { expected: OTHER, found: 0, .. })),
        "{refused:?}"
    );
    server.end();
}

#[test]
fn what_cannot_be_shared_is_not() {
    let claim = |place: &Place| NameClaim::new(&name("calc"), place).map(drop);
    let own = Place::default().allow_uid(OTHER);
    let refused = claim(&own);
    assert!(matches!(refused, Err(BindError::Directory(DirectoryError::NotShared))), "{refused:?}");
    let refused = try_connect(&own).map(drop);
    assert!(
        matches!(refused, Err(ConnectError::Directory(DirectoryError::NotShared))),
        "{refused:?}"
    );
    let scratch = Scratch::new();
    fs::create_dir(scratch.path().join("names")).unwrap();
    set_mode(&scratch.path().join("names"), 0o700);
    let refused = claim(&scratch.place().allow_uid(OTHER));
    assert!(
        matches!(
            refused,
            Err(BindError::Directory(DirectoryError::KeepsOthersOut { mode: 0o700, .. }))
        ),
        "{refused:?}"
    );
    // This user may be allowed too: it is not another one.
    let own_uid = rustix::process::geteuid().as_raw();
    claim(&scratch.place().allow_uid(own_uid)).expect("it is private");
}
