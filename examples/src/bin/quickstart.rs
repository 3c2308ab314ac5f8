//! The tour: starts a second process of itself as the server and shows every kind of call.
//!
//! `quickstart [TEXT_FILE]` counts the words of README.md, or of the file given.

#![forbid(unsafe_code)]

use std::error::Error;
use std::future::Future;
use std::io::{BufRead, BufReader, Read};
use std::pin::pin;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use witrpc::{CallError, Mmf, WitServer};
use witrpc_examples::calculator::{
    CalculatorAsyncClient, CalculatorClient, CalculatorServer, Desk, DivideError,
};
use witrpc_examples::floor;

/// The environment variable that gives the second process the name that it serves.
const SERVE: &str = "QUICKSTART_SERVE";

fn main() -> Result<(), Box<dyn Error>> {
    match std::env::var(SERVE) {
        Ok(name) => serve(&name),
        Err(_) => demonstrate(),
    }
}

/// Runs the second process. It ends when its standard input ends, which is with its parent, however
/// the parent ends.
fn serve(name: &str) -> Result<(), Box<dyn Error>> {
    let _server =
        WitServer::builder().listen(Mmf::new(name)).service(CalculatorServer::new(Desk)).start()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn demonstrate() -> Result<(), Box<dyn Error>> {
    let endpoint = Mmf::unguessable();
    let mut server = start_server(endpoint.name())?;
    println!("server: process {} on an unguessable name", server.id());

    let calculator = CalculatorClient::builder(endpoint.clone())
        .wait_for_server(Duration::from_secs(10))
        .connect()?;
    let (pid, uid) = calculator.whoami()?;
    println!("client: process {pid} of user {uid}, connected\n");

    show_calls(&calculator)?;
    show_async(&endpoint)?;
    show_threads(&calculator)?;
    show_cost(&calculator)?;
    show_death(&calculator, &mut server)
}

/// Starts a second process of this program, with pipes for its standard input and output.
fn start_server(name: &str) -> Result<Child, Box<dyn Error>> {
    let mut command = Command::new(std::env::current_exe()?);
    command.env(SERVE, name).stdin(Stdio::piped()).stdout(Stdio::piped());
    // The error that comes back shows the server's panic.
    command.stderr(Stdio::null());
    Ok(command.spawn()?)
}

fn show_calls(calculator: &CalculatorClient) -> Result<(), Box<dyn Error>> {
    println!("add(40, 2)               = {}", calculator.add(40, 2)?);

    match calculator.divide(1, 0) {
        Err(CallError::App(error @ DivideError::ByZero)) => {
            println!("divide(1, 0)             = the service's own error: {error}");
        }
        other => return Err(format!("divide(1, 0) gave {other:?}").into()),
    }

    let samples: Vec<f64> = (0..1_000_000).map(f64::from).collect();
    println!("mean(a million f64)      = {}", calculator.mean(&samples)?);

    let path = std::env::args()
        .nth(1)
        .unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md").to_owned());
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let words = calculator.count_words(&text)?;
    println!("count_words({:>6} bytes) = {words}", text.len());

    match calculator.fail() {
        Err(CallError::Panicked { message }) => {
            println!("fail()                   = the handler panicked: {message:?}");
        }
        other => return Err(format!("fail() gave {other:?}").into()),
    }
    println!("and the server lives on: add(1, 1) = {}", calculator.add(1, 1)?);
    Ok(())
}

fn show_async(endpoint: &Mmf) -> Result<(), Box<dyn Error>> {
    let found = block_on(async {
        let calculator = CalculatorAsyncClient::connect(endpoint.clone()).await?;
        Ok::<_, Box<dyn Error>>(calculator.name_of(std::f64::consts::PI).await?)
    })?;
    println!("name_of(pi).await        = {found:?}");
    Ok(())
}

fn show_threads(calculator: &CalculatorClient) -> Result<(), Box<dyn Error>> {
    let sums: Result<Vec<i64>, CallError> = thread::scope(|scope| {
        let count = |by| (0..1_000).try_fold(0, |sum, _| calculator.add(sum, by));
        let threads: Vec<_> = (1..=4).map(|by| scope.spawn(move || count(by))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no thread panics")).collect()
    });
    println!("4 threads, 1000 sums each = {:?}", sums?);
    Ok(())
}

/// Shows the cost of a call beside the floor, measured in turns: the machine may have other work.
fn show_cost(calculator: &CalculatorClient) -> Result<(), Box<dyn Error>> {
    // A debug build is for trying, not for measuring.
    const CALLS: u32 = if cfg!(debug_assertions) { 500 } else { 20_000 };
    let mut rounds = Vec::new();
    for _ in 0..11 {
        let floor = floor::round_trip(CALLS.into());
        let start = Instant::now();
        for a in 0..CALLS {
            calculator.add(a.into(), 1)?;
        }
        rounds.push((start.elapsed() / CALLS, floor));
    }
    let ratio = |(call, floor): &(Duration, Duration)| call.as_secs_f64() / floor.as_secs_f64();
    rounds.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));
    let median = &rounds[rounds.len() / 2];
    println!(
        "\na call takes {:?}, {:.2} times a word bounced between two cores ({:?})",
        median.0,
        ratio(median),
        median.1,
    );
    Ok(())
}

/// Kills the server while it runs a handler.
fn show_death(calculator: &CalculatorClient, server: &mut Child) -> Result<(), Box<dyn Error>> {
    let output = server.stdout.take().ok_or("the server's output is a pipe")?;
    let outcome = thread::scope(|scope| {
        let call = scope.spawn(|| calculator.hang());
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        server.kill()?;
        server.wait()?;
        call.join().map_err(|_| std::io::Error::other("the calling thread panicked"))
    })?;
    match outcome {
        Err(error @ CallError::PeerDied) => println!("\nserver killed in a call: {error}"),
        other => return Err(format!("a call to a killed server gave {other:?}").into()),
    }
    match calculator.add(1, 1) {
        Err(error @ CallError::Disconnected(_)) => println!("the call after that: {error}"),
        other => return Err(format!("a call to a dead server gave {other:?}").into()),
    }
    Ok(())
}

/// Runs a future on this thread: witrpc needs no runtime, and works with any.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}
