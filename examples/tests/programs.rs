//! The examples, run as a user runs them.

#![forbid(unsafe_code)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

use witrpc::Mmf;

const SERVER: &str = env!("CARGO_BIN_EXE_calculator_server");
const CLIENT: &str = env!("CARGO_BIN_EXE_calculator_client");
const QUICKSTART: &str = env!("CARGO_BIN_EXE_quickstart");

/// Runs its arguments until its standard input ends, as it does with the test, however that ends.
/// The program alone holds the output then: who reads that learns when it dies.
const UNTIL_THE_INPUT_ENDS: &str = r#""$@" & exec >&-; read -r _; kill -KILL $!"#;

/// A server that dies with the test.
struct Server {
    shell: Child,
    /// The first line that it wrote.
    greeting: String,
}

impl Server {
    /// Returns when it serves.
    fn start(name: &str) -> Self {
        let mut shell = Command::new("sh")
            .args(["-c", UNTIL_THE_INPUT_ENDS, "sh", SERVER, name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("there is a shell");
        let output = shell.stdout.take().expect("it is piped");
        let mut greeting = String::new();
        BufReader::new(output).read_line(&mut greeting).expect("the server writes text");
        Self { shell, greeting }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // That it has ended is all that is asked for.
        let _ = self.shell.wait();
    }
}

fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).output().expect("cargo has built it")
}

/// What a program wrote that ended well.
fn words_of(program: &str, arguments: &[&str]) -> String {
    let output = run(program, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {}: {errors}", output.status);
    String::from_utf8(output.stdout).expect("it writes text")
}

#[test]
fn a_server_in_one_terminal_answers_a_client_in_another() {
    let place = Mmf::unguessable();
    let name = place.name();
    let server = Server::start(name);
    assert!(server.greeting.contains(name), "{:?}", server.greeting);
    assert_eq!(words_of(CLIENT, &[name]), "84 + 2 = 86\n84 / 2 = 42\n");
    let by_zero = words_of(CLIENT, &[name, "1", "0"]);
    assert_eq!(by_zero, "1 + 0 = 1\n1 / 0: nothing can be divided by zero\n");
}

#[test]
fn who_gives_no_name_is_told_what_to_give() {
    for program in [SERVER, CLIENT] {
        let output = run(program, &[]);
        assert!(!output.status.success());
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(words.contains("usage:") && words.contains("NAME"), "{words}");
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
