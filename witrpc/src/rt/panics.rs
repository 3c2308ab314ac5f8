//! Panics of user code, caught and turned into messages.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::{mem, panic};

/// Runs user code, and turns its panic into a message.
///
/// The state that a panic leaves half changed is the user's responsibility, as with a poisoned `Mutex`. A
/// service is shared between threads anyway, and it would be worse if a server ended over one bad call.
pub fn catch<R>(run: impl FnOnce() -> R) -> Result<R, String> {
    panic::catch_unwind(AssertUnwindSafe(run)).map_err(message)
}

fn message(payload: Box<dyn Any + Send>) -> String {
    let message = match payload.downcast_ref::<&'static str>() {
        Some(text) => (*text).to_owned(),
        None => match payload.downcast_ref::<String>() {
            Some(text) => text.clone(),
            None => "the panic carries no text".to_owned(),
        },
    };
    // The payload is the user's too: its drop may panic.
    if let Err(second) = panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(second);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_survives() {
        assert_eq!(catch(|| 1), Ok(1));
        assert_eq!(catch(|| panic!("plain")), Err::<(), _>("plain".to_owned()));
        let number = 7;
        assert_eq!(catch(|| panic!("with {number}")), Err::<(), _>("with 7".to_owned()));
    }

    #[test]
    fn a_payload_that_panics_when_it_is_dropped_is_caught_too() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("again");
            }
        }
        let caught = catch(|| panic::panic_any(Bomb));
        assert_eq!(caught, Err::<(), _>("the panic carries no text".to_owned()));
    }
}
