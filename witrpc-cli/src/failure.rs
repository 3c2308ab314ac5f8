//! How the command ends when it does not do what was asked.

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

use serde_json::Value;
use witrpc::dynamic::DynamicError;
use witrpc::{CallError, ConnectError};

use crate::output;

/// The exit code for arguments that make no sense: `EX_USAGE` of `sysexits.h`.
pub const MISUSE: u8 = 64;

/// Why the command ends, by its exit code.
#[derive(Debug)]
pub enum Failure {
    /// The service's own error, or a difference that was looked for: 1.
    Own(String),
    /// Nothing was run: 2.
    NotRun(String),
    /// The method may have run: 3.
    MayHaveRun(String),
    /// The arguments make no sense: 64.
    Misuse(String),
    /// The reader of the output has gone, and wants no more: 0.
    Unread,
}

impl Failure {
    pub fn not_run(problem: impl Display) -> Self {
        Self::NotRun(problem.to_string())
    }

    pub fn misuse(problem: impl Display) -> Self {
        Self::Misuse(problem.to_string())
    }

    /// Writes the error to standard error, and returns the exit code.
    pub fn report(self) -> ExitCode {
        let (code, problem) = match self {
            Self::Own(problem) => (1, problem),
            Self::NotRun(problem) => (2, problem),
            Self::MayHaveRun(problem) => (3, problem),
            Self::Misuse(problem) => (MISUSE, problem),
            Self::Unread => return ExitCode::SUCCESS,
        };
        if !problem.is_empty() {
            let problem = output::printable(&problem);
            eprintln!("{} {problem}", output::on_stderr(output::RED, "error:"));
        }
        ExitCode::from(code)
    }
}

impl From<DynamicError> for Failure {
    fn from(error: DynamicError) -> Self {
        match error {
            DynamicError::Call(CallError::App(own)) => Self::Own(shown(&own)),
            DynamicError::Misfit(misfit) => Self::Misuse(misfit.to_string()),
            DynamicError::UnknownService { .. }
            | DynamicError::Unknown { .. }
            | DynamicError::Streams { .. } => Self::Misuse(error.to_string()),
            error if error.maybe_executed() => Self::MayHaveRun(error.to_string()),
            error => Self::NotRun(error.to_string()),
        }
    }
}

/// Returns an error of the service: a text as it is, anything else as JSON.
fn shown(own: &Value) -> String {
    own.as_str().map_or_else(|| own.to_string(), str::to_owned)
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::InvalidName { .. } => Self::Misuse(error.to_string()),
            ConnectError::TokenRequired => {
                Self::NotRun(format!("{error} (here: --token-file FILE)"))
            }
            error => Self::NotRun(error.to_string()),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Unread,
            _ => Self::NotRun(format!("standard output: {error}")),
        }
    }
}
