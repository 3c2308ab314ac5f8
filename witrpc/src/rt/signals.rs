//! The signal mask of processes that are started on the library's threads.

use std::process::Command;

/// Starts a command with the signal mask of the program, even if a handler starts it.
///
/// The threads of this crate block SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGCHLD, SIGALRM and
/// SIGWINCH, so that no signal of the program is lost to them. A process inherits the mask of the thread that
/// starts it. So a process that a handler, a hook or a subscriber starts would ignore those signals, and Ctrl-C
/// with them. This function gives it the mask that the program had when it started the server or made the
/// client. On a thread that does not belong to this crate it changes nothing.
///
/// A [`Worker`](crate::Worker) needs no such call. A *thread* that a handler starts inherits the
/// mask too.
///
/// # Examples
///
/// ```
/// use std::process::Command;
/// use witrpc::{restore_signal_mask, wit_service};
///
/// #[wit_service]
/// pub trait Shell {
///     fn run(&self, program: &str) -> Result<bool, String>;
/// }
///
/// struct Local;
///
/// impl Shell for Local {
///     fn run(&self, program: &str) -> Result<bool, String> {
///         let mut command = Command::new(program);
///         let status = restore_signal_mask(&mut command).status();
///         status.map(|status| status.success()).map_err(|error| error.to_string())
///     }
/// }
///
/// let shell = ShellClient::in_process(Local);
/// assert_eq!(shell.run("true"), Ok(true));
/// ```
pub fn restore_signal_mask(command: &mut Command) -> &mut Command {
    restore_elsewhere(command);
    command
}

/// Does the same, and returns whether this is a thread of the library.
pub fn restore_elsewhere(command: &mut Command) -> bool {
    let mask = witrpc_rt::programs_mask_elsewhere();
    mask.inspect(|mask| mask.inherited_by(command)).is_some()
}
