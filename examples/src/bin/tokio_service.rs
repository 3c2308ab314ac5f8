//! Notes that the scripts and programs of one user leave for each other, for a while or for good.
//! Server and client both run on tokio.
//!
//! ```sh
//! tokio_service NAME serve                       # until Ctrl-C
//! tokio_service NAME put KEY TEXT [SECONDS]      # the note stays, or goes after so long
//! tokio_service NAME get KEY
//! tokio_service NAME wait KEY                    # until somebody puts it
//! tokio_service NAME gone KEY                    # until there is none
//! ```

#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use witrpc::{CallContext, WitServer, wit_service};

/// Notes under keys.
#[wit_service]
trait Notebook {
    /// Puts a note in the place of the one that was there, if any.
    async fn put(&self, key: String, text: String, keep: Option<Duration>);

    /// The note, if there is one.
    fn get(&self, key: &str) -> Option<String>;

    /// The note, as soon as there is one.
    async fn wait(&self, key: &str, #[wit(ctx)] cx: &CallContext) -> String;

    /// Returns as soon as there is no note.
    async fn gone(&self, key: &str, #[wit(ctx)] cx: &CallContext);
}

/// Whoever waits for a note watches them all; however many wait, they hold no thread.
#[derive(Default)]
struct Pinboard {
    notes: watch::Sender<HashMap<String, Note>>,
}

struct Note {
    text: String,
    until: Option<Instant>,
}

impl Pinboard {
    /// Waits for the notes to be as asked, and reads something from them.
    async fn when<T: Default>(
        &self,
        cx: &CallContext,
        as_asked: impl Fn(&HashMap<String, Note>) -> bool,
        read: impl Fn(&HashMap<String, Note>) -> T,
    ) -> T {
        let mut watcher = self.notes.subscribe();
        tokio::select! {
            notes = watcher.wait_for(as_asked) => read(&notes.expect("the board has the sender")),
            // The caller has left or died: nobody reads the answer.
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
            // A task and a timer of tokio's: so this is an `async fn`, which `spawn_with` puts there.
            tokio::spawn(async move {
                sleep_until(until).await;
                // A note that was put there since has a time of its own.
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

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [name, "serve"] => serve(name).await,
        [name, ref command @ ..] if !command.is_empty() => ask(name, command).await,
        _ => Err(USAGE.into()),
    }
}

const USAGE: &str = "usage: tokio_service NAME serve | put KEY TEXT [SECONDS] | get KEY | wait KEY \
                     | gone KEY";

async fn serve(name: &str) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Handle::current();
    let server = WitServer::builder()
        .listen(name)
        .service(NotebookServer::new(Pinboard::default()))
        .spawn_with(move |job| drop(runtime.spawn(job)))
        .start()?;
    println!("notes are kept under the name {name:?}; Ctrl-C ends it");
    tokio::select! {
        () = server.stopped() => Ok(()),
        pressed = tokio::signal::ctrl_c() => Ok(pressed?),
    }
}

async fn ask(name: &str, command: &[&str]) -> Result<(), Box<dyn Error>> {
    // Some calls wait for others, for as long as it takes; the server's death ends them.
    let notes = NotebookAsyncClient::builder(name).call_timeout(None).connect().await?;
    match *command {
        ["put", key, text] => notes.put(key.into(), text.into(), None).await?,
        ["put", key, text, seconds] => {
            let keep = Duration::try_from_secs_f64(seconds.parse()?)?;
            notes.put(key.into(), text.into(), Some(keep)).await?;
        }
        ["get", key] => match notes.get(key).await? {
            Some(text) => println!("{text}"),
            None => return Err(format!("there is no note {key:?}").into()),
        },
        ["wait", key] => println!("{}", notes.wait(key).await?),
        ["gone", key] => notes.gone(key).await?,
        _ => return Err(USAGE.into()),
    }
    Ok(())
}
