//! Encrypted messages arrive unchanged, and are not found in shared memory.

use std::sync::mpsc;
use std::thread;

use futures_executor::block_on;
use tempfile::TempDir;
use witrpc::{
    AllocError, CallContext, CallError, ConnectError, Mmf, Shared, WitServer, WitServerBuilder,
    wit_service,
};
use witrpc_tests::regions;
use witrpc_tests::watchdog::PATIENCE;

/// Keeps a text while the shared memory is searched, and returns it.
#[wit_service]
trait Vault {
    fn echo(&self, secret: Vec<u8>) -> Vec<u8>;
    fn mean(&self, samples: &[f64]) -> f64;
    fn refuse(&self, secret: String) -> Result<(), String>;
    fn pass(&self, secret: Shared<[u8]>, again: &Shared<[u8]>) -> Result<Shared<[u8]>, String>;
    /// Returns the error of a handler that shares `len` bytes.
    fn share(&self, #[wit(ctx)] cx: &CallContext, len: u64) -> Option<String>;
}

struct Safe;

impl Vault for Safe {
    fn echo(&self, secret: Vec<u8>) -> Vec<u8> {
        secret
    }

    fn mean(&self, samples: &[f64]) -> f64 {
        samples.iter().sum::<f64>() / samples.len() as f64
    }

    fn refuse(&self, secret: String) -> Result<(), String> {
        Err(secret)
    }

    fn pass(&self, secret: Shared<[u8]>, again: &Shared<[u8]>) -> Result<Shared<[u8]>, String> {
        if secret.iter().eq(again) { Ok(secret) } else { Err("they differ".to_owned()) }
    }

    fn share(&self, cx: &CallContext, len: u64) -> Option<String> {
        cx.alloc::<u8>(len as usize).err().map(|error| error.to_string())
    }
}

fn server(place: &Mmf, encryption: bool) -> WitServer {
    let builder: WitServerBuilder = WitServer::builder().listen(place.clone());
    builder.service(VaultServer::new(Safe)).encryption(encryption).start().unwrap()
}

fn client(place: &Mmf, encryption: bool) -> Result<VaultClient, ConnectError> {
    // Some of the work is much for a machine under load.
    let builder = VaultClient::builder(place.clone()).call_timeout(PATIENCE);
    builder.encryption(encryption).connect()
}

/// Returns bytes that nothing else in this process sends or has sent: the regions of other
/// connections are searched too, and those of one that has just ended may still exist.
fn marker() -> [u8; 16] {
    std::array::from_fn(|_| fastrand::u8(..))
}

#[test]
fn messages_of_every_length_come_back_as_they_went() {
    let dir = TempDir::new().unwrap();
    for size in [48 << 10, 1 << 20, 32 << 20] {
        let place = Mmf::new("vault").in_dir(dir.path()).size(size);
        let _server = server(&place, true);
        let vault = client(&place, true).unwrap();
        for len in [0, 1, 20, 23, 24, 25, 47, 48, 49, 1_000, 65_471, 65_473, 200_000, 6_000_000] {
            let secret: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            assert!(vault.echo(secret.clone()).unwrap() == secret, "{len} bytes over {size}");
        }
        assert_eq!(vault.mean(&[1.0; 100_000]), Ok(1.0));
        assert_eq!(vault.refuse("no".to_owned()), Err(CallError::App("no".to_owned())));
    }
}

#[test]
fn threads_share_an_encrypted_connection() {
    let dir = TempDir::new().unwrap();
    let place = Mmf::new("vault").in_dir(dir.path()).lanes(8);
    let _server = server(&place, true);
    let vault = client(&place, true).unwrap();
    thread::scope(|scope| {
        for number in 0..16_u8 {
            let vault = &vault;
            scope.spawn(move || {
                for len in (0..200_usize).map(|round| round * round) {
                    let secret = vec![number; len];
                    assert!(vault.echo(secret.clone()).unwrap() == secret);
                }
            });
        }
    });
}

#[test]
fn one_side_alone_is_told_which() {
    let dir = TempDir::new().unwrap();
    let place = Mmf::new("vault").in_dir(dir.path());
    for (ours, theirs) in [(true, false), (false, true)] {
        let _server = server(&place, theirs);
        match (ours, client(&place, ours).unwrap_err()) {
            (true, ConnectError::EncryptionUnavailable) => {}
            (false, ConnectError::EncryptionRequired) => {}
            (_, other) => panic!("{other}"),
        }
    }
}

/// The keys of a lane are renewed automatically every 16,384 pieces.
#[test]
fn one_lane_goes_on_beyond_its_first_keys() {
    let dir = TempDir::new().unwrap();
    let place = Mmf::new("vault").in_dir(dir.path()).lanes(1);
    let _server = server(&place, true);
    let vault = client(&place, true).unwrap();
    for round in 0..17_000_u32 {
        let secret = round.to_le_bytes();
        assert_eq!(vault.echo(secret.to_vec()).as_deref(), Ok(&secret[..]), "call {round}");
    }
}

#[test]
fn what_was_said_is_found_in_the_shared_memory_only_in_clear() {
    let dir = TempDir::new().unwrap();
    let place = Mmf::new("vault").in_dir(dir.path()).size(1 << 20);
    for encryption in [false, true] {
        let _server = server(&place, encryption);
        let vault = client(&place, encryption).unwrap();
        // In a line, in a block, in segments.
        for copies in [1, 90, 90_000] {
            let marker = marker();
            let secret = marker.repeat(copies);
            assert!(vault.echo(secret.clone()).unwrap() == secret);
            assert_eq!(regions::hold(&marker), !encryption, "{copies} times");
        }
    }
}

/// The memory is searched while a large request is in flight, when it would be easiest to find.
#[test]
fn no_part_of_a_message_stands_in_clear_while_it_is_sealed() {
    let dir = TempDir::new().unwrap();
    let place = Mmf::new("vault").in_dir(dir.path()).size(1 << 20);
    let _server = server(&place, true);
    let vault = client(&place, true).unwrap();
    let marker = marker();
    let secret = marker.repeat(100_000);
    let (done, is_done) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..20 {
                assert!(vault.echo(secret.clone()).unwrap() == secret);
            }
            done.send(()).unwrap();
        });
        while is_done.try_recv().is_err() {
            assert!(!regions::hold(&marker));
        }
    });
}

