//! SHA-256, as FIPS 180-4 defines it, for the digests of contracts.
//!
//! A digest tells contracts apart that differ by accident, and protects nothing: a peer that lies about it deceives
//! only itself. So it needs no library of cryptography, which a build without the feature `security` has not. It is
//! SHA-256 since that is what crosses.

/// Returns the hash.
pub fn sha_256(bytes: &[u8]) -> [u8; 32] {
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    let mut state = blocks.iter().fold(INITIAL, compressed);
    // The padding: a bit, zeros, and the length in bits at the end of a block.
    let mut tail = [0; 2 * BLOCK];
    tail[..rest.len()].copy_from_slice(rest);
    tail[rest.len()] = 0x80;
    let len = if rest.len() + 1 + 8 <= BLOCK { BLOCK } else { 2 * BLOCK };
    tail[len - 8..len].copy_from_slice(&(8 * bytes.len() as u64).to_be_bytes());
    state = tail[..len].as_chunks::<BLOCK>().0.iter().fold(state, compressed);
    let mut hash = [0; 32];
    for (bytes, word) in hash.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    hash
}

const BLOCK: usize = 64;

/// Returns the state after one more block.
fn compressed(state: [u32; 8], block: &[u8; BLOCK]) -> [u32; 8] {
    let mut words = [0; 64];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    for at in 16..words.len() {
        let (early, late) = (words[at - 15], words[at - 2]);
        let early = early.rotate_right(7) ^ early.rotate_right(18) ^ (early >> 3);
        let late = late.rotate_right(17) ^ late.rotate_right(19) ^ (late >> 10);
        words[at] =
            late.wrapping_add(words[at - 7]).wrapping_add(early).wrapping_add(words[at - 16]);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
    for (word, constant) in words.into_iter().zip(CONSTANTS) {
        let mixed = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let chosen = (e & f) ^ (!e & g);
        let first = [mixed, chosen, constant, word].into_iter().fold(h, u32::wrapping_add);
        let mixed = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let second = mixed.wrapping_add((a & b) ^ (a & c) ^ (b & c));
        [h, g, f, e, d, c, b, a] =
            [g, f, e, d.wrapping_add(first), c, b, a, first.wrapping_add(second)];
    }
    let next = [a, b, c, d, e, f, g, h];
    std::array::from_fn(|at| state[at].wrapping_add(next[at]))
}

/// The square roots of the first eight primes: 32 bits of their fractions.
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The cube roots of the first 64 primes: 32 bits of their fractions.
const CONSTANTS: [u32; 64] = [
    0x428a_2f98,
    0x7137_4491,
    0xb5c0_fbcf,
    0xe9b5_dba5,
    0x3956_c25b,
    0x59f1_11f1,
    0x923f_82a4,
    0xab1c_5ed5,
    0xd807_aa98,
    0x1283_5b01,
    0x2431_85be,
    0x550c_7dc3,
    0x72be_5d74,
    0x80de_b1fe,
    0x9bdc_06a7,
    0xc19b_f174,
    0xe49b_69c1,
    0xefbe_4786,
    0x0fc1_9dc6,
    0x240c_a1cc,
    0x2de9_2c6f,
    0x4a74_84aa,
    0x5cb0_a9dc,
    0x76f9_88da,
    0x983e_5152,
    0xa831_c66d,
    0xb003_27c8,
    0xbf59_7fc7,
    0xc6e0_0bf3,
    0xd5a7_9147,
    0x06ca_6351,
    0x1429_2967,
    0x27b7_0a85,
    0x2e1b_2138,
    0x4d2c_6dfc,
    0x5338_0d13,
    0x650a_7354,
    0x766a_0abb,
    0x81c2_c92e,
    0x9272_2c85,
    0xa2bf_e8a1,
    0xa81a_664b,
    0xc24b_8b70,
    0xc76c_51a3,
    0xd192_e819,
    0xd699_0624,
    0xf40e_3585,
    0x106a_a070,
    0x19a4_c116,
    0x1e37_6c08,
    0x2748_774c,
    0x34b0_bcb5,
    0x391c_0cb3,
    0x4ed8_aa4a,
    0x5b9c_ca4f,
    0x682e_6ff3,
    0x748f_82ee,
    0x78a5_636f,
    0x84c8_7814,
    0x8cc7_0208,
    0x90be_fffa,
    0xa450_6ceb,
    0xbef9_a3f7,
    0xc671_78f2,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the first four bytes, as a number.
    fn beginning(bytes: &[u8]) -> u32 {
        u32::from_be_bytes(*sha_256(bytes).first_chunk().expect("it is longer"))
    }

    /// The examples of the standard, and lengths around the end of a block.
    #[test]
    fn it_is_the_standard_s() {
        assert_eq!(beginning(b""), 0xe3b0_c442);
        assert_eq!(beginning(b"abc"), 0xba78_16bf);
        let two_blocks = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        assert_eq!(beginning(two_blocks), 0x248d_6a61);
        assert_eq!(beginning(&vec![b'a'; 1_000_000]), 0xcdc7_6e5c);
    }

    #[cfg(feature = "security")]
    #[test]
    fn it_is_that_of_ring() {
        let bytes: Vec<u8> = (0..300_u32).map(|at| (at * at) as u8).collect();
        for len in 0..bytes.len() {
            let expected = ring::digest::digest(&ring::digest::SHA256, &bytes[..len]);
            assert_eq!(sha_256(&bytes[..len]), expected.as_ref(), "{len} bytes");
        }
    }
}
