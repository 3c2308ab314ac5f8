//! Programs, run as a user runs them.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Output, Stdio};

/// A shell script that runs its arguments in the background. Each line of its standard input is the
/// name of a signal, which it sends to the program. It kills the program at the end of the input,
/// which comes with the end of the test, however the test ends. The script closes its own output,
/// so only the program holds it: a reader of the output learns when the program ends.
const SIGNALLED: &str = r#"
    "$@" &
    exec >&- 2>&-
    while read -r signal; do kill -s "$signal" $!; done
    kill -s KILL $!
"#;

/// A program that runs beside the test, and dies with it.
pub(crate) struct Running {
    shell: Child,
    signals: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    errors: ChildStderr,
}

impl Running {
    pub(crate) fn start(program: &str, arguments: &[&str]) -> Self {
        let mut shell = Command::new("sh")
            .args(["-c", SIGNALLED, "sh", program])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("there is a shell");
        let signals = shell.stdin.take();
        let output = BufReader::new(shell.stdout.take().expect("it is piped"));
        let errors = shell.stderr.take().expect("it is piped");
        Self { shell, signals, output, errors }
    }

    /// Waits for the next line of the program's output, and returns it.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it writes text");
        line
    }

    /// Presses Ctrl-C.
    pub(crate) fn interrupt(&mut self) {
        let signals = self.signals.as_mut().expect("it runs");
        signals.write_all(b"INT\n").expect("the shell reads");
    }

    /// Waits for the program's end. Returns the rest of its output, and all of its errors.
    pub(crate) fn last_words(mut self) -> (String, String) {
        let (mut output, mut errors) = (String::new(), String::new());
        self.output.read_to_string(&mut output).expect("it writes text");
        self.errors.read_to_string(&mut errors).expect("it writes text");
        (output, errors)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.signals.take());
        // Only the end matters here.
        let _ = self.shell.wait();
    }
}

pub(crate) fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).output().expect("cargo has built it")
}

/// Returns the output of a program that succeeds.
pub(crate) fn words_of(program: &str, arguments: &[&str]) -> String {
    let output = run(program, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {}: {errors}", output.status);
    String::from_utf8(output.stdout).expect("it writes text")
}

/// Returns the standard error of a program that fails.
pub(crate) fn complaint_of(program: &str, arguments: &[&str]) -> String {
    let output = run(program, arguments);
    assert!(!output.status.success(), "{program} {arguments:?} ended well");
    String::from_utf8(output.stderr).expect("it writes text")
}
