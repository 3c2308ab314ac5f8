//! The configuration of displays: long tuples, maps to values of any type.

use std::collections::HashMap;

use arbitrary::{Arbitrary, Unstructured};
use serde::{Deserialize, Serialize};
use witrpc::{Codec, wit_service};

use super::{Desk, events_come, finite, over_each_codec};

/// Stands for zvariant's OwnedValue: it says what it is when asked, and is read as whatever comes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
#[serde(untagged)]
pub enum AnyValue {
    Bool(bool),
    Number(i64),
    Real(#[arbitrary(with = finite)] f64),
    Text(String),
    List(Vec<AnyValue>),
    Dict(HashMap<String, AnyValue>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct Mode {
    id: String,
    width: i32,
    height: i32,
    #[arbitrary(with = finite)]
    refresh: f64,
    #[arbitrary(with = finite)]
    preferred_scale: f64,
    #[arbitrary(with = |u: &mut Unstructured<'_>| Ok(vec![finite(u)?, finite(u)?]))]
    supported_scales: Vec<f64>,
    properties: HashMap<String, AnyValue>,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct Monitor {
    names: (String, String, String, String),
    modes: Vec<Mode>,
    properties: HashMap<String, AnyValue>,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct LogicalMonitor {
    x: i32,
    y: i32,
    #[arbitrary(with = finite)]
    scale: f64,
    transform: u32,
    is_primary: bool,
    monitors: Vec<(String, String, String, String)>,
    properties: HashMap<String, AnyValue>,
}
/// A configuration, written as a tuple.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct LogicalMonitorConfiguration(
    i32,
    i32,
    #[arbitrary(with = finite)] f64,
    u32,
    bool,
    Vec<(String, String, HashMap<String, AnyValue>)>,
);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub enum Failed {
    Failed(String),
    InvalidArgs(String),
}
type BusResult<T> = std::result::Result<T, Failed>;

#[wit_service(name = "org.gnome.Mutter.DisplayConfig")]
trait DisplayConfig {
    #[wit(result)]
    async fn get_current_state(
        &self,
    ) -> BusResult<(u32, Vec<Monitor>, Vec<LogicalMonitor>, HashMap<String, AnyValue>)>;

    #[wit(result)]
    async fn apply_monitors_config(
        &self,
        _serial: u32,
        method: u32,
        logical_monitor_configs: Vec<LogicalMonitorConfiguration>,
        _properties: HashMap<String, AnyValue>,
    ) -> BusResult<()>;

    #[wit(event)]
    fn monitors_changed(&self);

    #[wit(rename = "PowerSaveMode")]
    fn power_save_mode(&self) -> i32;
    #[wit(rename = "SetPowerSaveMode")]
    fn set_power_save_mode(&self, mode: i32);
}

impl DisplayConfig for Desk {
    async fn get_current_state(
        &self,
    ) -> BusResult<(u32, Vec<Monitor>, Vec<LogicalMonitor>, HashMap<String, AnyValue>)> {
        self.serve(())
    }

    async fn apply_monitors_config(
        &self,
        _serial: u32,
        method: u32,
        logical_monitor_configs: Vec<LogicalMonitorConfiguration>,
        _properties: HashMap<String, AnyValue>,
    ) -> BusResult<()> {
        self.serve((_serial, method, logical_monitor_configs, _properties))
    }

    fn power_save_mode(&self) -> i32 {
        self.serve(())
    }

    fn set_power_save_mode(&self, mode: i32) {
        self.serve(mode)
    }
}

#[test]
fn the_configuration_of_displays() {
    let desk = Desk::default();
    let mut emitter = None;
    let server = DisplayConfigServer::with_events(|events| {
        emitter = Some(events);
        desk.clone()
    });
    let events = emitter.expect("the service was made");
    over_each_codec!(
        DisplayConfigClient,
        server,
        quickest Codec::MessagePack,
        unfit & [(Codec::Postcard, "untagged")],
        |codec, client: &DisplayConfigClient| {
            desk.result(codec, |()| client.get_current_state());
            desk.result(codec, |(serial, method, logical_monitor_configs, properties)| client.apply_monitors_config(serial, method, logical_monitor_configs, properties));
            desk.plain(codec, |()| client.power_save_mode());
            desk.plain(codec, |mode| client.set_power_save_mode(mode));
            let came = client.monitors_changed().unwrap();
            events_come(codec, |()| events.monitors_changed(), came, |_| ());
        }
    );
}
