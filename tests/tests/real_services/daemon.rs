//! A graphics daemon: left-out and flattened fields, maps of numbers, adjacent tags.

use std::collections::{BTreeMap, HashMap, HashSet};

use arbitrary::Arbitrary;
use indexmap::{IndexMap, IndexSet};
use serde::{Deserialize, Serialize};
use witrpc::{Codec, wit_service};

use super::{Desk, finite, over_each_codec};

pub type FanCurve = BTreeMap<i32, Ratio>;

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct Ratio(#[arbitrary(with = finite)] f32);
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct Watts(#[arbitrary(with = finite)] f64);

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Arbitrary)]
#[serde(rename_all = "snake_case")]
pub enum FanMode {
    Static,
    #[default]
    Curve,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct Pong;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct SystemInfo {
    #[serde(flatten)]
    pub version: Version,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distro: Option<String>,
    pub kernel_version: String,
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Arbitrary)]
pub struct Version {
    pub version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum ClocksTable {
    Amd(BTreeMap<u8, (u32, u32)>),
    Nvidia(NvidiaTable),
}
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct NvidiaTable {
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub gpu_offsets: IndexMap<u32, Offset>,
    #[serde(default)]
    pub gpu_locked: Option<(u32, u32)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<Offset>,
}
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct Offset {
    pub current: i32,
    pub min: i32,
    pub max: i32,
}
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct Stats {
    pub fan: Fan,
    #[serde(default, skip_serializing_if = "HashMap::is_empty")]
    pub temps: HashMap<String, Temperature>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub busy_percent: Option<u8>,
    pub throttle: Option<BTreeMap<String, Vec<String>>>,
}
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct Fan {
    pub mode: Option<FanMode>,
    pub curve: Option<FanCurve>,
    pub spindown_delay_ms: Option<u64>,
}
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct Temperature {
    pub current: Option<Ratio>,
    pub crit_hyst: Option<Ratio>,
}
/// A rule of a profile, which contains rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
#[serde(tag = "type", content = "filter", rename_all = "lowercase")]
pub enum Rule {
    Process { name: String },
    Gamemode(Option<String>),
    And(Vec<Rule>),
    Or(Vec<Rule>),
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct Profiles {
    pub profiles: IndexMap<String, Option<Rule>>,
    pub current: Option<String>,
    pub flags: IndexSet<String>,
    pub power_states: HashMap<u8, HashSet<u8>>,
}

#[wit_service]
pub trait Daemon {
    fn ping(&self) -> Pong;
    fn system_info(&self) -> Result<SystemInfo, String>;
    fn stats(&self, id: &str) -> Result<Stats, String>;
    fn set_fan_control(
        &self,
        id: &str,
        enabled: bool,
        curve: Option<FanCurve>,
    ) -> Result<u64, String>;
    fn set_power_cap(&self, id: &str, cap: Option<Watts>) -> Result<u64, String>;
    fn clocks(&self, id: &str) -> Result<Option<ClocksTable>, String>;
    fn profiles(&self) -> Result<Profiles, String>;
}

impl Daemon for Desk {
    fn ping(&self) -> Pong {
        self.serve(())
    }

    fn system_info(&self) -> Result<SystemInfo, String> {
        self.serve(())
    }

    fn stats(&self, id: &str) -> Result<Stats, String> {
        self.serve(id.to_owned())
    }

    fn set_fan_control(
        &self,
        id: &str,
        enabled: bool,
        curve: Option<FanCurve>,
    ) -> Result<u64, String> {
        self.serve((id.to_owned(), enabled, curve))
    }

    fn set_power_cap(&self, id: &str, cap: Option<Watts>) -> Result<u64, String> {
        self.serve((id.to_owned(), cap))
    }

    fn clocks(&self, id: &str) -> Result<Option<ClocksTable>, String> {
        self.serve(id.to_owned())
    }

    fn profiles(&self) -> Result<Profiles, String> {
        self.serve(())
    }
}

#[test]
fn a_graphics_daemon() {
    let desk = Desk::default();
    over_each_codec!(
        DaemonClient,
        DaemonServer::new(desk.clone()),
        quickest Codec::MessagePack,
        unfit & [(Codec::Postcard, "flattened")],
        |codec, client: &DaemonClient| {
            desk.plain(codec, |()| client.ping());
            desk.result(codec, |()| client.system_info());
            desk.result(codec, |id: String| client.stats(&id));
            desk.result(codec, |(id, enabled, curve): (String, bool, Option<FanCurve>)| client.set_fan_control(&id, enabled, curve));
            desk.result(codec, |(id, cap): (String, Option<Watts>)| client.set_power_cap(&id, cap));
            desk.result(codec, |id: String| client.clocks(&id));
            desk.result(codec, |()| client.profiles());
        }
    );
}
