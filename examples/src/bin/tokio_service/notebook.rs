//! The service: notes for which clients can wait, and which expire.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use witrpc::{CallContext, wit_service};

/// Notes under keys.
#[wit_service]
pub(crate) trait Notebook {
    /// Puts a note; replaces the old one, if any.
    async fn put(&self, key: String, text: String, keep: Option<Duration>);

    /// Returns the note, if there is one.
    fn get(&self, key: &str) -> Option<String>;

    /// Returns the note as soon as there is one.
    async fn wait(&self, key: &str, #[wit(ctx)] cx: &CallContext) -> String;

    /// Returns as soon as there is no note.
    async fn gone(&self, key: &str, #[wit(ctx)] cx: &CallContext);
}

/// The notes. A call that waits for one watches them all; a waiting call holds no thread.
#[derive(Default)]
pub(crate) struct Pinboard {
    notes: watch::Sender<HashMap<String, Note>>,
}

struct Note {
    text: String,
    until: Option<Instant>,
}

impl Pinboard {
    /// Waits until the notes satisfy a condition, and reads something from them.
    async fn when<T: Default>(
        &self,
        cx: &CallContext,
        as_asked: impl Fn(&HashMap<String, Note>) -> bool,
        read: impl Fn(&HashMap<String, Note>) -> T,
    ) -> T {
        let mut watcher = self.notes.subscribe();
        tokio::select! {
            notes = watcher.wait_for(as_asked) => read(&notes.expect("the board has the sender")),
            // The caller has left or died: nothing reads the answer.
            () = cx.until_cancelled() => T::default(),
        }
    }
}

impl Notebook for Pinboard {
    async fn put(&self, key: String, text: String, keep: Option<Duration>) {
        let until = keep.map(|keep| Instant::now() + keep);
        self.notes.send_modify(|notes| {
            notes.insert(key.clone(), Note { text, until });
        });
        if let Some(until) = until {
            let notes = self.notes.clone();
            // This uses a task and a timer of tokio, so it is an `async fn`, which `spawn_with`
            // runs on tokio.
            tokio::spawn(async move {
                sleep_until(until).await;
                // A note that was put there in the meantime has its own time.
                notes.send_if_modified(|notes| {
                    let ours = notes.get(&key).is_some_and(|note| note.until == Some(until));
                    ours && notes.remove(&key).is_some()
                });
            });
        }
    }

    fn get(&self, key: &str) -> Option<String> {
        self.notes.borrow().get(key).map(|note| note.text.clone())
    }

    async fn wait(&self, key: &str, cx: &CallContext) -> String {
        self.when(cx, |notes| notes.contains_key(key), |notes| notes[key].text.clone()).await
    }

    async fn gone(&self, key: &str, cx: &CallContext) {
        self.when(cx, |notes| !notes.contains_key(key), |_| ()).await;
    }
}
