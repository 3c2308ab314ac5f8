//! Tests of witrpc through its public API, with real processes.
