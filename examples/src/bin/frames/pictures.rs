//! Pictures on disk.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use png::{BitDepth, ColorType, Encoder};
use witrpc::Shared;

use crate::options::Size;

/// A directory for pictures.
pub(crate) struct Album {
    dir: PathBuf,
    pub(crate) written: u64,
}

impl Album {
    pub(crate) fn open(dir: &Path) -> Result<Self, Box<dyn Error>> {
        fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        Ok(Self { dir: dir.to_owned(), written: 0 })
    }

    /// Writes a picture as `frame-NUMBER.png`; replaces an existing file.
    pub(crate) fn add(
        &mut self,
        number: u64,
        picture: &Shared<[u8]>,
        size: Size,
    ) -> Result<(), Box<dyn Error>> {
        let path = self.dir.join(format!("frame-{number:05}.png"));
        write(&path, picture, size).map_err(|error| format!("{}: {error}", path.display()))?;
        self.written += 1;
        Ok(())
    }
}

fn write(path: &Path, picture: &Shared<[u8]>, size: Size) -> Result<(), Box<dyn Error>> {
    let mut encoder = Encoder::new(BufWriter::new(File::create(path)?), size.width, size.height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    let mut file = encoder.write_header()?;
    let mut pixels = file.stream_writer()?;
    let mut rows = picture.chunks(size.row_bytes());
    while let Some(row) = rows.next() {
        pixels.write_all(row)?;
    }
    pixels.finish()?;
    Ok(file.finish()?)
}
