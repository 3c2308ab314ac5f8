//! The motif: the edge of the Mandelbrot set.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

/// A rectangle of the plane, and the pixels that show it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// The point in the middle.
    pub centre: (f64, f64),
    /// The part of the plane that the width shows.
    pub span: f64,
}

/// The place of the spirals.
const SEAHORSES: (f64, f64) = (-0.743_46, 0.131_42);

impl View {
    /// Returns a view of a valley of spirals.
    pub fn of_seahorses(width: u32, height: u32) -> Self {
        Self { width, height, centre: SEAHORSES, span: 0.004 }
    }

    /// Returns the colour of a pixel: the mean of four points in it.
    pub fn colour(&self, x: u32, y: u32) -> [u8; 3] {
        let step = self.span / f64::from(self.width);
        let mut sum = [0.0; 3];
        for (dx, dy) in [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)] {
            let right = f64::from(x) + dx - f64::from(self.width) / 2.0;
            let down = f64::from(y) + dy - f64::from(self.height) / 2.0;
            let point = (self.centre.0 + right * step, self.centre.1 - down * step);
            let shade = palette(time_of_escape(point));
            sum = std::array::from_fn(|part| sum[part] + shade[part] / 4.0);
        }
        sum.map(|part| (part * 255.0) as u8)
    }
}

/// Returns the number of turns, in fractions, after which a point has left for good; `None` if it
/// seems to stay.
fn time_of_escape((a, b): (f64, f64)) -> Option<f64> {
    const TURNS: u32 = 2000;
    // Far out, so that the fraction is smooth.
    const FAR: f64 = 256.0;
    let (mut x, mut y) = (0.0_f64, 0.0_f64);
    for turn in 0..TURNS {
        let (xx, yy) = (x * x, y * y);
        if xx + yy > FAR * FAR {
            let beyond = ((xx + yy).ln() / 2.0 / FAR.ln()).log2();
            return Some(f64::from(turn) - beyond);
        }
        y = 2.0 * x * y + b;
        x = xx - yy + a;
    }
    None
}

/// Returns red, green and blue from 0 to 1: waves that drift apart.
fn palette(time: Option<f64>) -> [f64; 3] {
    let Some(time) = time else { return [0.0; 3] };
    let phase = time.max(0.0).sqrt() * 0.45;
    [0.0, 0.12, 0.24].map(|shift| 0.5 - 0.5 * (TAU * (phase * 0.35 + shift)).cos())
}
