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
            output::complain(output::RED, "error:", problem);
        }
        ExitCode::from(code)
    }

    /// Returns the failure of what follows a call that has run.
    pub fn after_a_run(self) -> Self {
        match self {
            Self::NotRun(problem) => {
                Self::MayHaveRun(format!("{problem}: the method ran, and its answer is lost"))
            }
            other => other,
        }
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
            error => Self::NotRun(said(&error)),
        }
    }
}

/// Returns an error with the option of this command that it is about: its own words are for programs.
pub fn said(error: &ConnectError) -> String {
    let option = match error {
        ConnectError::NobodyServes { .. } => {
            "`witrpc list` shows which servers run, and --dir DIR looks in another directory"
        }
        ConnectError::TokenRequired => "--token-file FILE",
        ConnectError::TokenUnexpected => "leave out --token-file",
        ConnectError::EncryptionRequired => "--encrypt",
        ConnectError::EncryptionUnavailable => "leave out --encrypt",
        ConnectError::HandshakeTimedOut { .. } | ConnectError::TimedOut { .. } => {
            "--timeout SECONDS"
        }
        _ => return error.to_string(),
    };
    format!("{error} (here: {option})")
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Unread,
            _ => Self::NotRun(format!("standard output: {error}")),
        }
    }
}
