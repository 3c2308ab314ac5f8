//! Settings: maps of maps, numbers that are never zero.

use std::collections::HashMap;
use std::num::{NonZeroU32, NonZeroU128};

use arbitrary::{Arbitrary, Unstructured};
use serde::{Deserialize, Serialize};
use witrpc::{Codec, wit_service};

use super::{Desk, finite, over_each_codec};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub enum AnyValue {
    Number(#[arbitrary(with = finite)] f64),
    Text(String),
    Colour(
        #[arbitrary(with = |u: &mut Unstructured<'_>| Ok((finite(u)?, finite(u)?, finite(u)?)))]
        (f32, f32, f32),
    ),
}
pub type Namespace = HashMap<String, AnyValue>;

#[wit_service]
pub trait Settings: Send + Sync {
    async fn version(&self) -> NonZeroU32;
    async fn serial(&self) -> Option<NonZeroU128>;
    async fn read_all(&self, namespaces: Vec<String>) -> HashMap<String, Namespace>;
    async fn read(&self, namespace: &str, key: &str) -> Result<AnyValue, String>;
}

impl Settings for Desk {
    async fn version(&self) -> NonZeroU32 {
        self.serve(())
    }

    async fn serial(&self) -> Option<NonZeroU128> {
        self.serve(())
    }

    async fn read_all(&self, namespaces: Vec<String>) -> HashMap<String, Namespace> {
        self.serve(namespaces)
    }

    async fn read(&self, namespace: &str, key: &str) -> Result<AnyValue, String> {
        self.serve((namespace.to_owned(), key.to_owned()))
    }
}

#[test]
fn settings_by_namespace() {
    let desk = Desk::default();
    over_each_codec!(
        SettingsClient,
        SettingsServer::new(desk.clone()),
        quickest Codec::Postcard,
        unfit &[],
        |codec, client: &SettingsClient| {
            desk.plain(codec, |()| client.version());
            desk.plain(codec, |()| client.serial());
            desk.plain(codec, |namespaces| client.read_all(namespaces));
            desk.result(codec, |(namespace, key): (String, String)| client.read(&namespace, &key));
        }
    );
}
