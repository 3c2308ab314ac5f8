//! The user's order.

use std::error::Error;
use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt};
use witrpc_examples::fractal::View;

pub(crate) const HELP: &str = "\
Renders the edge of the Mandelbrot set into a PNG, tile by tile, in a worker process.

usage: render_worker OUT.png [--size WIDTHxHEIGHT] [--crash]

  OUT.png              where the picture goes
  --size WIDTHxHEIGHT  its size in pixels, 1 to 8192 each way; 1280x800 unless given
  --crash              kills the worker when half of the tiles are there; the picture is
                       finished all the same, by the next worker
  --help               prints this

Ctrl-C ends the work of both processes; nothing is written then.";

#[derive(Debug)]
pub(crate) enum Order {
    Help,
    Picture { path: PathBuf, view: View, crash: bool },
}

impl Order {
    /// Reads the arguments of this process.
    pub(crate) fn of(mut arguments: Parser) -> Result<Self, Box<dyn Error>> {
        let (mut path, mut size, mut crash) = (None, (1280, 800), false);
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("help") | Arg::Short('h') => return Ok(Self::Help),
                Arg::Long("crash") => crash = true,
                Arg::Long("size") => size = arguments.value()?.parse_with(sides)?,
                Arg::Value(value) if path.is_none() => path = Some(PathBuf::from(value)),
                unexpected => return Err(unexpected.unexpected().into()),
            }
        }
        let path = path.ok_or("where is the picture to go? usage: render_worker OUT.png")?;
        Ok(Self::Picture { path, view: View::of_seahorses(size.0, size.1), crash })
    }
}

fn sides(text: &str) -> Result<(u32, u32), &'static str> {
    let side = |text: &str| text.parse().ok().filter(|side| (1..=8192).contains(side));
    let sides = text.split_once('x').and_then(|(width, height)| side(width).zip(side(height)));
    sides.ok_or("a size is two numbers from 1 to 8192 around an x, such as 640x400")
}
