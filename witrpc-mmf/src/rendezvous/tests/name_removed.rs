//! What a server does when another program removes the files of its name.

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::error::BindError;

use super::*;

impl Server {
    fn next_change(&self) -> NameChange {
        match self.next() {
            Event::NameChanged(change) => change,
            other => panic!("{other:?} instead of a change of the name"),
        }
    }
}

/// Checks that the server is found, and that no other gets its name.
fn assert_serves(server: &Server, place: &Place) {
    let client = try_connect(place).expect("the name is published");
    let (id, _) = server.next_connected();
    let second = NameClaim::new(&name("calc"), place);
    assert!(matches!(second, Err(BindError::NameInUse { .. })), "{second:?}");
    drop(client);
    server.expect_hung_up(id);
}

#[test]
fn a_name_whose_files_are_removed_is_published_anew() {
    let scratch = Scratch::new();
    let names = scratch.path().join("names");
    let server = Server::start(&scratch.place(), limits());
    let connected = try_connect(&scratch.place()).expect("it is served");
    let (id, _) = server.next_connected();
    let removals: [&dyn Fn() -> std::io::Result<()>; 5] = [
        &|| fs::remove_dir_all(&names),
        &|| fs::remove_file(scratch.path_of("calc")),
        &|| fs::remove_file(scratch.path_of("locks/calc")),
        &|| fs::rename(scratch.path_of("locks"), scratch.path_of("elsewhere")),
        &|| fs::rename(&names, scratch.path().join("away")),
    ];
    for remove in removals {
        remove().unwrap();
        assert_eq!(server.next_change(), NameChange::Republished);
        assert_serves(&server, &scratch.place());
    }
    assert_eq!(live_names(&scratch.place()).unwrap(), ["calc"]);
    // Its client was served all the time, and its end still leaves nothing behind.
    drop(connected);
    server.expect_hung_up(id);
    server.end();
    assert_eq!(scratch.leftovers(), [""; 0]);
}

#[test]
fn a_name_that_another_server_has_taken_is_reported_and_taken_back_when_it_is_free() {
    let (scratch, other) = (Scratch::new(), Scratch::new());
    let names = scratch.path().join("names");
    let server = Server::start(&scratch.place(), limits());
    let taken = claim(&other.place());
    let exchanged =
        renameat_with(CWD, &names, CWD, other.path().join("names"), RenameFlags::EXCHANGE);
    exchanged.expect("both are on one file system");
    let NameChange::Lost { problem } = server.next_change() else { panic!("it is another's") };
    let lock = scratch.path_of("locks/calc");
    assert!(problem.contains(lock.to_str().unwrap()), "{problem}");
    // The claim knows its directory by the path at which it was made.
    drop(taken);
    assert_eq!(server.next_change(), NameChange::Republished);
    assert_serves(&server, &scratch.place());
    server.end();
}

#[test]
fn a_directory_that_cannot_be_made_again_is_reported_once() {
    let scratch = Scratch::new();
    let names = scratch.path().join("names");
    let server = Server::start(&scratch.place(), limits());
    fs::remove_dir_all(&names).unwrap();
    fs::write(&names, "").unwrap();
    let NameChange::Lost { problem } = server.next_change() else { panic!("a file is there") };
    assert!(problem.contains("not a directory"), "{problem}");
    fs::remove_file(&names).unwrap();
    assert_eq!(server.next_change(), NameChange::Republished);
    assert_serves(&server, &scratch.place());
    server.end();
}
