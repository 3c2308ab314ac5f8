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

use rustix::thread::sched_getaffinity;
use witrpc::WaitPolicy;
use witrpc::dynamic::DynamicClient;

use crate::args::{CodecName, Ping};
use crate::failure::Failure;
use crate::output;
use crate::reach;
use crate::stats::time;

/// The pause before a call that is to find the other side asleep.
const PAUSE: Duration = Duration::from_millis(5);

/// How many times a thread looks at a word before it lets others have its processor.
const LOOKS: u32 = 10_000;

pub fn run(ping: &Ping) -> Result<(), Failure> {
    let slow = (ping.count / 50).max(1);
    let mut table = output::table(&["", "MEDIAN", "P99", "BEST"]);
    for (row, times) in [
        ("call, polled", calls(ping, WaitPolicy::Spin, ping.count, None)?),
        ("floor, polled", floor(ping.count, None, look, |_| {})?),
        ("call, parked", calls(ping, WaitPolicy::Park, slow, Some(PAUSE))?),
        ("floor, parked", floor(slow, Some(PAUSE), |_| thread::park(), Thread::unpark)?),
    ] {
        let at = |part: f64| time(quantile(&times, part));
        table.add_row([row.to_owned(), at(0.5), at(0.99), at(0.0)]);
    }
    output::write_table(&table)?;
    for why in slow_reasons() {
        output::line(format!("{} {why}", output::on_stdout(output::YELLOW, "slow:")))?;
    }
    Ok(())
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
    let codec = ping.access.codec.map(CodecName::codec);
    let client: DynamicClient = reach::connect_with(&ping.name, &ping.access, codec, wait)?;
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

/// Returns what keeps calls from being as quick as they could be here.
fn slow_reasons() -> Vec<String> {
    let mut reasons = Vec::new();
    let usable = thread::available_parallelism().map_or(1, usize::from);
    let online = online_processors();
    let pinned = sched_getaffinity(None).map_or(usable, |set| set.count() as usize);
    if usable == 1 {
        reasons.push(
            "this process has one processor, so each call waits for the scheduler twice: give it two"
                .to_owned(),
        );
    }
    if online.is_some_and(|online| pinned < online) {
        let of = online.unwrap_or_default();
        reasons.push(format!(
            "this process may use {pinned} of {of} processors (taskset, cpuset): a server that is pinned to \
             the same one cannot answer while this process looks"
        ));
    }
    if let Some(load) = load().filter(|load| *load > usable as f64) {
        reasons.push(format!(
            "the load is {load} on {usable} processors: others want them, so threads that look are put aside"
        ));
    }
    if let Some(policy) = policy().filter(|policy| *policy != 0) {
        let name = match policy {
            1 => "SCHED_FIFO",
            2 => "SCHED_RR",
            3 => "SCHED_BATCH",
            5 => "SCHED_IDLE",
            _ => "another policy than SCHED_OTHER",
        };
        reasons.push(format!(
            "this process runs under {name}, and its server may not: use one policy"
        ));
    }
    reasons
}

/// Returns how many processors the machine has.
fn online_processors() -> Option<usize> {
    let stat = std::fs::read_to_string("/proc/stat").ok()?;
    let is_processor = |line: &&str| {
        line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    Some(stat.lines().filter(is_processor).count())
}

fn load() -> Option<f64> {
    let load = std::fs::read_to_string("/proc/loadavg").ok()?;
    load.split(' ').next()?.parse().ok()
}

/// Returns the number of this process's scheduling policy.
fn policy() -> Option<u32> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program is in brackets, and may have blanks. Behind it comes field 3.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_ascii_whitespace().nth(41 - 3)?.parse().ok()
}
