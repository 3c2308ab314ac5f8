//! What is written, and how: colours only on a terminal, and tables that fit it.

use std::env;
use std::fmt::Display;
use std::io::{IsTerminal, Write, stderr, stdout};
use std::os::fd::AsFd;

use comfy_table::{ContentArrangement, Table, presets};
use rustix::termios::tcgetwinsize;

use crate::failure::Failure;

pub const RED: &str = "31";
pub const GREEN: &str = "32";
pub const YELLOW: &str = "33";
pub const DIM: &str = "2";
pub const BOLD: &str = "1";

/// Writes text to standard output.
///
/// # Errors
///
/// [`Failure::Unread`] once its reader has gone.
pub fn write(text: &str) -> Result<(), Failure> {
    let mut out = stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Writes a line to standard output.
///
/// # Errors
///
/// As [`write()`].
pub fn line(text: impl Display) -> Result<(), Failure> {
    write(&format!("{text}\n"))
}

/// Returns what a server has sent as text that a terminal only shows: control characters are escaped.
pub fn printable(text: &str) -> String {
    let shown = text.chars().map(|character| match character {
        '\n' | '\t' => character.to_string(),
        character if character.is_control() => character.escape_unicode().to_string(),
        character => character.to_string(),
    });
    shown.collect()
}

/// Returns the text for standard output, in a colour if that is a terminal.
pub fn on_stdout(colour: &str, text: impl Display) -> String {
    coloured(stdout().is_terminal(), colour, text)
}

/// Returns the text for standard error, in a colour if that is a terminal.
pub fn on_stderr(colour: &str, text: impl Display) -> String {
    coloured(stderr().is_terminal(), colour, text)
}

fn coloured(is_terminal: bool, colour: &str, text: impl Display) -> String {
    let is_wanted = env::var_os("NO_COLOR").is_none_or(|set| set.is_empty()) && is_able();
    if is_terminal && is_wanted { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_string() }
}

/// Returns whether a terminal, if there is one, knows colours and moves its cursor.
pub fn is_able() -> bool {
    env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Returns how wide the terminal is; `None` if that is none.
fn width(terminal: &(impl IsTerminal + AsFd)) -> Option<u16> {
    let size = terminal.is_terminal().then(|| tcgetwinsize(terminal).ok()).flatten()?;
    (size.ws_col > 0).then_some(size.ws_col)
}

/// Returns how many lines the terminal has; `None` if standard output is none.
pub fn height() -> Option<usize> {
    let stdout = stdout();
    let size = stdout.is_terminal().then(|| tcgetwinsize(&stdout).ok()).flatten()?;
    (size.ws_row > 0).then_some(usize::from(size.ws_row))
}

/// Returns how wide the terminal of standard error is; `None` if that is none.
pub fn stderr_width() -> Option<u16> {
    width(&stderr())
}

/// Returns the text up to that width, so that it stays one line.
pub fn cut(text: &str, width: Option<u16>) -> String {
    // The last column makes some terminals begin a new line.
    text.chars()
        .take(width.map_or(usize::MAX, |width| usize::from(width).saturating_sub(1)))
        .collect()
}

/// Writes a warning to standard error.
pub fn warn(problem: impl Display) {
    complain(YELLOW, "warning:", problem);
}

/// Writes a problem to standard error, after a coloured word. A reader that has gone is no further problem.
pub fn complain(colour: &str, word: &str, problem: impl Display) {
    let problem = printable(&problem.to_string());
    let _ = writeln!(stderr(), "{} {problem}", on_stderr(colour, word));
}

/// Clears the terminal, where standard output is one.
///
/// # Errors
///
/// As [`write()`].
pub fn clear() -> Result<(), Failure> {
    if stdout().is_terminal() && is_able() { write("\x1b[H\x1b[2J") } else { Ok(()) }
}

/// Returns a table with these headings. On a terminal it wraps what is too wide.
pub fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(headings.iter().copied());
    if let Some(width) = width(&stdout()) {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    table
}

/// Writes a table, without the blanks at the ends of its lines.
///
/// # Errors
///
/// As [`write()`].
pub fn write_table(table: &Table) -> Result<(), Failure> {
    let mut text = String::new();
    for (number, row) in table.lines().enumerate() {
        let row = row.strip_prefix(' ').unwrap_or(&row).trim_end().to_owned();
        text += &if number == 0 { on_stdout(BOLD, row) } else { row };
        text.push('\n');
    }
    write(&text)
}
