//! The command in a terminal, and what it tells of itself.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::shop::Open;
use super::{run, witrpc};

/// Opens a terminal of that width: what the user sees, and what the command has.
fn terminal(columns: u16) -> (File, OwnedFd) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("there is a terminal");
    grantpt(&terminal).expect("it is ours");
    unlockpt(&terminal).expect("it is ours");
    let name = ptsname(&terminal, Vec::new()).expect("it has a name");
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let end: OwnedFd = open(&*name, flags, Mode::empty()).expect("it opens");
    let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&end, size).expect("it is a terminal");
    (File::from(terminal), end)
}

/// Runs the command in a terminal of that width, and returns what it has written there.
fn in_terminal(mut command: Command, columns: u16) -> String {
    let (mut terminal, end) = terminal(columns);
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
    let _ = terminal.read_to_end(&mut written);
    child.wait().expect("it ends");
    String::from_utf8(written).expect("it writes UTF-8")
}

/// Reads what is written to a terminal until that text is there, or the last writer has gone.
fn read_until(terminal: &mut File, text: &str) -> String {
    let (mut read, mut next) = (Vec::new(), [0; 1024]);
    while !String::from_utf8_lossy(&read).contains(text) {
        match terminal.read(&mut next) {
            Ok(len @ 1..) => read.extend_from_slice(&next[..len]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&read).into_owned()
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
fn a_long_wait_shows_what_it_waits_for_and_erases_it() {
    let open = Open::new();
    let (mut terminal, end) = terminal(42);
    let mut command = witrpc(open.dir(), &["call", "shop", "Shop.hold"]);
    command.env("TERM", "xterm").env("NO_COLOR", "1").stdout(Stdio::piped()).stderr(end);
    let child = command.spawn().expect("the command starts");
    drop(command);
    let shown = read_until(&mut terminal, " s)");
    assert!(shown.ends_with("waiting for the answer of Shop.hold (1 s)"), "{shown:?}");
    open.held.release();
    let erased = read_until(&mut terminal, "\r\x1b[K\u{0}");
    assert!(erased.ends_with("\r\x1b[K"), "{erased:?}");
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!(ended.stdout, b"false\n");
}

#[test]
fn figures_that_are_drawn_again_fit_the_terminal() {
    let open = Open::with(|server| server.method_metrics(true));
    run(open.dir(), &["call", "shop", "Shop.sum"]).ok();
    let (mut terminal, end) = terminal(100);
    let size = Winsize { ws_row: 12, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&end, size).expect("it is a terminal");
    let mut command = witrpc(open.dir(), &["stats", "shop", "--watch", "0.01"]);
    command.env("TERM", "xterm").env("NO_COLOR", "1").stdout(end);
    let mut child = command.spawn().expect("the command starts");
    drop(command);
    let drawn = read_until(&mut terminal, "called less\r\n");
    child.kill().expect("it runs");
    child.wait().expect("it is ours");
    let (_, drawn) = drawn.rsplit_once("\x1b[H\x1b[2J").expect("it is drawn again");
    assert!(drawn.lines().count() < 12, "{drawn}");
    let rows = drawn.lines().skip_while(|line| !line.starts_with("METHOD")).collect::<Vec<_>>();
    assert!(rows[1].starts_with("Shop.sum "), "the only one that was called: {drawn}");
    assert_eq!(rows.len(), 6, "headings, four methods, and those left out: {drawn}");
    // Pipes have all of them.
    let all = run(open.dir(), &["stats", "shop"]).ok();
    assert!(all.contains("Clock.now") && !all.contains("called less"), "{all}");
}

#[test]
fn a_user_at_a_terminal_is_told_that_items_are_read() {
    let open = Open::new();
    let (mut terminal, end) = terminal(80);
    let mut command = witrpc(open.dir(), &["call", "shop", "Shop.sum"]);
    command.stdin(end.try_clone().expect("there are descriptors left")).stderr(end);
    let child = command.stdout(Stdio::piped()).spawn().expect("the command starts");
    drop(command);
    let told = read_until(&mut terminal, "Ctrl-D ends them");
    assert!(told.contains("the items as JSON, one a line"), "{told:?}");
    // 4 is what Ctrl-D sends.
    terminal.write_all(b"1\n2\n\x04").expect("it is a terminal");
    assert_eq!(child.wait_with_output().expect("it ends").stdout, b"3\n");
}

#[test]
fn bash_completes_subcommands_and_options() {
    let witrpc = env!("CARGO_BIN_EXE_witrpc");
    let complete = |words: &[&str]| {
        let (last, before) = (words[words.len() - 1], words.get(words.len() - 2).unwrap_or(&""));
        let script = format!(
            "set -eu; source <({witrpc} completions bash); COMP_WORDS=({}); COMP_CWORD={}; \
             _witrpc witrpc '{last}' '{before}'; echo ${{COMPREPLY[*]-}}",
            words.join(" "),
            words.len() - 1,
        );
        let done = Command::new("bash").args(["-c", &script]).output().expect("bash is there");
        String::from_utf8(done.stdout).expect("it writes UTF-8")
    };
    assert_eq!(complete(&["witrpc", "des"]), "describe\n");
    assert_eq!(complete(&["witrpc", "call", "--tok"]), "--token-file\n");
    assert_eq!(complete(&["witrpc", "call", "--codec", "mess"]), "messagepack\n");
    assert_eq!(complete(&["witrpc", "completions", "f"]), "fish\n");
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
    let call = witrpc(&["call", "--help"]).ok();
    for part in ["NAME=VALUE", "64  misuse", "seq 10 | witrpc call calc Calculator.sum"] {
        assert!(call.contains(part), "{part} in {call}");
    }
    for command in ["call", "diff", "clean"] {
        let help = Command::new(env!("CARGO_BIN_EXE_witrpc"))
            .args([command, "--help"])
            .env("COLUMNS", "60")
            .output();
        let help = super::Ran::of(help.expect("the command starts")).ok();
        // A line that is broken by hand and then wrapped leaves a word or two alone.
        let prose = help.split("\n\n").filter(|text| text.ends_with('.') && !text.contains("--"));
        for text in prose {
            let lines: Vec<_> = text.lines().collect();
            let ragged =
                lines.split_last().is_some_and(|(_, all)| all.iter().any(|line| line.len() < 35));
            assert!(!ragged, "{text}");
        }
    }
    assert!(witrpc(&["--version"]).ok().starts_with("witrpc "));
    assert!(witrpc(&["lst"]).failed(64).contains("similar subcommand exists: 'list'"));
    assert!(witrpc(&["describe"]).failed(64).contains("<NAME>"));
    assert!(
        witrpc(&["ping", "calc", "--timeout", "soon"]).failed(64).contains("number of seconds")
    );
}
