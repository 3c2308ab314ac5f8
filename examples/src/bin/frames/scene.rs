//! The scene: discs that swing over a sky.

use crate::options::Size;

/// The number of discs.
const DISCS: u32 = 7;

/// Draws a frame, over its old contents.
pub(crate) fn draw(number: u64, size: Size, frame: &mut [u8]) {
    // Starts anew after an hour at 60 a second.
    let time = (number % 216_000) as f32 / 60.0;
    let rows = frame.chunks_exact_mut(size.row_bytes());
    for (y, row) in rows.enumerate() {
        let shade = (y * 160 / size.height as usize) as u8;
        for pixel in row.chunks_exact_mut(3) {
            pixel.copy_from_slice(&[shade / 2, shade, 200 - shade]);
        }
    }
    for disc in 0..DISCS {
        Disc::new(disc, time, size).draw(size, frame);
    }
}

/// The place of a disc, in pixels.
struct Disc {
    x: f32,
    y: f32,
    radius: f32,
    colour: [u8; 3],
}

impl Disc {
    fn new(number: u32, time: f32, size: Size) -> Self {
        let (width, height) = (size.width as f32, size.height as f32);
        let n = number as f32;
        let swing = |speed: f32| 0.5 + 0.4 * (time * speed + n).sin();
        let light = |shift: f32| (155.0 + 100.0 * (2.4 * n + shift).sin()) as u8;
        Self {
            x: width * swing(0.7 + 0.13 * n),
            y: height * swing(0.5 + 0.19 * n),
            radius: height * (0.05 + 0.015 * n),
            colour: [light(0.0), light(2.0), light(4.0)],
        }
    }

    fn draw(&self, size: Size, frame: &mut [u8]) {
        let top = (self.y - self.radius).max(0.0) as usize;
        let bottom = (self.y + self.radius).min(size.height as f32) as usize;
        let rows = frame.chunks_exact_mut(size.row_bytes()).enumerate();
        for (y, row) in rows.take(bottom).skip(top) {
            let down = y as f32 - self.y;
            let half = (self.radius * self.radius - down * down).max(0.0).sqrt();
            let left = (self.x - half).max(0.0) as usize;
            let right = ((self.x + half) as usize).min(size.width as usize);
            for pixel in row[3 * left.min(right)..3 * right].chunks_exact_mut(3) {
                pixel.copy_from_slice(&self.colour);
            }
        }
    }
}
