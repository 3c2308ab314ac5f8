//! Runs one side of a row under callgrind, and the other natively.

use std::error::Error;
use std::fmt::{self, Display};
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use witrpc::Mmf;

use crate::budget::{Functions, least};
use crate::marks::{BEGINS, BLOCK, ENDS, MODULE, WAITING};
use crate::profile::Profile;

/// What a server prints when it can be connected to.
pub(crate) const READY: &str = "ready";

/// How long a process may take to end.
const PATIENCE: Duration = Duration::from_secs(120);

/// The side that runs under callgrind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Client,
    Server,
}

impl Side {
    pub(crate) const BOTH: [Self; 2] = [Self::Client, Self::Server];
}

impl Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Server => "server",
        })
    }
}

/// Checks that valgrind is installed.
pub(crate) fn require_valgrind() -> Result<(), String> {
    let mut valgrind = Command::new("valgrind");
    match valgrind.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            Err(format!("valgrind does not run: `valgrind --version` ended with {status}"))
        }
        Err(error) => Err(format!(
            "valgrind cannot be started: {error}; install it (as root: apt-get install -y valgrind)"
        )),
    }
}

/// The instructions of one call, by function, in the block of calls that waited least.
pub(crate) fn run(row: &str, side: Side) -> Result<Functions, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let endpoint = Mmf::unguessable();
    let mut server = program(folder.path(), side == Side::Server)?;
    server.args(["--serve", endpoint.name(), row]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut server = Process::start("the server", &mut server)?;
    server.wait_until_ready()?;
    let mut client = program(folder.path(), side == Side::Client)?;
    client.args(["--call", endpoint.name(), row]);
    let client = Process::start("the client", &mut client)?;
    client.end()?;
    server.end()?;
    let blocks = read_blocks(folder.path())?;
    Ok(least(&blocks).ok_or("callgrind has not written a profile of a block")?.clone())
}

/// This program, to which arguments are to be added.
fn program(folder: &Path, under_callgrind: bool) -> io::Result<Command> {
    let this = std::env::current_exe()?;
    if !under_callgrind {
        return Ok(Command::new(this));
    }
    let mut valgrind = Command::new("valgrind");
    valgrind
        // Threads take turns, also while one spins.
        .args(["--quiet", "--tool=callgrind", "--fair-sched=yes"])
        .arg(format!("--callgrind-out-file={}", folder.join("profile").display()))
        .args([format!("--zero-before={BEGINS}"), format!("--dump-before={ENDS}")])
        .arg(this);
    Ok(valgrind)
}

fn read_blocks(folder: &Path) -> Result<Vec<Functions>, Box<dyn Error>> {
    let mut blocks = Vec::new();
    for file in fs::read_dir(folder)? {
        let profile = Profile::parse(&fs::read_to_string(file?.path())?)?;
        if profile.of_block {
            blocks.push(a_call(&profile));
        }
    }
    Ok(blocks)
}

/// One call of a block.
fn a_call(block: &Profile) -> Functions {
    let waits = |name: &str| WAITING.iter().any(|end| name.ends_with(end));
    let counts = |name: &str| !name.contains(MODULE) && !waits(name);
    let functions = block.functions.iter().filter(|(name, _)| counts(name));
    functions.map(|(name, count)| (name.clone(), *count as f64 / BLOCK as f64)).collect()
}

/// A process that ends with this value.
struct Process {
    what: &'static str,
    child: Child,
}

impl Process {
    fn start(what: &'static str, command: &mut Command) -> io::Result<Self> {
        Ok(Self { what, child: command.spawn()? })
    }

    fn wait_until_ready(&mut self) -> Result<(), Box<dyn Error>> {
        let output = self.child.stdout.as_mut().ok_or("its output is not piped")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        if line.trim_end() == READY { Ok(()) } else { Err("the server has not started".into()) }
    }

    /// Closes its input, and waits until it ends.
    fn end(mut self) -> Result<(), Box<dyn Error>> {
        drop(self.child.stdin.take());
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(format!("{} ended with {status}", self.what).into()),
                None => thread::sleep(Duration::from_millis(5)),
            }
        }
        Err(format!("{} has not ended after {PATIENCE:?}", self.what).into())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
