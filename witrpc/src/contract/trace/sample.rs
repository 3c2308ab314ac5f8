//! Values to try on types that do not take just any.

/// Numbers: 1 suits `NonZero` and days of a month, 0 what counts from there.
pub(super) const NUMBERS: [u8; 6] = [1, 0, 2, 4, 10, 100];

/// How many elements a sequence or map is given.
pub(super) const LENGTHS: [usize; 7] = [1, 0, 2, 3, 4, 8, 16];

/// How many zero bytes: none, a UUID, an address, a hash.
pub(super) const BYTES: [&[u8]; 6] = [&[], &[0; 16], &[0; 4], &[0; 32], &[0; 8], &[0; 1]];

/// Text that the usual types which travel as strings are made from.
pub(super) const STRINGS: [&str; 22] = [
    "",
    "a",
    "0",
    "1970-01-01T00:00:00Z",
    "1970-01-01T00:00:00",
    "1970-01-01",
    "00:00:00",
    "00000000-0000-0000-0000-000000000000",
    "http://localhost/",
    "127.0.0.1",
    "::1",
    "127.0.0.1:1",
    "[::1]:1",
    "127.0.0.0/8",
    "1.0.0",
    "0.5",
    "1970-01-01T00:00:00+00:00[UTC]",
    "UTC",
    "P1D",
    "a@example.org",
    "/",
    "00",
];
