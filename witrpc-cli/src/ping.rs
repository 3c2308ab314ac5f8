//! `witrpc ping`.
//!
//! The floor of a call is what two threads of this process need to answer one another by the same means: by
//! a word in memory that both look at, and by waking each other.

use std::hint::spin_loop;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::thread;
use std::thread::Thread;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use witrpc::WaitPolicy;

use crate::args::Ping;
use crate::failure::Failure;
use crate::output;
use crate::reach;
use crate::slow_reasons;
use crate::stats::time;
use crate::waiting::Waiting;

/// The pause before a call that is to find the other side asleep.
const PAUSE: Duration = Duration::from_millis(5);

/// How many times a thread looks at a word before it lets others have its processor.
const LOOKS: u32 = 10_000;

/// The sorted times of a row.
struct PingRow {
    name: &'static str,
    key: &'static str,
    times: Vec<Duration>,
}

pub fn run(ping: &Ping) -> Result<(), Failure> {
    let slow = (ping.count / 50).max(1);
    let row = |name, key, times| PingRow { name, key, times };
    let waiting = Waiting::begin(format!("the server {:?}", ping.name));
    let access = &ping.access;
    let server = reach::endpoint(&ping.name, &access.place, access.timeout).server_info()?;
    let polled = calls(ping, WaitPolicy::Spin, ping.count, None)?;
    let polled_floor = floor(ping.count, None, look, |_| {})?;
    let parked = calls(ping, WaitPolicy::Park, slow, Some(PAUSE))?;
    let parked_floor = floor(slow, Some(PAUSE), |_| thread::park(), Thread::unpark)?;
    drop(waiting);
    let rows = [
        row("call, polled", "polled", polled),
        row("floor, polled", "polled_floor", polled_floor),
        row("call, parked", "parked", parked),
        row("floor, parked", "parked_floor", parked_floor),
    ];
    let reasons = slow_reasons::all(server.pid);
    if ping.json { write_json(&rows, &reasons) } else { write(&rows, &reasons) }
}

fn write(rows: &[PingRow], reasons: &[String]) -> Result<(), Failure> {
    let mut table = output::table(&["", "MEDIAN", "P99", "BEST"]);
    for PingRow { name, times, .. } in rows {
        let at = |part: f64| time(quantile(times, part));
        table.add_row([(*name).to_owned(), at(0.5), at(0.99), at(0.0)]);
    }
    output::write_table(&table)?;
    for why in reasons {
        output::line(format!("{} {why}", output::on_stdout(output::YELLOW, "slow:")))?;
    }
    Ok(())
}

fn write_json(rows: &[PingRow], reasons: &[String]) -> Result<(), Failure> {
    let mut all = Map::new();
    for PingRow { key, times, .. } in rows {
        let nanos = |part: f64| quantile(times, part).map(|time| time.as_nanos() as u64);
        let times = json!({
            "median_ns": nanos(0.5), "p99_ns": nanos(0.99), "best_ns": nanos(0.0),
        });
        all.insert((*key).to_owned(), times);
    }
    all.insert("slow".to_owned(), reasons.into());
    output::line(Value::Object(all))
}

/// Returns the time at a part of the sorted times.
fn quantile(times: &[Duration], part: f64) -> Option<Duration> {
    let last = times.len().checked_sub(1)?;
    times.get((last as f64 * part).round() as usize).copied()
}

fn calls(
    ping: &Ping,
    wait: WaitPolicy,
    count: u32,
    pause: Option<Duration>,
) -> Result<Vec<Duration>, Failure> {
    let client = reach::builder(&ping.name, &ping.access)?.wait(wait).connect()?;
    client.ping()?;
    let mut times = Vec::new();
    for _ in 0..count {
        thread::sleep(pause.unwrap_or_default());
        times.push(client.ping()?);
    }
    times.sort_unstable();
    Ok(times)
}

/// Returns how long two threads take to answer one another, by a word in memory. `wait` is what a thread does
/// that has looked at the word in vain that many times, `wake` what the other does after it has written.
fn floor(
    count: u32,
    pause: Option<Duration>,
    wait: fn(u32),
    wake: fn(&Thread),
) -> Result<Vec<Duration>, Failure> {
    let await_word = move |word: &AtomicU32, wanted: u32| {
        let mut looks = 0;
        while word.load(Acquire) != wanted {
            looks += 1;
            wait(looks);
        }
    };
    let word = Arc::new(AtomicU32::new(0));
    let (other, asking) = (Arc::clone(&word), thread::current());
    let answering = witrpc_rt::spawn("floor", move || {
        for round in 0..count {
            await_word(&other, 2 * round + 1);
            other.store(2 * round + 2, Release);
            wake(&asking);
        }
    });
    let answering = answering.map_err(Failure::not_run)?;
    let mut times = Vec::new();
    for round in 0..count {
        thread::sleep(pause.unwrap_or_default());
        let began = Instant::now();
        word.store(2 * round + 1, Release);
        wake(answering.thread());
        await_word(&word, 2 * round + 2);
        times.push(began.elapsed());
    }
    times.sort_unstable();
    Ok(times)
}

/// Looks again soon.
fn look(looks: u32) {
    if looks.is_multiple_of(LOOKS) {
        thread::yield_now();
    }
    spin_loop();
}
