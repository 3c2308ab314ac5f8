//! The service whose arguments and results are shared, and what is done with what is shared.

use witrpc::{CallContext, Shared, wit_service};

/// Takes and gives shared memory.
#[wit_service]
pub(crate) trait Studio {
    /// How many bytes there are; none is looked at.
    fn shared_len(&self, frame: Shared<[u8]>) -> u64;
    /// The sum of the samples, through the safe accessors.
    fn sum(&self, samples: Shared<[u64]>) -> u64;
    /// The sum of the samples, in place if the client is trusted.
    fn sum_in_place(&self, samples: Shared<[u64]>) -> u64;
    /// Returns `len` samples, drawn from `seed`.
    fn drawn(&self, #[wit(ctx)] cx: &CallContext, len: u64, seed: u64) -> Shared<[u64]>;
}

/// Does it.
pub(crate) struct Drawing;

impl Studio for Drawing {
    fn shared_len(&self, frame: Shared<[u8]>) -> u64 {
        frame.len() as u64
    }

    fn sum(&self, samples: Shared<[u64]>) -> u64 {
        sum_of_pieces(&samples)
    }

    fn sum_in_place(&self, samples: Shared<[u64]>) -> u64 {
        samples.as_slice().map_or(0, sum)
    }

    fn drawn(&self, cx: &CallContext, len: u64, seed: u64) -> Shared<[u64]> {
        let mut samples = cx.alloc(len as usize).expect("it fits");
        draw(&mut samples, seed);
        samples.freeze()
    }
}

/// Writes every sample.
#[inline(never)]
pub(crate) fn draw(samples: &mut [u64], seed: u64) {
    for (sample, number) in samples.iter_mut().zip(0_u64..) {
        *sample = seed.wrapping_add(number);
    }
}

/// Reads every sample.
#[inline(never)]
pub(crate) fn sum(samples: &[u64]) -> u64 {
    samples.iter().fold(0, |sum, sample| sum.wrapping_add(*sample))
}

/// Reads a copy of every sample.
#[inline(never)]
pub(crate) fn sum_of_pieces(samples: &Shared<[u64]>) -> u64 {
    samples.iter().fold(0, u64::wrapping_add)
}
