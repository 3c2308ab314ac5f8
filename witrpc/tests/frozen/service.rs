//! The services of the conversations. They must stay as they are: what was kept is of them.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// A value of each kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct All {
    pub small: i8,
    pub large: u128,
    pub ratio: f64,
    pub letter: char,
    pub flags: (bool, bool),
    pub text: String,
    pub none: Option<u8>,
    pub some: Option<Box<Point>>,
    pub kinds: Vec<Kind>,
    pub map: BTreeMap<String, u16>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point(pub i32, pub i32);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Kind {
    Unit,
    Number(u64),
    Pair(u8, u8),
    Named { name: String },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Why {
    Nothing { of: Point },
}

pub mod plain {
    use std::path::Path;

    use super::{All, Why};

    #[witrpc::wit_service]
    pub trait Frozen {
        fn echo(&self, all: All) -> Result<All, Why>;
        fn sum(&self, values: &[u32]) -> u64;
        fn join(&self, path: &Path, with: &str) -> String;
        fn doubled(&self, numbers: Vec<u64>) -> Vec<u64>;
        fn panics(&self);
    }
}

pub mod later {
    use super::{All, Why};

    #[witrpc::wit_service]
    pub trait Frozen {
        fn added(&self) -> u8;
        fn sum(&self, values: &[u64]) -> u64;
        fn echo(&self, all: All) -> Result<All, Why>;
    }
}

pub mod beside {
    #[witrpc::wit_service]
    pub trait Beside {
        fn add(&self, a: i64, b: i64) -> i64;
    }
}

pub struct Desk;

impl plain::Frozen for Desk {
    fn echo(&self, all: All) -> Result<All, Why> {
        if all.small == 0 { Err(Why::Nothing { of: *all.some.unwrap() }) } else { Ok(all) }
    }

    fn sum(&self, values: &[u32]) -> u64 {
        values.iter().copied().map(u64::from).sum()
    }

    fn join(&self, path: &Path, with: &str) -> String {
        path.join(with).display().to_string()
    }

    fn doubled(&self, numbers: Vec<u64>) -> Vec<u64> {
        numbers.into_iter().map(|number| number * 2).collect()
    }

    fn panics(&self) {
        panic!("a bug")
    }
}

impl beside::Beside for Desk {
    fn add(&self, a: i64, b: i64) -> i64 {
        a + b
    }
}
