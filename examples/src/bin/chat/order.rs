//! The user's order.

use std::error::Error;

use lexopt::{Arg, Parser, ValueExt};

pub(crate) const HELP: &str = "\
Talks to the other guests of a room, a terminal a guest.

usage: chat --serve [ROOM]
       chat NAME [ROOM]

  --serve  opens a room, until Ctrl-C
  NAME     your name: 1 to 32 letters, digits or -
  ROOM     which room it is; lobby unless given
  --help   prints this

Each line that you write goes to all. Ctrl-D or Ctrl-C leaves.";

#[derive(Debug)]
pub(crate) enum Order {
    Help,
    Serve { room: String },
    Visit { room: String, name: String },
}

impl Order {
    /// Reads the arguments of this process.
    pub(crate) fn of(mut arguments: Parser) -> Result<Self, Box<dyn Error>> {
        let (mut serves, mut words) = (false, Vec::new());
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("help") | Arg::Short('h') => return Ok(Self::Help),
                Arg::Long("serve") => serves = true,
                Arg::Value(value) if words.len() < 2 => words.push(value.string()?),
                unexpected => return Err(unexpected.unexpected().into()),
            }
        }
        let mut words = words.into_iter();
        let name = if serves { None } else { words.next() };
        let room = words.next().unwrap_or_else(|| "lobby".to_owned());
        match (name, words.next()) {
            (Some(name), None) => Ok(Self::Visit { room, name }),
            (None, None) if serves => Ok(Self::Serve { room }),
            _ => Err("the name is missing: usage: chat NAME [ROOM], or chat --serve [ROOM]".into()),
        }
    }
}
