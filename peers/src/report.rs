//! The report: what is said follows from the figures.

pub(crate) mod document;
pub(crate) mod machine;
pub(crate) mod mode;
pub(crate) mod plot;
pub(crate) mod table;
pub(crate) mod verdict;
