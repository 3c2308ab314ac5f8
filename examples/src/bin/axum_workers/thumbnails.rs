//! The service of the workers: it decodes files that may be anything.

use std::io::Cursor;
use std::ops::Range;

use png::{BitDepth, ColorType, Decoder, DecodingError, Encoder, Limits, Transformations};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use witrpc::{CallContext, ServeError, wit_service, worker};

/// The most memory that the pixels of a file may take: a short file can be of a huge picture.
const MOST_BYTES: usize = 256 << 20;

/// The shared memory of a worker, so that usual files cross in one piece.
const SHARED: usize = 16 << 20;

/// Makes thumbnails.
#[wit_service]
pub(crate) trait Thumbnails {
    /// Returns a PNG file of the same picture, at most `width` pixels wide.
    fn shrink(
        &self,
        file: &[u8],
        width: u32,
        #[wit(ctx)] cx: &CallContext,
    ) -> Result<Vec<u8>, PictureError>;
}

/// The reason why a file has no thumbnail.
#[derive(Debug, Error, PartialEq, Serialize, Deserialize)]
pub(crate) enum PictureError {
    #[error("the file cannot be decoded: {0}")]
    Undecodable(String),
    #[error("the picture takes more than {MOST_BYTES} bytes")]
    TooLarge,
}

impl From<DecodingError> for PictureError {
    fn from(error: DecodingError) -> Self {
        match error {
            DecodingError::LimitsExceeded => Self::TooLarge,
            error => Self::Undecodable(error.to_string()),
        }
    }
}

/// Serves the process that has started this one.
pub(crate) fn serve() -> Result<(), ServeError> {
    worker::serve_with(|server, place| {
        server.listen(place.size(SHARED)).service(ThumbnailsServer::new(Shrinker))
    })
}

struct Shrinker;

impl Thumbnails for Shrinker {
    fn shrink(&self, file: &[u8], width: u32, cx: &CallContext) -> Result<Vec<u8>, PictureError> {
        let thumbnail = Picture::decode(file)?.shrunk_to(width.max(1) as usize, cx);
        // Without a thumbnail the caller has gone, and the answer reaches no reader.
        Ok(thumbnail.map_or_else(Vec::new, |thumbnail| thumbnail.encode()))
    }
}

/// Pixels of eight bits a sample, row by row.
struct Picture {
    width: usize,
    height: usize,
    color: ColorType,
    samples: Vec<u8>,
}

impl Picture {
    fn decode(file: &[u8]) -> Result<Self, PictureError> {
        let limits = Limits { bytes: MOST_BYTES };
        let mut decoder = Decoder::new_with_limits(Cursor::new(file), limits);
        decoder.set_transformations(Transformations::normalize_to_color8());
        let mut reader = decoder.read_info()?;
        let len = reader.output_buffer_size().filter(|len| *len <= MOST_BYTES);
        let mut samples = vec![0; len.ok_or(PictureError::TooLarge)?];
        let frame = reader.next_frame(&mut samples)?;
        let (width, height) = (frame.width as usize, frame.height as usize);
        Ok(Self { width, height, color: frame.color_type, samples })
    }

    /// Returns the picture at this width, or as it is if it is no wider; `None` if the caller does not wait
    /// any more. Each sample is the mean of those that it replaces.
    fn shrunk_to(self, width: usize, cx: &CallContext) -> Option<Self> {
        if width >= self.width {
            return Some(self);
        }
        let height = (self.height * width / self.width).max(1);
        let mut samples = Vec::with_capacity(width * height * self.color.samples());
        for row in 0..height {
            if cx.cancelled() {
                return None;
            }
            let rows = row * self.height / height..(row + 1) * self.height / height;
            for column in 0..width {
                let columns = column * self.width / width..(column + 1) * self.width / width;
                samples.extend(self.means(rows.clone(), columns));
            }
        }
        Some(Self { width, height, samples, ..self })
    }

    /// Returns the mean of each sample over a part of the picture that is not empty.
    fn means(&self, rows: Range<usize>, columns: Range<usize>) -> impl Iterator<Item = u8> {
        let count = (rows.len() * columns.len()) as u64;
        (0..self.color.samples()).map(move |sample| {
            let samples = rows.clone().flat_map(|y| columns.clone().map(move |x| (x, y)));
            let sum: u64 = samples.map(|(x, y)| u64::from(self.sample(x, y, sample))).sum();
            (sum / count) as u8
        })
    }

    fn sample(&self, x: usize, y: usize, sample: usize) -> u8 {
        self.samples[(y * self.width + x) * self.color.samples() + sample]
    }

    fn encode(&self) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, self.width as u32, self.height as u32);
        encoder.set_color(self.color);
        encoder.set_depth(BitDepth::Eight);
        let mut writer = encoder.write_header().expect("memory takes what is written");
        writer.write_image_data(&self.samples).expect("all rows are there");
        drop(writer);
        file
    }
}
