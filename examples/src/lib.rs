//! Programs that show witrpc at work; see `src/bin`.
