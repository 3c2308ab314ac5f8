//! The way from a whole value to one of its parts, as errors name it.

use std::fmt;

use crate::codec::fault::MAX_DEPTH;
use crate::contract::text::Shown;

/// A place within a value: `order.lines[2].count`. Each step lives on the stack of the function that
/// takes it, so a value without a fault allocates nothing for it.
#[derive(Clone, Copy)]
pub struct Path<'p> {
    outer: Option<&'p Path<'p>>,
    step: PathStep<'p>,
    depth: u32,
}

#[derive(Clone, Copy)]
enum PathStep<'p> {
    Named(&'p str),
    Numbered(usize),
    /// A value within another that takes no notation, such as that in a newtype.
    Within,
}

/// A value that does not fit the contract: at which place, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` {problem}")]
pub struct Misfit {
    /// The place: `order.lines[2].count`.
    pub path: String,
    /// What is wrong there: ``is 300, which u8 does not hold``.
    pub problem: String,
}

impl<'p> Path<'p> {
    /// Returns the place of a whole value.
    pub fn of(name: &'p str) -> Self {
        Self { outer: None, step: PathStep::Named(name), depth: 0 }
    }

    /// Goes to a field or variant.
    ///
    /// # Errors
    ///
    /// The value is nested too deeply; so also for the steps below.
    pub fn named<'q>(&'q self, name: &'q str) -> Result<Path<'q>, Misfit> {
        self.deeper(PathStep::Named(name))
    }

    /// Goes to an element.
    pub fn numbered(&self, number: usize) -> Result<Path<'_>, Misfit> {
        self.deeper(PathStep::Numbered(number))
    }

    /// Goes to the only part of a value.
    pub fn within(&self) -> Result<Path<'_>, Misfit> {
        self.deeper(PathStep::Within)
    }

    fn deeper<'q>(&'q self, step: PathStep<'q>) -> Result<Path<'q>, Misfit> {
        // A shape that a peer sent may contain itself without any content.
        if self.depth == MAX_DEPTH {
            return Err(self.misfit(format!("is nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(Path { outer: Some(self), step, depth: self.depth + 1 })
    }

    #[cold]
    pub fn misfit(&self, problem: impl Into<String>) -> Misfit {
        Misfit { path: self.to_string(), problem: problem.into() }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(outer) = self.outer {
            outer.fmt(f)?;
        }
        match self.step {
            PathStep::Named(name) if self.outer.is_none() => Shown(name).fmt(f),
            PathStep::Named(name) => write!(f, ".{}", Shown(name)),
            PathStep::Numbered(number) => write!(f, "[{number}]"),
            PathStep::Within => Ok(()),
        }
    }
}
