//! A sandbox, whose types every codec carries.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use arbitrary::Arbitrary;
use serde::{Deserialize, Serialize};
use witrpc::{Codec, wit_service};

use super::{all_come_back, over_each_codec};

/// The number of a module.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Arbitrary,
)]
pub struct ModuleId(u64);

/// The pages of a memory that have changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct Delta {
    /// By their numbers.
    pub pages: BTreeMap<u64, Vec<u8>>,
    /// Of what module.
    pub modules: BTreeMap<ModuleId, BTreeSet<ModuleId>>,
    /// By whether they are hot.
    pub heat: BTreeMap<bool, u32>,
    /// By letters.
    pub letters: BTreeMap<char, i128>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub enum Outcome {
    /// As it should.
    Done {
        /// The instructions that are left.
        left: u128,
        /// What it printed.
        output: Option<Vec<u8>>,
    },
    /// Before its end.
    Trapped(Trap),
    /// Not at all.
    Refused,
}

/// Why a run was stopped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub enum Trap {
    /// It took too long.
    Slow(Duration),
    /// It asked for too much.
    Memory(i64, u16),
    /// Another trap while it was handled.
    Nested(Box<Trap>, (u8, String)),
}

/// What a run is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct Limits {
    /// Where it may write.
    pub folders: Vec<PathBuf>,
    /// Whom it may call.
    #[arbitrary(with = |u: &mut arbitrary::Unstructured<'_>| {
        Ok(Vec::<u32>::arbitrary(u)?.into_iter().map(|n| Ipv4Addr::from(n).into()).collect())
    })]
    pub hosts: Vec<IpAddr>,
    /// When it must be done.
    #[arbitrary(with = |u: &mut arbitrary::Unstructured<'_>| {
        Ok(SystemTime::UNIX_EPOCH + Duration::from_millis(u32::arbitrary(u)?.into()))
    })]
    pub until: SystemTime,
    /// Nothing, to be filled one day.
    pub reserved: ((), Nothing),
}

/// Nothing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct Nothing;

/// Returns its arguments.
#[wit_service]
pub trait Sandbox {
    /// The pages that have changed.
    fn delta(&self, delta: Delta) -> Delta;
    /// How a run ended.
    fn outcome(&self, outcome: Result<Outcome, Trap>) -> Vec<Result<Outcome, Trap>>;
    /// What a run is given.
    fn limits(&self, limits: Limits) -> Limits;
}

struct Wall;

impl Sandbox for Wall {
    fn delta(&self, delta: Delta) -> Delta {
        delta
    }

    fn outcome(&self, outcome: Result<Outcome, Trap>) -> Vec<Result<Outcome, Trap>> {
        vec![outcome]
    }

    fn limits(&self, limits: Limits) -> Limits {
        limits
    }
}

#[test]
fn a_sandbox() {
    over_each_codec!(
        SandboxClient,
        SandboxServer::new(Wall),
        quickest Codec::Postcard,
        unfit &[],
        |codec, wall: &SandboxClient| {
            all_come_back(codec, |delta| wall.delta(delta));
            all_come_back(codec, |outcome| wall.outcome(outcome).map(|mut all| all.remove(0)));
            all_come_back(codec, |limits| wall.limits(limits));
        }
    );
}
