//! The picture as it grows, tile by tile.

use std::fs::File;
use std::io::BufWriter;
use std::ops::Range;
use std::path::Path;

use witrpc_examples::fractal::View;

use crate::renderer::Tile;

/// The side of a tile, in pixels; those at the right and at the bottom may be smaller.
const SIDE: u32 = 64;

/// Returns the pixels of a tile: its columns and its rows.
pub(crate) fn area(view: &View, tile: u32) -> (Range<u32>, Range<u32>) {
    let across = view.width.div_ceil(SIDE);
    let (left, top) = (tile % across * SIDE, tile / across * SIDE);
    (left..view.width.min(left + SIDE), top..view.height.min(top + SIDE))
}

/// A picture, possibly with missing tiles.
pub(crate) struct Picture {
    view: View,
    /// Red, green and blue of each pixel, row by row.
    pixels: Vec<u8>,
    missing: Vec<u32>,
}

impl Picture {
    pub(crate) fn new(view: View) -> Self {
        let tiles = view.width.div_ceil(SIDE) * view.height.div_ceil(SIDE);
        let pixels = vec![0; view.width as usize * view.height as usize * 3];
        Self { view, pixels, missing: (0..tiles).collect() }
    }

    pub(crate) fn view(&self) -> View {
        self.view
    }

    /// Returns the numbers of the missing tiles.
    pub(crate) fn missing(&self) -> &[u32] {
        &self.missing
    }

    /// Returns the number of pixel rows of all missing tiles together.
    pub(crate) fn missing_rows(&self) -> u64 {
        self.missing.iter().map(|tile| area(&self.view, *tile).1.len() as u64).sum()
    }

    /// Puts a tile in its place. Ignores a tile that is not missing, or not of its size: it comes
    /// from a process that may be out of order.
    pub(crate) fn put(&mut self, tile: &Tile) {
        let Some(place) = self.missing.iter().position(|missing| *missing == tile.number) else {
            return;
        };
        let (columns, rows) = area(&self.view, tile.number);
        let row_len = columns.len() * 3;
        if tile.pixels.len() != row_len * rows.len() {
            return;
        }
        for (row, pixels) in rows.zip(tile.pixels.chunks_exact(row_len)) {
            let start = (row as usize * self.view.width as usize + columns.start as usize) * 3;
            self.pixels[start..start + row_len].copy_from_slice(pixels);
        }
        self.missing.remove(place);
    }

    /// Writes the picture as a PNG.
    pub(crate) fn save(&self, path: &Path) -> Result<(), png::EncodingError> {
        let file = BufWriter::new(File::create(path)?);
        let mut encoder = png::Encoder::new(file, self.view.width, self.view.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.write_header()?.write_image_data(&self.pixels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tiles_that_are_missing_and_of_their_size_are_taken() {
        // There are two tiles across and two down. Those at the edges have 64 x 36, 36 x 64 and 36
        // x 36 pixels.
        let mut picture = Picture::new(View::of_seahorses(100, 100));
        assert_eq!((picture.missing(), picture.missing_rows()), (&[0, 1, 2, 3][..], 200));
        let tile = |number, pixels: usize| Tile { number, pixels: vec![9; pixels * 3] };
        for odd in [tile(4, 64 * 64), tile(u32::MAX, 1), tile(3, 64 * 64), tile(3, 0)] {
            picture.put(&odd);
            assert_eq!(picture.missing().len(), 4, "tile {} was taken", odd.number);
        }
        picture.put(&tile(3, 36 * 36));
        picture.put(&tile(3, 36 * 36));
        assert_eq!((picture.missing(), picture.missing_rows()), (&[0, 1, 2][..], 164));
        let painted = picture.pixels.chunks_exact(3).enumerate();
        let painted: Vec<_> =
            painted.filter(|(_, pixel)| *pixel == [9; 3]).map(|(at, _)| at).collect();
        let expected: Vec<_> =
            (64..100).flat_map(|row| (64..100).map(move |column| row * 100 + column)).collect();
        assert_eq!(painted, expected);
    }
}
