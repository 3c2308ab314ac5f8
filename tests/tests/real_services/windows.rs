//! Windows by number: maps whose keys are numbers, newtypes and `bool`s.

use std::collections::{BTreeMap, HashMap};

use arbitrary::Arbitrary;
use serde::{Deserialize, Serialize};
use witrpc::{Codec, wit_service};

use super::{Desk, events_come, over_each_codec};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct Properties {
    /// The title.
    pub title: String,
    /// The name of its desktop file.
    #[serde(rename = "app-id")]
    pub app_id: String,
}

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Arbitrary,
)]
pub struct WindowId(u64);

#[wit_service(name = "org.gnome.Shell.Introspect")]
pub trait Introspect {
    async fn get_windows(&self) -> Result<HashMap<u64, Properties>, String>;
    async fn by_id(&self) -> Result<BTreeMap<WindowId, Properties>, String>;
    async fn focused(&self) -> BTreeMap<bool, Vec<WindowId>>;
    #[wit(event)]
    fn windows_changed(&self, windows: HashMap<u64, Properties>);
}

impl Introspect for Desk {
    async fn get_windows(&self) -> Result<HashMap<u64, Properties>, String> {
        self.serve(())
    }

    async fn by_id(&self) -> Result<BTreeMap<WindowId, Properties>, String> {
        self.serve(())
    }

    async fn focused(&self) -> BTreeMap<bool, Vec<WindowId>> {
        self.serve(())
    }
}

#[test]
fn windows_by_number() {
    let desk = Desk::default();
    let mut emitter = None;
    let server = IntrospectServer::with_events(|events| {
        emitter = Some(events);
        desk.clone()
    });
    let events = emitter.expect("the service was made");
    over_each_codec!(
        IntrospectClient,
        server,
        quickest Codec::Postcard,
        unfit &[],
        |codec, client: &IntrospectClient| {
            desk.result(codec, |()| client.get_windows());
            desk.result(codec, |()| client.by_id());
            desk.plain(codec, |()| client.focused());
            let came = client.windows_changed().unwrap();
            events_come(codec, |windows| events.windows_changed(windows), came, |came| came.windows);
        }
    );
}
