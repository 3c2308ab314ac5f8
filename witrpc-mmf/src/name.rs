//! The name of a server, and the rules that it must follow.

use std::fmt;

use witrpc_transport::ResourceError;

use crate::sys::resource::random_bytes;

/// A valid name of a server: 1 to [`Name::MAX_LEN`] bytes of UTF-8 without slashes or control
/// characters, not beginning with a dot.
///
/// ```
/// use witrpc_mmf::{Name, NameError};
///
/// assert_eq!(Name::new("calc")?.as_str(), "calc");
/// assert_eq!(Name::new("").unwrap_err(), NameError::Empty);
/// assert_ne!(Name::unguessable()?, Name::unguessable()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// The most bytes a name may have. With the longest directory of a user it fits into a
    /// socket's address, which has room for 107.
    pub const MAX_LEN: usize = 64;

    /// Checks a name.
    ///
    /// # Errors
    ///
    /// [`NameError`] says which rule it breaks.
    pub fn new(name: &str) -> Result<Self, NameError> {
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.len() > Self::MAX_LEN {
            return Err(NameError::TooLong { len: name.len(), max: Self::MAX_LEN });
        }
        if let Some(character) = name.chars().find(|c| *c == '/' || c.is_control()) {
            return Err(NameError::Character { name: name.into(), character });
        }
        if name.starts_with('.') {
            return Err(NameError::LeadingDot { name: name.into() });
        }
        if name == LOCKS {
            return Err(NameError::Reserved { name: name.into() });
        }
        Ok(Self(name.into()))
    }

    /// Creates a name of 128 random bits from the kernel. Another process can learn it only from a
    /// process that knows it, or by listing the directory of the same user.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Refused`]: the system gives this process no random bytes.
    pub fn unguessable() -> Result<Self, ResourceError> {
        Ok(Self(random_bytes::<16>()?.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    /// Returns the name as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which rule a name breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// It has no characters.
    #[error("a name must not be empty; choose one of 1 to {max} bytes, such as \"calc\"", max = Name::MAX_LEN)]
    Empty,
    /// It does not fit beside its directory into a socket's address.
    #[error("the name is {len} bytes long; shorten it to at most {max}")]
    TooLong {
        /// Its length in bytes.
        len: usize,
        /// The most bytes a name may have.
        max: usize,
    },
    /// It holds a slash, a NUL or another control character.
    #[error("the name {name:?} contains {character:?}; leave out slashes and control characters")]
    Character {
        /// The name.
        name: String,
        /// The first character at fault.
        character: char,
    },
    /// It starts with a dot, as files do that are about to become a name.
    #[error("the name {name:?} starts with a dot; begin it with another character")]
    LeadingDot {
        /// The name.
        name: String,
    },
    /// The directory of names uses it for itself.
    #[error("the name {name:?} is reserved; choose another")]
    Reserved {
        /// The name.
        name: String,
    },
}

/// The subdirectory of the lock files, beside the names.
pub const LOCKS: &str = "locks";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_is_named() {
        assert_eq!(Name::new(""), Err(NameError::Empty));
        assert_eq!(Name::new(&"x".repeat(65)), Err(NameError::TooLong { len: 65, max: 64 }));
        for (name, at_fault) in [("a/b", '/'), ("a\0b", '\0'), ("a\nb", '\n'), ("/", '/')] {
            let expected = NameError::Character { name: name.into(), character: at_fault };
            assert_eq!(Name::new(name), Err(expected));
        }
        for name in [".", "..", ".calc"] {
            assert_eq!(Name::new(name), Err(NameError::LeadingDot { name: name.into() }));
        }
        assert_eq!(Name::new("locks"), Err(NameError::Reserved { name: "locks".into() }));
    }

    #[test]
    fn the_longest_and_the_unusual_are_accepted() {
        for name in ["x", &"x".repeat(64), "mit Leerzeichen", "größe", "a.b", "-v"] {
            assert_eq!(Name::new(name).expect("breaks no rule").as_str(), name);
        }
    }

    #[test]
    fn unguessable_names_have_128_bits_and_break_no_rule() {
        let name = Name::unguessable().unwrap();
        assert_eq!(name.as_str().len() * 4, 128);
        assert!(name.as_str().bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(Name::new(name.as_str()), Ok(name));
    }
}
