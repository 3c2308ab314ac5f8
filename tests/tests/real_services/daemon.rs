//! A graphics daemon: left-out and flattened fields, maps of numbers, adjacent tags.

use std::collections::{BTreeMap, HashMap, HashSet};

use arbitrary::Arbitrary;
use serde::{Deserialize, Serialize};
use witrpc::{Codec, wit_service};

use super::{all_come_back, finite, over_each_codec};

/// How the fan is driven.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
#[serde(rename_all = "snake_case")]
pub enum FanMode {
    /// At one speed.
    Static,
    /// By the temperature.
    Curve,
}

/// A point of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct Ratio(#[arbitrary(with = finite)] f32);

/// What the machine is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct SystemInfo {
    /// Of the daemon.
    #[serde(flatten)]
    pub version: Version,
    /// Left out if unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distro: Option<String>,
    /// Of the kernel.
    pub kernel_version: String,
}

/// A version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct Version {
    /// Its number.
    pub version: String,
    /// Left out of a release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// The clocks that can be set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum ClocksTable {
    /// By level.
    Amd(BTreeMap<u8, (u32, u32)>),
    /// By offset.
    Nvidia(NvidiaTable),
}

/// Offsets of clocks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct NvidiaTable {
    /// By level; left out if empty.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gpu_offsets: BTreeMap<u32, Offset>,
    /// The range that is locked.
    #[serde(default)]
    pub gpu_locked: Option<(u32, u32)>,
    /// Left out if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<Offset>,
}

/// An offset with its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct Offset {
    /// As it is.
    pub current: i32,
    /// The least.
    pub min: i32,
}

/// What is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct Stats {
    /// Of the fan.
    pub mode: Option<FanMode>,
    /// By temperature.
    pub curve: Option<BTreeMap<i32, Ratio>>,
    /// Left out if empty.
    #[serde(default, skip_serializing_if = "HashMap::is_empty")]
    pub temps: HashMap<String, Option<Ratio>>,
    /// Why the clock is low.
    pub throttle: Option<BTreeMap<String, Vec<String>>>,
}

/// A rule of a profile, which contains rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
#[serde(tag = "type", content = "filter", rename_all = "lowercase")]
pub enum Rule {
    /// While a process runs.
    Process {
        /// Its name.
        name: String,
    },
    /// While a game runs.
    Gamemode(Option<String>),
    /// While all hold.
    And(Vec<Rule>),
}

/// The profiles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct Profiles {
    /// Each with its rule.
    pub profiles: BTreeMap<String, Option<Rule>>,
    /// By clock.
    pub power_states: HashMap<u8, HashSet<u8>>,
}

/// Returns its arguments.
#[wit_service]
pub trait Daemon {
    /// What the machine is.
    fn system_info(&self, info: SystemInfo) -> Result<SystemInfo, String>;
    /// What is measured.
    fn stats(&self, stats: Stats) -> Result<Stats, String>;
    /// The clocks that can be set.
    fn clocks(&self, clocks: Option<ClocksTable>) -> Result<Option<ClocksTable>, String>;
    /// The profiles.
    fn profiles(&self, profiles: Profiles) -> Result<Profiles, String>;
}

struct Card;

impl Daemon for Card {
    fn system_info(&self, info: SystemInfo) -> Result<SystemInfo, String> {
        Ok(info)
    }

    fn stats(&self, stats: Stats) -> Result<Stats, String> {
        Ok(stats)
    }

    fn clocks(&self, clocks: Option<ClocksTable>) -> Result<Option<ClocksTable>, String> {
        Ok(clocks)
    }

    fn profiles(&self, profiles: Profiles) -> Result<Profiles, String> {
        Ok(profiles)
    }
}

#[test]
fn a_graphics_daemon() {
    over_each_codec!(
        DaemonClient,
        DaemonServer::new(Card),
        quickest Codec::MessagePack,
        unfit & [(Codec::Postcard, "flattened")],
        |codec, card: &DaemonClient| {
            all_come_back(codec, |info| card.system_info(info));
            all_come_back(codec, |stats| card.stats(stats));
            all_come_back(codec, |clocks| card.clocks(clocks));
            all_come_back(codec, |profiles| card.profiles(profiles));
        }
    );
}
