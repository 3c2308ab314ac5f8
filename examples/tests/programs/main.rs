//! The examples, run as a user runs them.

#![forbid(unsafe_code)]

mod axum_workers;
mod chat;
mod frames;
mod hello;
mod render_worker;
mod running;

use std::process::{Child, Command, Stdio};

use witrpc::Mmf;

use running::{Running, complaint_of, words_of};

const SERVER: &str = env!("CARGO_BIN_EXE_calculator_server");
const CLIENT: &str = env!("CARGO_BIN_EXE_calculator_client");
const QUICKSTART: &str = env!("CARGO_BIN_EXE_quickstart");
const NOTES: &str = env!("CARGO_BIN_EXE_tokio_service");

#[test]
fn a_server_in_one_terminal_answers_a_client_in_another() {
    let place = Mmf::unguessable();
    let name = place.name();
    let mut server = Running::start(SERVER, &[name]);
    let greeting = server.line();
    assert!(greeting.contains(name), "{greeting:?}");
    assert_eq!(words_of(CLIENT, &[name]), "84 + 2 = 86\n84 / 2 = 42\n");
    let by_zero = words_of(CLIENT, &[name, "1", "0"]);
    assert_eq!(by_zero, "1 + 0 = 1\n1 / 0: nothing can be divided by zero\n");
}

#[test]
fn a_missing_name_is_an_error_with_the_usage() {
    for program in [SERVER, CLIENT, NOTES] {
        let words = complaint_of(program, &[]);
        assert!(words.contains(": usage: ") && words.contains("NAME"), "{words}");
    }
}

#[test]
fn the_quickstart_shows_all_it_promises() {
    let words = words_of(QUICKSTART, &[]);
    for promised in [
        "add(40, 2)               = 42",
        "nothing can be divided by zero",
        "mean(a million f64)      = 499999.5",
        "the handler panicked",
        "and the server lives on",
        "name_of(pi).await        = Some(\"pi\")",
        "[1000, 2000, 3000, 4000]",
        "server killed in a call: the server process died",
        "the call after that: the connection is closed",
    ] {
        assert!(words.contains(promised), "{promised:?} is missing: {words}");
    }
}

#[test]
fn notes_are_waited_for_and_expire() {
    let place = Mmf::unguessable();
    let name = place.name();
    let mut server = Running::start(NOTES, &[name, "serve"]);
    assert!(server.line().contains(name));

    // It ends at the latest with the server, and so with the test.
    let waiter = Command::new(NOTES).args([name, "wait", "lunch"]).stdout(Stdio::piped()).spawn();
    words_of(NOTES, &[name, "put", "lunch", "is ready"]);
    let waited = waiter.and_then(Child::wait_with_output).expect("cargo has built it");
    assert_eq!(String::from_utf8_lossy(&waited.stdout), "is ready\n");

    words_of(NOTES, &[name, "put", "lunch", "is cold", "0.01"]);
    words_of(NOTES, &[name, "gone", "lunch"]);
    let complaint = complaint_of(NOTES, &[name, "get", "lunch"]);
    assert!(complaint.contains("no note"), "{complaint}");

    let complaint = complaint_of(NOTES, &[name, "put", "lunch", "is late", "soon"]);
    assert!(complaint.contains("SECONDS is a number"), "{complaint}");

    words_of(NOTES, &[name, "put", "shopping", "--- milk", "60"]);
    assert_eq!(words_of(NOTES, &[name, "get", "shopping"]), "--- milk\n");

    words_of(NOTES, &[name, "put", "tea", "for one", "0.01"]);
    words_of(NOTES, &[name, "put", "tea", "for two"]);
    assert_eq!(words_of(NOTES, &[name, "get", "tea"]), "for two\n");
}
