//! The options of the user.

use std::path::PathBuf;
use std::str::FromStr;

use lexopt::{Arg, Parser, ValueExt};
use serde::{Deserialize, Serialize};

use crate::filter::Filter;

pub(crate) const HELP: &str = "\
Draws moving pictures, filters them in a worker process without copying them, and writes PNG files.

Usage: frames [OPTIONS]

  --size WxH     pixels of a frame, 16x16 to 7680x4320 [640x360]
  --frames N     how many frames; 0: until Ctrl-C [240]
  --fps N        how many a second; 0: as many as it can [60]
  --filter NAME  edges, blur or poster [edges]
  --every N      write every Nth frame; 0: none [10]
  --out DIR      where to, made if it is not there [witrpc-frames in the temporary directory]
  -h, --help     this text

Ctrl-C ends it after the frame at hand, and pressed again at once.";

/// The options of the user.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) size: Size,
    /// `None`: until Ctrl-C.
    pub(crate) frames: Option<u64>,
    /// Frames a second; `None`: as many as possible.
    pub(crate) fps: Option<u32>,
    pub(crate) filter: Filter,
    /// Every n-th frame is written to a file; `None`: no frame is.
    pub(crate) every: Option<u64>,
    pub(crate) out: PathBuf,
}

impl Options {
    /// Returns the options of this process; `None` if the user asked only for help.
    pub(crate) fn of_this_process() -> Result<Option<Self>, lexopt::Error> {
        Self::parse(Parser::from_env())
    }

    fn parse(mut arguments: Parser) -> Result<Option<Self>, lexopt::Error> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Short('h') | Arg::Long("help") => return Ok(None),
                Arg::Long(name) => {
                    let name = name.to_owned();
                    let set = options.set(&name, &mut arguments);
                    set.map_err(|error| format!("--{name}: {error}"))?;
                }
                _ => return Err(argument.unexpected()),
            }
        }
        Ok(Some(options))
    }

    fn set(&mut self, name: &str, arguments: &mut Parser) -> Result<(), lexopt::Error> {
        match name {
            "size" => self.size = arguments.value()?.parse()?,
            "frames" => {
                self.frames = Some(arguments.value()?.parse()?).filter(|frames| *frames > 0)
            }
            "fps" => self.fps = Some(arguments.value()?.parse()?).filter(|fps| *fps > 0),
            "filter" => self.filter = arguments.value()?.parse()?,
            "every" => self.every = Some(arguments.value()?.parse()?).filter(|every| *every > 0),
            "out" => self.out = arguments.value()?.into(),
            _ => return Err("there is no such option; --help lists them".into()),
        }
        Ok(())
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            size: Size { width: 640, height: 360 },
            frames: Some(240),
            fps: Some(60),
            filter: Filter::Edges,
            every: Some(10),
            out: std::env::temp_dir().join("witrpc-frames"),
        }
    }
}

/// Width and height, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Size {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Size {
    /// Returns the length of a row in bytes, at three bytes a pixel.
    pub(crate) fn row_bytes(self) -> usize {
        3 * self.width as usize
    }

    /// Returns the length of a frame in bytes.
    pub(crate) fn bytes(self) -> usize {
        self.row_bytes() * self.height as usize
    }

    /// Returns the memory that the connection needs, both directions together. Each direction has
    /// room for four frames, of which one is drawn, one waits and one is filtered, and for messages
    /// beside them.
    pub(crate) fn memory(self) -> usize {
        2 * (4 * self.bytes() + (1 << 20))
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let size = text.split_once('x').and_then(|(width, height)| {
            Some(Self { width: width.parse().ok()?, height: height.parse().ok()? })
        });
        size.filter(|size| (16..=7680).contains(&size.width) && (16..=4320).contains(&size.height))
            .ok_or_else(|| "a size is WIDTHxHEIGHT, from 16x16 to 7680x4320".to_owned())
    }
}
