//! The order in which the fields of a struct are asked for.

/// The way in which the fields of one struct, or struct variant, are given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In order, without names, as postcard has them.
    InOrder,
    /// By name; fields that have failed come last.
    ByName,
    /// In order: the type takes no names.
    InOrderOnly,
}

/// The knowledge about the fields of one struct, or struct variant.
pub struct FieldOrder {
    pub names: &'static [&'static str],
    pub way: Way,
    /// For each field, how often no value could be made.
    failed: Vec<usize>,
    /// Which names are aliases of a field before them.
    pub aliases: Vec<bool>,
    /// How much the trace knew when the failing fields last took turns.
    known: Option<usize>,
    /// How much the trace knew when the turns had shown nothing new.
    exhausted: Option<usize>,
}

impl FieldOrder {
    pub fn new(names: &'static [&'static str]) -> Self {
        let fields = names.len();
        Self {
            names,
            way: Way::InOrder,
            failed: vec![0; fields],
            aliases: vec![false; fields],
            known: None,
            exhausted: None,
        }
    }

    /// Returns the fields in the order in which to ask for them: those that have failed least come
    /// first.
    pub fn by_failures(&self) -> Vec<usize> {
        let mut order: Vec<_> =
            (0..self.failed.len()).filter(|field| !self.aliases[*field]).collect();
        order.sort_by_key(|field| self.failed[*field]);
        order
    }

    /// Notes that no value of this field could be made, while the trace knows `known`. Returns whether
    /// another order may show more.
    pub fn postpone(&mut self, field: usize, known: usize) -> bool {
        if self.exhausted == Some(known) {
            return false;
        }
        self.failed[field] += 1;
        if self.failed[field] == 1 {
            return true;
        }
        let most = self.failed.iter().max();
        if self.failed.iter().filter(|failed| **failed > 0).min() != most {
            return true;
        }
        // All failing fields have failed equally often: each has been the first of them.
        if self.known == Some(known) {
            self.exhausted = Some(known);
            return false;
        }
        self.known = Some(known);
        true
    }
}