#[test]
fn what_is_shared_is_copied_and_sealed() {
    let dir = TempDir::new().unwrap();
    let place = Mmf::new("vault").in_dir(dir.path()).size(1 << 20);
    for encryption in [false, true] {
        let _server = server(&place, encryption);
        let vault = client(&place, encryption).unwrap();
        for copies in [1, 90, 90_000] {
            let marker = marker();
            let secret = Shared::from_vec(marker.repeat(copies));
            let passed = vault.pass(secret.clone(), &secret).unwrap();
            assert!(passed.iter().eq(&secret));
            assert!(passed.as_slice().is_some(), "it came in the message");
            assert_eq!(regions::hold(&marker), !encryption, "{copies} times");
        }
    }
}

#[test]
fn an_encrypted_connection_has_no_memory_to_share() {
    let dir = TempDir::new().unwrap();
    let place = Mmf::new("vault").in_dir(dir.path());
    let _server = server(&place, true);
    let vault = client(&place, true).unwrap();
    let connection = vault.connection();
    for len in [0, 1, 100_000, usize::MAX] {
        assert_eq!(connection.alloc::<u8>(len).unwrap_err(), AllocError::Encrypted);
        assert_eq!(connection.try_alloc::<u8>(len).unwrap_err(), AllocError::Encrypted);
        assert_eq!(connection.alloc_all::<u8>(&[len, 1]).unwrap_err(), AllocError::Encrypted);
        let refused = block_on(connection.alloc_async::<u8>(len)).unwrap_err();
        assert_eq!(refused, AllocError::Encrypted);
    }
    assert_eq!(connection.alloc_value::<u64>().unwrap_err(), AllocError::Encrypted);
    for len in [0, 1, 100_000] {
        assert_eq!(vault.share(len), Ok(Some(AllocError::Encrypted.to_string())));
    }

    // Memory that another connection has lent is copied and sealed for this one.
    let open = Mmf::new("open").in_dir(dir.path());
    let _open = server(&open, false);
    let lender = client(&open, false).unwrap();
    assert_eq!(lender.share(100), Ok(None));
    let mut secret = lender.connection().alloc::<u8>(50_000).unwrap();
    secret.fill(7);
    let secret = secret.freeze();
    let passed = vault.pass(secret.clone(), &secret).unwrap();
    assert_eq!(passed.to_vec(), [7; 50_000]);
}
