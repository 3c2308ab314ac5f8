//! The filters of a frame.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use witrpc::Shared;

use crate::options::Size;

/// A filter of a row, which reads that row and the rows above and below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Filter {
    /// White where the brightness changes.
    Edges,
    /// The mean of nine pixels.
    Blur,
    /// Few colours.
    Poster,
}

impl Filter {
    /// Filters a frame into a picture of the same size.
    ///
    /// The drawer could still write to the frame's memory, so this reads the frame in copies. It
    /// copies each row once; the row stays in the processor's cache until it is no longer needed.
    pub(crate) fn apply(self, frame: &Shared<[u8]>, size: Size, picture: &mut [u8]) {
        let row_bytes = size.row_bytes();
        let [mut above, mut here, mut below] = [0; 3].map(|_| vec![0; row_bytes]);
        frame.copy_range_to(0, &mut here);
        above.copy_from_slice(&here);
        for (y, out) in (1..).zip(picture.chunks_exact_mut(row_bytes)) {
            if y * row_bytes < frame.len() {
                frame.copy_range_to(y * row_bytes, &mut below);
            } else {
                below.copy_from_slice(&here);
            }
            let rows = [&above[..], &here, &below];
            match self {
                Self::Edges => edges(rows, out),
                Self::Blur => blur(rows, out),
                Self::Poster => poster(&here, out),
            }
            std::mem::swap(&mut above, &mut here);
            std::mem::swap(&mut here, &mut below);
        }
    }
}

/// Writes the sums of the differences of brightness, sideways and downwards.
fn edges(rows: [&[u8]; 3], out: &mut [u8]) {
    let brightness = |row: &[u8], x: usize| {
        let at = 3 * x.min(row.len() / 3 - 1);
        i32::from(row[at]) + 2 * i32::from(row[at + 1]) + i32::from(row[at + 2])
    };
    for (x, pixel) in out.chunks_exact_mut(3).enumerate() {
        let columns = [x.saturating_sub(1), x, x + 1];
        let [above, _, below] = rows.map(|row| columns.map(|x| brightness(row, x)));
        let middle = columns.map(|x| brightness(rows[1], x));
        let down = (below[0] + 2 * below[1] + below[2]) - (above[0] + 2 * above[1] + above[2]);
        let across = (above[2] + 2 * middle[2] + below[2]) - (above[0] + 2 * middle[0] + below[0]);
        let edge = (down.unsigned_abs() + across.unsigned_abs()) / 8;
        pixel.fill(u8::try_from(edge).unwrap_or(u8::MAX));
    }
}

fn blur(rows: [&[u8]; 3], out: &mut [u8]) {
    let last = out.len() - 3;
    for (at, byte) in out.iter_mut().enumerate() {
        // The same colour of the pixels to the left and to the right.
        let columns = [if at < 3 { at } else { at - 3 }, at, if at < last { at + 3 } else { at }];
        let sum: u32 = rows.iter().flat_map(|row| columns.map(|at| u32::from(row[at]))).sum();
        *byte = (sum / 9) as u8;
    }
}

fn poster(row: &[u8], out: &mut [u8]) {
    for (byte, out) in row.iter().zip(out) {
        *out = byte & 0xC0 | 0x20;
    }
}

impl FromStr for Filter {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "edges" => Ok(Self::Edges),
            "blur" => Ok(Self::Blur),
            "poster" => Ok(Self::Poster),
            _ => Err("the filters are edges, blur and poster"),
        }
    }
}
