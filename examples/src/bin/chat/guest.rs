//! A guest of a room, at a terminal.

use std::error::Error;
use std::io::{self, stdin};
use std::pin::pin;
use std::thread;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use witrpc::{ConnectError, EventError};

use crate::room::{News, RoomAsyncClient, RoomNews};

/// Visits the room until the input ends, or until Ctrl-C.
pub(crate) async fn visit(room: &str, name: &str) -> Result<(), Box<dyn Error>> {
    let mut interrupts = signal(SignalKind::interrupt())?;
    // One of the calls lasts as long as the guest stays, so there is no timeout.
    let guest = match RoomAsyncClient::builder(room).call_timeout(None).connect().await {
        Err(ConnectError::NobodyServes { .. }) => {
            return Err(format!("no server has the room: run chat --serve {room}").into());
        }
        connected => connected?,
    };
    // Subscribes before the guest enters, so that the guest misses nothing.
    let mut news = guest.news().await?;
    let mut stay = pin!(guest.stay(name));
    let mut lines = lines();
    let mut is_here = false;
    loop {
        tokio::select! {
            left = &mut stay => return Ok(left?),
            Some(happened) = news.next() => {
                is_here |= is_arrival_of(name, &happened);
                if is_here {
                    show(&happened);
                }
            }
            line = lines.recv(), if is_here => match line {
                Some(line) => guest.say(&line?).await?,
                None => return Ok(()),
            },
            _ = interrupts.recv() => return Ok(()),
        }
    }
}

/// Returns the lines of standard input. A thread reads them, because a terminal makes its readers
/// wait; the thread ends with the process.
fn lines() -> mpsc::Receiver<io::Result<String>> {
    let (sender, receiver) = mpsc::channel(1);
    thread::spawn(move || {
        for line in stdin().lines() {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

fn is_arrival_of(guest: &str, happened: &Result<RoomNews, EventError>) -> bool {
    matches!(happened, Ok(RoomNews { news: News::Came { name, .. } }) if name == guest)
}

fn show(happened: &Result<RoomNews, EventError>) {
    match happened {
        Ok(RoomNews { news }) => match news {
            News::Came { name, guests } => {
                println!("* {name} has come; here are: {}", guests.join(", "));
            }
            News::Said { name, text } => println!("{name}: {}", printable(text)),
            News::Went { name } => println!("* {name} has gone"),
        },
        Err(EventError::Lagged(missed)) => println!("* {missed} lines are missing here"),
        // The lasting call ends too, and says why.
        Err(EventError::Ended(_)) => {}
        Err(error) => println!("* {error}"),
    }
}

/// Returns another guest's text without characters that would move a terminal's cursor.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
