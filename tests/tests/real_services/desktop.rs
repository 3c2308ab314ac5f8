//! A window manager: internal tags around maps of numbers.

use std::collections::{BTreeMap, HashMap};

use arbitrary::Arbitrary;
use serde::{Deserialize, Serialize};
use witrpc::{Codec, wit_service};

use super::{all_come_back, over_each_codec};

/// A window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct Window {
    /// Its title.
    pub title: Option<String>,
    /// Its size.
    pub size: (u16, i32),
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// All windows.
    Windows {
        /// By number.
        by_id: BTreeMap<u64, Window>,
        /// By whether they are shown.
        shown: BTreeMap<bool, Vec<i64>>,
    },
    /// One of them.
    Opened(Window),
    /// By the names of their programs.
    Programs {
        /// Which may be of digits alone.
        windows: HashMap<String, Window>,
    },
    /// Nothing.
    Idle,
}

/// Returns its arguments.
#[wit_service]
pub trait Desktop {
    /// What happened.
    fn event(&self, event: Event) -> Event;
    /// All windows.
    fn windows(&self, windows: HashMap<u64, Window>) -> HashMap<u64, Window>;
}

struct Screen;

impl Desktop for Screen {
    fn event(&self, event: Event) -> Event {
        event
    }

    fn windows(&self, windows: HashMap<u64, Window>) -> HashMap<u64, Window> {
        windows
    }
}

#[test]
fn a_window_manager() {
    over_each_codec!(
        DesktopClient,
        DesktopServer::new(Screen),
        quickest Codec::MessagePack,
        unfit & [(Codec::Postcard, "internally tagged")],
        |codec, screen: &DesktopClient| {
            all_come_back(codec, |event| screen.event(event));
            all_come_back(codec, |windows| screen.windows(windows));
        }
    );
}
