//! What can go wrong, by what the user was doing: binding, connecting, calling.

mod bind;
mod call;
mod connect;
mod remedy;

pub use bind::BindError;
pub use call::{CallError, Direction, NoAppError};
pub use connect::ConnectError;

/// Checks that an error reads as a sentence that goes on after what has happened: with a colon, or
/// a semicolon, and what to do.
#[cfg(test)]
fn assert_is_sentence(words: &str) {
    let flaws = ["  ", "\n", "{", "}"];
    assert!(flaws.iter().all(|flaw| !words.contains(flaw)), "{words}");
    assert!(words.contains([':', ';']), "says what to do: {words}");
    assert!(!words.ends_with(['.', ':', ';', ' ']), "{words}");
    assert!(words.len() > 40, "{words}");
}
