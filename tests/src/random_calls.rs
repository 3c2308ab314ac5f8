//! Random calls of all kinds and sizes, whose answers are checked.

use std::path::Path;

use fastrand::Rng;
use futures_executor::block_on;
use witrpc::CallError;

use crate::basic::{BasicAsyncClient, BasicClient, DivideError, Parcel, Point, bytes_of, checksum};

/// A client of each kind, on the same server.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The blocking one.
    pub blocking: BasicClient,
    /// The async one.
    pub later: BasicAsyncClient,
}

impl Pair {
    /// Makes one call of a random kind, with up to about `most` bytes in each direction.
    ///
    /// # Errors
    ///
    /// The error of the call.
    ///
    /// # Panics
    ///
    /// When the answer is wrong.
    pub fn errand(&self, rng: &mut Rng, most: usize) -> Result<(), CallError> {
        if rng.u8(..8) == 0 {
            block_on(errand_later(&self.later, rng, most))
        } else {
            errand(&self.blocking, rng, most)
        }
    }
}

/// Makes one call of a random kind, with up to about `most` bytes in each direction.
///
/// # Errors
///
/// The error of the call.
///
/// # Panics
///
/// When the answer is wrong.
pub fn errand(client: &BasicClient, rng: &mut Rng, most: usize) -> Result<(), CallError> {
    let len = random_len(rng, most);
    let seed = rng.u64(..);
    match rng.u8(..9) {
        0 => {
            assert_eq!(client.add(seed as i64, len as i64)?, (seed as i64).wrapping_add(len as i64))
        }
        1 => match client.divide(len as i64, rng.i64(0..2)) {
            Ok(quotient) => assert_eq!(quotient, len as i64),
            Err(CallError::App(error)) => assert_eq!(error, DivideError::ByZero),
            Err(other) => return Err(other.map_app(|_| unreachable!("matched above"))),
        },
        2 => {
            let bytes = bytes_of(len, seed);
            assert_eq!(client.digest(&bytes)?, checksum(&bytes), "{len} bytes there");
        }
        3 => {
            let answer = client.make(len as u64, seed)?;
            assert_eq!(checksum(&answer), checksum(&bytes_of(len, seed)), "{len} bytes back");
        }
        4 => {
            let bytes = bytes_of(len, seed);
            let sum = checksum(&bytes);
            assert_eq!(checksum(&client.echo(bytes)?), sum, "{len} bytes there and back");
        }
        5 => {
            let parcel = Parcel::random(rng, len.min(1 << 14));
            assert_eq!(client.echo_parcel(parcel.clone())?, parcel);
        }
        6 => {
            let text: String = (0..len.min(1 << 16) / 4).map(|_| rng.char(..)).collect();
            assert_eq!(client.echo_text(&text)?, text);
        }
        7 => {
            let point = |n: usize| Point { x: n as f64, y: -1.0 };
            let count = len.min(1 << 16) / 16;
            let points: Vec<Point> = (0..count).map(point).collect();
            let x = (count * count.saturating_sub(1) / 2) as f64;
            assert_eq!(client.sum_points(&points)?, Point { x, y: 0.0 - count as f64 });
        }
        _ => assert_eq!(client.extend(Path::new("/a/b"), "c")?, "/a/b/c"),
    }
    Ok(())
}

async fn errand_later(
    client: &BasicAsyncClient,
    rng: &mut Rng,
    most: usize,
) -> Result<(), CallError> {
    let len = random_len(rng, most);
    let seed = rng.u64(..);
    match rng.u8(..3) {
        0 => {
            let (one, other) =
                futures_util::future::join(client.add(1, len as i64), client.lookup("word")).await;
            assert_eq!((one?, other?), (1 + len as i64, Some("WORD".to_owned())));
        }
        1 => {
            let bytes = bytes_of(len, seed);
            let answers =
                futures_util::future::join(client.digest(&bytes), client.make(len as u64, seed));
            let (digest, made) = answers.await;
            assert_eq!((digest?, made?), (checksum(&bytes), bytes));
        }
        _ => {
            let parcel = Parcel::random(rng, len.min(1 << 14));
            assert_eq!(client.label(&parcel).await?, parcel.label);
        }
    }
    Ok(())
}

/// Returns a random length; each order of magnitude is equally likely.
fn random_len(rng: &mut Rng, most: usize) -> usize {
    let bits = usize::BITS - most.leading_zeros();
    let order = rng.u32(..bits.max(1));
    rng.usize(..=most >> order)
}
