//! The command in a terminal, and what it tells of itself.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::shop::Open;
use super::{run, witrpc};

/// Runs the command in a terminal of that width, and returns what it has written there.
fn in_terminal(mut command: Command, columns: u16) -> String {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("there is a terminal");
    grantpt(&terminal).expect("it is ours");
    unlockpt(&terminal).expect("it is ours");
    let name = ptsname(&terminal, Vec::new()).expect("it has a name");
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let end: OwnedFd = open(&*name, flags, Mode::empty()).expect("it opens");
    let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&end, size).expect("it is a terminal");
    command
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .stdout(Stdio::from(end))
        .stderr(Stdio::null());
    let mut child = command.spawn().expect("the command starts");
    // It holds the other end until then.
    drop(command);
    let mut written = Vec::new();
    // When the last writer has gone, the system answers by an error.
    let _ = File::from(terminal).read_to_end(&mut written);
    child.wait().expect("it ends");
    String::from_utf8(written).expect("it writes UTF-8")
}

/// Returns the text without what sets colours.
fn plain(text: &str) -> String {
    let mut pieces = text.split('\x1b');
    let first = pieces.next().unwrap_or_default().to_owned();
    let rest = pieces.map(|piece| piece.split_once('m').map_or("", |(_, rest)| rest));
    first + &rest.collect::<String>()
}

#[test]
fn a_table_fits_the_terminal_and_has_colours_only_there() {
    let open = Open::new();
    let piped = run(open.dir(), &["list"]).ok();
    assert!(!piped.contains('\x1b'), "{piped:?}");
    let wide = in_terminal(witrpc(open.dir(), &["list"]), 120);
    assert!(wide.contains("\x1b[1mNAME"), "{wide:?}");
    assert_eq!(wide.lines().count(), 2, "{wide}");
    let narrow = in_terminal(witrpc(open.dir(), &["list"]), 50);
    assert!(narrow.lines().count() > 2, "{narrow}");
    for line in plain(&narrow).lines() {
        assert!(line.chars().count() <= 50, "{line:?}");
    }
    let mut quiet = witrpc(open.dir(), &["describe", "shop"]);
    assert!(in_terminal(quiet, 80).contains("\x1b[2m/// Sells things."));
    quiet = Command::new("env");
    quiet.arg("NO_COLOR=1").arg(env!("CARGO_BIN_EXE_witrpc"));
    quiet.args(["describe", "shop", "--dir"]).arg(open.dir());
    assert!(!in_terminal(quiet, 80).contains('\x1b'));
}

#[test]
fn shells_are_given_their_completions() {
    for shell in ["bash", "zsh", "fish"] {
        let script =
            Command::new(env!("CARGO_BIN_EXE_witrpc")).args(["completions", shell]).output();
        let script = script.expect("the command starts");
        assert!(script.status.success());
        let script = String::from_utf8(script.stdout).expect("it writes UTF-8");
        for part in ["describe", "token-file", "completions"] {
            assert!(script.contains(part), "{part} for {shell}");
        }
    }
}

#[test]
fn help_teaches_and_misuse_has_its_own_code() {
    let witrpc = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_witrpc")).args(arguments).output();
        super::Ran::of(output.expect("the command starts"))
    };
    let help = witrpc(&["--help"]).ok();
    for part in ["Exit codes:", "Examples:", "witrpc call calc Calculator.add a=1 b=2", "doctor"] {
        assert!(help.contains(part), "{part} in {help}");
    }
    assert!(witrpc(&["call", "--help"]).ok().contains("NAME=VALUE"));
    assert!(witrpc(&["--version"]).ok().starts_with("witrpc "));
    assert!(witrpc(&["lst"]).failed(64).contains("similar subcommand exists: 'list'"));
    assert!(witrpc(&["describe"]).failed(64).contains("<NAME>"));
    assert!(
        witrpc(&["ping", "calc", "--timeout", "soon"]).failed(64).contains("number of seconds")
    );
}
