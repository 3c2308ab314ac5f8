//! The room, on the server's side.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use serde::{Deserialize, Serialize};
use witrpc::{BindError, CallContext, Mmf, WitServer, wit_service};

/// A room where guests talk.
#[wit_service]
pub(crate) trait Room {
    /// Lasts as long as the guest stays: until the call is dropped, or its process dies.
    async fn stay(&self, name: &str, #[wit(ctx)] cx: &CallContext) -> Result<(), RoomError>;

    /// Sends a text to all guests.
    fn say(&self, text: &str, #[wit(ctx)] cx: &CallContext) -> Result<(), RoomError>;

    /// Reports what happens in the room, in order.
    #[wit(event)]
    fn news(&self, news: News);
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum News {
    /// A guest has come; these are all guests now.
    Came { name: String, guests: Vec<String> },
    /// A guest has said something.
    Said { name: String, text: String },
    /// A guest has gone.
    Went { name: String },
}

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
pub(crate) enum RoomError {
    #[error("the name {name:?} is not valid: take 1 to 32 letters, digits or -")]
    BadName { name: String },
    #[error("the name {name:?} is taken in this room: come under another one")]
    NameTaken { name: String },
    #[error("the guest is not in the room: enter it first")]
    NotHere,
}

/// Opens a room. Dropping the server closes it.
pub(crate) fn serve(room: &str) -> Result<WitServer, BindError> {
    // A guest has at most three calls at a time, all short: staying, listening, and saying
    // something.
    let place = Mmf::new(room).lanes(8).size(64 << 10).max_clients(200);
    WitServer::builder().listen(place).service(RoomServer::with_events(Parlour::new)).start()
}

struct Parlour {
    /// The guests by the number of their client. Events are emitted with the lock held, and so in
    /// order.
    guests: Mutex<BTreeMap<u64, String>>,
    events: RoomEvents,
}

/// A guest's place, which becomes free when this is dropped.
struct Place<'a> {
    parlour: &'a Parlour,
    guest: u64,
}

impl Parlour {
    fn new(events: RoomEvents) -> Self {
        Self { guests: Mutex::default(), events }
    }

    fn guests(&self) -> MutexGuard<'_, BTreeMap<u64, String>> {
        self.guests.lock().expect("nothing panics with the lock held")
    }

    fn place(&self, guest: u64, name: &str) -> Result<Place<'_>, RoomError> {
        let is_fit = |c: char| c.is_alphanumeric() || c == '-';
        if !(1..=32).contains(&name.chars().count()) || !name.chars().all(is_fit) {
            return Err(RoomError::BadName { name: name.to_owned() });
        }
        let mut guests = self.guests();
        if guests.contains_key(&guest) || guests.values().any(|taken| taken == name) {
            return Err(RoomError::NameTaken { name: name.to_owned() });
        }
        guests.insert(guest, name.to_owned());
        let all = guests.values().cloned().collect();
        self.tell(News::Came { name: name.to_owned(), guests: all });
        Ok(Place { parlour: self, guest })
    }

    fn tell(&self, news: News) {
        // A guest that is too slow learns that events are missing.
        let _ = self.events.news(news);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut guests = self.parlour.guests();
        if let Some(name) = guests.remove(&self.guest) {
            self.parlour.tell(News::Went { name });
        }
    }
}

impl Room for Parlour {
    async fn stay(&self, name: &str, cx: &CallContext) -> Result<(), RoomError> {
        let _place = self.place(cx.client_id(), name)?;
        // This wait holds no thread.
        cx.until_cancelled().await;
        Ok(())
    }

    fn say(&self, text: &str, cx: &CallContext) -> Result<(), RoomError> {
        let guests = self.guests();
        let name = guests.get(&cx.client_id()).cloned().ok_or(RoomError::NotHere)?;
        self.tell(News::Said { name, text: text.to_owned() });
        Ok(())
    }
}
