//! The arguments of the command.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// Looks into running WitRPC servers, calls their methods and watches their events.
///
/// Servers of your user are found by name. Without a token this command sees what any process of your user
/// may see: the names of servers and their totals. The names of services and methods, and figures by method,
/// are for clients that a server lets in: give the token of one that asks for it by --token-file.
#[derive(Debug, Parser)]
#[command(
    name = "witrpc",
    version,
    after_help = "\
Exit codes:
  0   done
  1   the service answered with its own error; or `diff` found differences
  2   nothing was run: no server of that name, no access, no use of it
  3   the method may have run, and its answer is not known
  64  misuse: no such method, arguments that do not fit it, options that make no sense

Examples:
  witrpc list
  witrpc describe calc
  witrpc call calc Calculator.add '{\"a\": 1, \"b\": 2}'
  witrpc call calc Calculator.add a=1 b=2
  witrpc watch calc Calculator.progress"
)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the servers that run now.
    List(List),
    /// Show the services of a server as Rust signatures, with their docs.
    Describe(Describe),
    /// Call a method.
    Call(Call),
    /// Write each event as a line of JSON, until the server ends.
    Watch(Watch),
    /// Show what a server has done and is doing.
    Stats(Stats),
    /// Measure how long a call takes, beside what this machine allows.
    Ping(Ping),
    /// Compare two versions of a service, as client and server do when they connect.
    Diff(Diff),
    /// Check this machine, and say what to do about what is wrong.
    Doctor(Doctor),
    /// Remove what dead servers have left.
    Clean(Clean),
    /// Write a script that completes this command's arguments.
    #[command(after_help = "\
For bash: witrpc completions bash > ~/.local/share/bash-completion/completions/witrpc
For fish: witrpc completions fish > ~/.config/fish/completions/witrpc.fish
For zsh:  witrpc completions zsh > a directory of $fpath, as _witrpc")]
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// Where servers are.
#[derive(Debug, ClapArgs)]
pub struct PlaceArgs {
    /// The directory of the names, for servers that have one of their own.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// How to be let in.
#[derive(Debug, ClapArgs)]
pub struct Access {
    #[command(flatten)]
    pub place: PlaceArgs,
    /// A file with the token that the server asks for, in hexadecimal. Command lines and environments can be
    /// read by others, so a token is not taken from there.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Encrypt all that crosses. The server must do so too.
    #[arg(long)]
    pub encrypt: bool,
    /// How long connecting, and then a call, may take. Default: 5 and 30.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Option<Duration>,
    /// How values become bytes. Default: the first that the server allows, in this order.
    #[arg(long, value_enum)]
    pub codec: Option<CodecName>,
}

/// A codec by its name.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum CodecName {
    Json,
    Messagepack,
    Postcard,
}

#[derive(Debug, ClapArgs)]
pub struct List {
    #[command(flatten)]
    pub access: Access,
    /// Write JSON instead of text.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
pub struct Describe {
    /// The name of the server.
    pub name: String,
    /// A service, or one of its methods and events. Default: all services.
    #[arg(value_name = "SERVICE[.MEMBER]")]
    pub member: Option<String>,
    /// Keep the description in this file, for `witrpc diff`.
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Write the description as --save keeps it.
    #[arg(long, conflicts_with = "save")]
    pub json: bool,
    #[command(flatten)]
    pub access: Access,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Arguments are an object of JSON, an array of JSON in order, or pairs NAME=VALUE. A value that is no JSON is a \
text: name=Bob is name=\"Bob\", and a text that looks like a number needs quotes: zip='\"04103\"'. `-` reads the \
JSON from standard input. Bytes are base64 or an array of numbers. `witrpc describe` shows what a method takes.

A method that takes a stream gets the values on standard input, usually one a line. The items of a method that \
returns a stream are written one a line. An item that is a Result is {\"Ok\": ...} or {\"Err\": ...}.

The answer is written as JSON, the service's own error to standard error, with exit code 1. A signal, such as \
that of Ctrl-C, ends the command and cancels the call.

Exit codes:
  0   done
  1   the service answered with its own error
  2   nothing was run: no server of that name, no access
  3   the method may have run, and its answer is not known
  64  misuse: no such method, arguments that do not fit it, options that make no sense

Examples:
  witrpc call calc Calculator.add '{\"a\": 1, \"b\": 2}'
  witrpc call calc Calculator.add a=1 b=2
  witrpc call shop Shop.order - < order.json
  seq 10 | witrpc call calc Calculator.sum
  witrpc call calc Calculator.primes below=1000000 | head")]
pub struct Call {
    /// The name of the server.
    pub name: String,
    /// The service and the method, with a dot between them.
    #[arg(value_name = "SERVICE.METHOD")]
    pub method: String,
    /// The arguments of the method.
    #[arg(value_name = "ARGUMENTS")]
    pub arguments: Vec<String>,
    #[command(flatten)]
    pub access: Access,
}

#[derive(Debug, ClapArgs)]
pub struct Watch {
    /// The name of the server.
    pub name: String,
    /// The service and the event, with a dot between them.
    #[arg(value_name = "SERVICE.EVENT")]
    pub event: String,
    #[command(flatten)]
    pub access: Access,
}

#[derive(Debug, ClapArgs)]
pub struct Stats {
    /// The name of the server.
    pub name: String,
    /// Show them again every second, or as often as this says. From the second time on, p50 and p99 are those
    /// of the calls in between.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, num_args = 0..=1, default_missing_value = "1")]
    pub watch: Option<Duration>,
    /// Write JSON instead of tables, an object a line.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub access: Access,
}

#[derive(Debug, ClapArgs)]
pub struct Ping {
    /// The name of the server.
    pub name: String,
    /// How many calls to make in a row; a fiftieth of them after a pause.
    #[arg(long, short, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub count: u32,
    /// Write JSON instead of text.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub access: Access,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
The first is taken as the client's version and the second as the server's. A method that only one of them has \
is shown and is no difference: clients and servers connect all the same. The exit code is 1 if anything differs.

Example, in CI:
  witrpc describe calc --save calc.json
  witrpc diff calc.json calc")]
pub struct Diff {
    /// The name of a server, or a file that `describe --save` wrote.
    #[arg(value_name = "NAME|FILE")]
    pub client: String,
    /// The other one.
    #[arg(value_name = "NAME|FILE")]
    pub server: String,
    /// Write JSON instead of text.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub access: Access,
}

#[derive(Debug, ClapArgs)]
pub struct Doctor {
    /// Write JSON instead of text.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub place: PlaceArgs,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Only names of dead servers, and shared memory of exactly the form that this library makes, of your user, older \
than a minute, that no process has mapped or open.")]
pub struct Clean {
    /// Remove it. Without this, it is only shown.
    #[arg(long)]
    pub yes: bool,
    /// Write JSON instead of text.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Reads a time in seconds.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "give a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}
