//! What a client calls in each row.

use std::error::Error;
use std::hint::black_box;
use std::thread;
use std::time::Duration;

use futures_executor::block_on;
use futures_util::future::join_all;
use witrpc::{BlockingStream, Mmf, WaitPolicy};

use crate::marks::{BLOCK, CALLS, Marks};
use crate::service::{CountedAsyncClient, CountedClient, NUMBER, PRELUDE};

/// The rows of the table.
pub(crate) const ROWS: [&str; 9] = [
    "add",
    "text_40",
    "bytes_512",
    "async_add",
    "stream_item",
    "event",
    "lease",
    "in_flight_64",
    SEALED,
];

/// `add` over an encrypted connection.
pub(crate) const SEALED: &str = "sealed_add";

/// Calls in flight at once in the last row.
const IN_FLIGHT: u64 = 64;

/// Events that one call emits: fewer than wait for a client that does not take them.
const EVENTS: u64 = 64;

/// Makes the calls of a row.
pub(crate) fn make(row: &str, name: &str) -> Result<(), Box<dyn Error>> {
    let marks = Marks::default();
    match row {
        "async_add" | "in_flight_64" => {
            let builder = CountedAsyncClient::builder(Mmf::new(name)).wait(WaitPolicy::Spin);
            let client = block_on(builder.connect())?;
            let in_flight = if row == "async_add" { 1 } else { IN_FLIGHT };
            block_on(add_later(&client, &marks, in_flight))
        }
        _ => {
            let builder = CountedClient::builder(Mmf::new(name)).wait(WaitPolicy::Spin);
            call(&builder.encryption(row == SEALED).connect()?, row, &marks)
        }
    }
}

/// How long the client of a stream does something else after each block of items. Otherwise it would be many
/// times as fast as a server under callgrind, and wait for each item.
const LEISURE: Duration = Duration::from_micros(500);

fn call(client: &CountedClient, row: &str, marks: &Marks) -> Result<(), Box<dyn Error>> {
    let text = "x".repeat(40);
    let bytes = [7; 512];
    match row {
        "add" | SEALED => repeat(marks, |_| Ok(client.add(NUMBER, NUMBER).map(drop)?)),
        "text_40" => repeat(marks, |_| Ok(client.text(&text).map(drop)?)),
        "bytes_512" => repeat(marks, |_| Ok(client.bytes(&bytes).map(drop)?)),
        "lease" => repeat(marks, |_| {
            let lease = client.connection().alloc::<u8>(512)?;
            Ok(client.lease(lease.freeze()).map(drop)?)
        }),
        "stream_item" => {
            let mut items = client.items(CALLS)?;
            (0..PRELUDE).try_for_each(|item| take(&mut items, item))?;
            repeat(marks, |item| take(&mut items, item))
        }
        "event" => {
            let mut told = client.told()?;
            repeat(marks, |call| {
                if call % EVENTS == 0 {
                    client.emit(EVENTS)?;
                }
                Ok(told.next().ok_or("the subscription ends early")?.map(drop)?)
            })
        }
        unknown => Err(format!("there is no row {unknown}").into()),
    }
}

#[inline(always)]
fn take(items: &mut BlockingStream<u64>, item: u64) -> Result<(), Box<dyn Error>> {
    if item.is_multiple_of(BLOCK) {
        thread::sleep(LEISURE);
    }
    Ok(items.next().ok_or("the stream ends early")?.map(drop)?)
}

fn repeat(
    marks: &Marks,
    mut call: impl FnMut(u64) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    (0..CALLS).try_for_each(|number| {
        marks.pass();
        call(number)
    })
}

async fn add_later(
    client: &CountedAsyncClient,
    marks: &Marks,
    in_flight: u64,
) -> Result<(), Box<dyn Error>> {
    let calls = (0..in_flight).map(|_| async {
        for _ in 0..CALLS / in_flight {
            marks.pass();
            black_box(client.add(NUMBER, NUMBER).await?);
        }
        Ok::<_, witrpc::CallError>(())
    });
    join_all(calls).await.into_iter().collect::<Result<(), _>>()?;
    Ok(())
}
