//! How a program ends.

use std::error::Error;
use std::process::ExitCode;

/// The exit code of a program. What went wrong is written to standard error, behind its name.
pub fn exit_code(program: &str, outcome: Result<(), Box<dyn Error>>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{program}: {error}");
            ExitCode::FAILURE
        }
    }
}
