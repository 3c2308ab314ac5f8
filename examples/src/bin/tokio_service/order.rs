//! The user's order.

use std::error::Error;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};

pub(crate) const HELP: &str = "\
Notes that the scripts and programs of one user leave for each other, for a while or for good.

usage: tokio_service NAME serve
       tokio_service NAME put KEY TEXT [SECONDS]
       tokio_service NAME get KEY
       tokio_service NAME wait KEY
       tokio_service NAME gone KEY

  NAME    under which name the notes are kept
  serve   keeps them, until Ctrl-C
  put     leaves a note, which stays, or goes after SECONDS
  get     prints a note; it is an error if there is none
  wait    prints it as soon as there is one
  gone    returns as soon as there is none
  --help  prints this";

const USAGE: &str = "usage: tokio_service NAME serve | put KEY TEXT [SECONDS] | get KEY | wait KEY \
                     | gone KEY";

#[derive(Debug)]
pub(crate) enum Order {
    Help,
    Serve { name: String },
    Ask { name: String, question: Question },
}

#[derive(Debug)]
pub(crate) enum Question {
    Put { key: String, text: String, keep: Option<Duration> },
    Get { key: String },
    Wait { key: String },
    Gone { key: String },
}

impl Order {
    /// Reads the arguments of this process.
    pub(crate) fn of(mut arguments: Parser) -> Result<Self, Box<dyn Error>> {
        let mut words = Vec::new();
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("help") | Arg::Short('h') => return Ok(Self::Help),
                Arg::Value(word) => {
                    words.push(word.string()?);
                    // A note may begin with a dash.
                    if words.get(1).is_some_and(|command| command == "put") {
                        let rest = arguments.raw_args()?;
                        words
                            .extend(rest.map(|word| word.string()).collect::<Result<Vec<_>, _>>()?);
                    }
                }
                unexpected => return Err(unexpected.unexpected().into()),
            }
        }
        let mut words = words.into_iter();
        let (name, command) = words.next().zip(words.next()).ok_or(USAGE)?;
        let words: Vec<String> = words.collect();
        if command == "serve" && words.is_empty() {
            return Ok(Self::Serve { name });
        }
        Ok(Self::Ask { name, question: Question::of(&command, words)? })
    }
}

impl Question {
    fn of(command: &str, words: Vec<String>) -> Result<Self, Box<dyn Error>> {
        let mut words = words.into_iter();
        let mut word = || words.next().ok_or(USAGE);
        let question = match command {
            "put" => {
                let (key, text) = (word()?, word()?);
                Self::Put { key, text, keep: word().ok().map(|word| seconds(&word)).transpose()? }
            }
            "get" => Self::Get { key: word()? },
            "wait" => Self::Wait { key: word()? },
            "gone" => Self::Gone { key: word()? },
            _ => return Err(USAGE.into()),
        };
        if words.next().is_some() { Err(USAGE.into()) } else { Ok(question) }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| format!("{text:?} is not a time: SECONDS is a number, zero or more"))
}
