//! How a program ends.

use std::error::Error;
use std::process::ExitCode;

/// Returns the exit code of a program. Writes an error to standard error, behind the program's
/// name.
pub fn exit_code(program: &str, outcome: Result<(), Box<dyn Error>>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{program}: {error}");
            ExitCode::FAILURE
        }
    }
}
