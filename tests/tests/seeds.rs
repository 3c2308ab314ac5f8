//! Runs the seeds of the fuzz targets for the layers above the channel, and some noise. There is no
//! fuzzer, so these runs find only known cases.

use std::fs;
use std::path::Path;

use fastrand::Rng;
use witrpc_tests::adversary::{peers, socket};
use witrpc_tests::watchdog::{PATIENCE, Watchdog};

/// Runs the seeds of a target as they are and with some bytes changed.
fn run(target: &str, fuzzed: fn(&[u8])) {
    let _watchdog = Watchdog::new(2 * PATIENCE);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target);
    let seeds = fs::read_dir(&folder).expect("the target has seeds");
    let seeds = seeds.map(|seed| fs::read(seed.expect("it can be read").path()));
    let seeds: Vec<_> = seeds.map(|seed| seed.expect("it can be read")).collect();
    assert!(!seeds.is_empty(), "{folder:?} holds no seeds");
    seeds.iter().for_each(|seed| fuzzed(seed));
    let mut rng = Rng::with_seed(1);
    for _ in 0..500 {
        let mut bytes = rng.choice(&seeds).expect("there are some").clone();
        for _ in 0..rng.usize(1..4) {
            if !bytes.is_empty() {
                let place = rng.usize(..bytes.len());
                bytes[place] = rng.u8(..);
            }
        }
        bytes.truncate(rng.usize(..=bytes.len()));
        fuzzed(&bytes);
    }
}

#[test]
fn hellos() {
    run("hello", peers::hello);
}

#[test]
fn welcomes() {
    run("welcome", peers::welcome);
}

#[test]
fn requests() {
    run("requests", peers::requests);
}

#[test]
fn answers() {
    run("answers", peers::answers);
}

#[test]
fn frames_of_clients() {
    run("socket_client", socket::from_client);
}

#[test]
fn frames_of_servers() {
    run("socket_server", socket::from_server);
}
