//! Which fields a type can be read without, and whether it skips fields that it does not know.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::shape::{Name, TypeIndex};

/// How one type reads structs with other fields than its own. Structs are named by their place in the
/// shape, and by the name of the variant, which is empty for a struct that is no variant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lenience {
    /// The fields without which a value can be read.
    pub optional: BTreeSet<(TypeIndex, Name, Name)>,
    /// The structs that skip fields which they do not know.
    pub open: BTreeSet<(TypeIndex, Name)>,
}
