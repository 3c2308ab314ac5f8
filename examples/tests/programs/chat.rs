//! `chat`: a server and its guests, each in a terminal.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use witrpc::Mmf;

use crate::running::{Running, complaint_of, words_of};

const CHAT: &str = env!("CARGO_BIN_EXE_chat");

/// A guest at a terminal. It leaves when its input ends, and so with the test.
struct Guest {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Guest {
    fn comes(name: &str, room: &str) -> Self {
        let mut process = Command::new(CHAT)
            .args([name, room])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("cargo has built it");
        let input = process.stdin.take();
        let output = BufReader::new(process.stdout.take().expect("it is piped"));
        Self { process, input, output }
    }

    fn says(&mut self, text: &str) {
        let input = self.input.as_mut().expect("it has not left");
        writeln!(input, "{text}").expect("it reads");
    }

    /// Waits for the guest's next line, and compares it.
    #[track_caller]
    fn sees(&mut self, expected: &str) {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it writes text");
        assert_eq!(line.trim_end_matches('\n'), expected);
    }

    /// Ends its input, as Ctrl-D does.
    fn leaves(mut self) {
        drop(self.input.take());
        assert!(self.process.wait().expect("it is ours").success());
    }

    /// Presses Ctrl-C.
    fn interrupts(mut self) {
        kill_process(Pid::from_child(&self.process), Signal::INT).expect("it is ours");
        assert!(self.process.wait().expect("it is ours").success());
    }

    fn kill(mut self) {
        self.process.kill().expect("it is ours");
        self.process.wait().expect("it is ours");
    }
}

fn open_room(place: &Mmf) -> Running {
    let mut server = Running::start(CHAT, &["--serve", place.name()]);
    assert!(server.line().contains(place.name()));
    server
}

#[test]
fn guests_see_each_other_come_talk_and_go() {
    let place = Mmf::unguessable();
    let mut server = open_room(&place);
    let room = place.name();

    let mut ann = Guest::comes("ann", room);
    ann.sees("* ann has come; here are: ann");
    let mut bob = Guest::comes("bob", room);
    bob.sees("* bob has come; here are: ann, bob");
    let mut cyd = Guest::comes("cyd", room);
    cyd.sees("* cyd has come; here are: ann, bob, cyd");
    ann.sees("* bob has come; here are: ann, bob");
    for guest in [&mut ann, &mut bob] {
        guest.sees("* cyd has come; here are: ann, bob, cyd");
    }

    // All guests see the same, in the same order.
    ann.says("good \x1b[31mevening");
    ann.says("all");
    for guest in [&mut ann, &mut bob, &mut cyd] {
        guest.sees("ann: good [31mevening");
        guest.sees("ann: all");
    }
    bob.says("what a room");
    for guest in [&mut ann, &mut bob, &mut cyd] {
        guest.sees("bob: what a room");
    }

    // The others learn alike of a guest that leaves and of one that dies, and the name is free
    // again.
    bob.leaves();
    for guest in [&mut ann, &mut cyd] {
        guest.sees("* bob has gone");
    }
    cyd.kill();
    ann.sees("* cyd has gone");
    let mut bob = Guest::comes("bob", room);
    bob.sees("* bob has come; here are: ann, bob");
    ann.sees("* bob has come; here are: ann, bob");

    // The remaining guests learn why the room closes.
    server.interrupt();
    assert_eq!(server.last_words(), (String::new(), String::new()));
    for guest in [ann, bob] {
        let left = guest.process.wait_with_output().expect("it is ours");
        let complaint = String::from_utf8_lossy(&left.stderr);
        assert!(!left.status.success() && complaint.starts_with("chat: "), "{complaint}");
    }
}

#[test]
fn a_guest_leaves_by_ctrl_c_too() {
    let place = Mmf::unguessable();
    let _server = open_room(&place);
    let mut ann = Guest::comes("ann", place.name());
    ann.sees("* ann has come; here are: ann");
    let mut bob = Guest::comes("bob", place.name());
    bob.sees("* bob has come; here are: ann, bob");
    ann.sees("* bob has come; here are: ann, bob");
    bob.interrupts();
    ann.sees("* bob has gone");
    ann.leaves();
}

#[test]
fn a_guest_that_cannot_come_learns_why() {
    assert!(words_of(CHAT, &["--help"]).contains("usage: chat --serve [ROOM]"));
    for usage in [&[][..], &["--serve", "a", "b"], &["a", "b", "c"], &["--loud"]] {
        complaint_of(CHAT, usage);
    }
    let place = Mmf::unguessable();
    let complaint = complaint_of(CHAT, &["ann", place.name()]);
    assert!(complaint.contains("run chat --serve"), "{complaint}");

    let _server = open_room(&place);
    let complaint = complaint_of(CHAT, &["--serve", place.name()]);
    assert!(complaint.contains(place.name()), "{complaint}");
    let mut ann = Guest::comes("ann", place.name());
    ann.sees("* ann has come; here are: ann");
    let complaint = complaint_of(CHAT, &["ann", place.name()]);
    assert!(complaint.contains("come under another one"), "{complaint}");
    let complaint = complaint_of(CHAT, &["an n", place.name()]);
    assert!(complaint.contains("the name \"an n\" is not valid"), "{complaint}");
    ann.leaves();
}
