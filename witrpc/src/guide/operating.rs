//! Looking into a running system: the command `witrpc`, and a client without a trait.
//!
//! # The command
//!
//! `cargo install witrpc-cli` gives the command `witrpc`, which finds servers by their names:
//!
//! ```text
//! $ witrpc list
//! NAME  PID   UID   CLIENTS  CALLS  SINCE  SERVICES
//! calc  4711  1000  2        190    3 min  Calculator
//!
//! $ witrpc describe calc
//! trait Calculator {
//!     /// Divides.
//!     fn divide(&self, a: i64, b: i64) -> Result<i64, DivideError>;
//! }
//!
//! enum DivideError {
//!     ByZero,
//! }
//!
//! $ witrpc call calc Calculator.divide a=7 b=2
//! 3
//! $ witrpc call calc Calculator.divide '{"a": 7, "b": 0}'
//! error: ByZero
//! ```
//!
//! | Command | What it does |
//! | --- | --- |
//! | `list` | names, processes, clients, and services where the server tells them |
//! | `describe NAME [SERVICE[.MEMBER]]` | Rust signatures with docs and types; `--save FILE` keeps them |
//! | `call NAME SERVICE.METHOD ARGUMENTS` | calls a method; streams are lines of JSON, in and out |
//! | `watch NAME SERVICE.EVENT` | writes each event as a line of JSON |
//! | `stats NAME` | totals, and figures by method where the server counts so; `--watch` repeats them, with those of the calls in between |
//! | `ping NAME` | how long a call takes, beside what this machine allows, and what makes it slow: processors and policies of both sides, load |
//! | `diff NAME\|FILE NAME\|FILE` | what differs between two versions, as client and server compare them |
//! | `doctor` | directories, seals, seccomp, limits and control groups, and what to do about each |
//! | `clean` | what dead servers have left; `--yes` removes it |
//! | `completions SHELL` | a script for bash, zsh or fish |
//!
//! The exit code of `call` says how far it came: 0 done, 1 the service's own error, 2 not run, 3 may have run,
//! 64 misuse. Ctrl-C ends the command and cancels its call. `witrpc --help` and `witrpc call --help` say more.
//!
//! `list`, `describe`, `stats`, `ping`, `diff`, `doctor` and `clean` write JSON with `--json`; `call` and `watch`
//! always do. Colours, tables cut to its width, and what a long wait waits for are for a terminal alone. A server
//! that does not answer is listed as such, and `--timeout` says how long to wait for it.
//!
//! # In CI
//!
//! Keep a description beside the code, and compare the server of the next build with it. `diff` takes the first
//! as the client's version and ends with 1 if a method or event would be refused:
//!
//! ```text
//! witrpc describe calc --save calc.json
//! witrpc diff calc.json calc
//! ```
//!
//! A description also says which fields its types can be read without, so a new field with a default is no
//! difference over JSON and MessagePack.
//!
//! # Figures by method
//!
//! A server counts calls, errors and latencies by method if it is asked to, with
//! [`method_metrics`](crate::WitServerBuilder::method_metrics). Every other call is timed. Its own process reads
//! them with [`ServerHandle::method_metrics`](crate::ServerHandle::method_metrics).
//!
//! # Which programs learn what
//!
//! Without a token the command sees what any process of the user sees: names of servers, their processes and
//! their totals. Names of services and methods, docs, and figures by method are for clients that a server lets
//! in. So a server with an [access token](super::security) tells them only to the command that has it:
//! `--token-file FILE`, with the token in hexadecimal. Command lines and environments can be read by others, so
//! no token is taken from there.
//!
//! # The same from a program
//!
//! With the feature `dynamic`, the module `witrpc::dynamic` has the `DynamicClient` that the command is made
//! of. It calls any service by the contract that the server sends, with values in JSON:
//!
//! ```
//! # #[cfg(feature = "dynamic")] {
//! use witrpc::dynamic::DynamicClient;
//!
//! fn call(server: &str) -> Result<serde_json::Value, Box<dyn std::error::Error>> {
//!     let client = DynamicClient::connect(server)?;
//!     println!("{}", client.describe("Calculator")?);
//!     let arguments = serde_json::json!({ "a": 7, "b": 2 });
//!     Ok(client.call("Calculator", "divide", &arguments)?)
//! }
//! # }
//! ```
//!
//! It works over every codec, since a contract has the shape of each type. A value that does not fit its shape
//! is an error that names the part, such as `order.lines[2].count`, and is not sent. Over JSON and MessagePack, a
//! field for which the server's type has a default may be left out.
