//! The `#[wit_service]` attribute of `witrpc`.
