//! An error of `std::io` reaches the client as a `RemoteError`, however the type of the result is written.

use std::io::{self, ErrorKind};

use witrpc::{CallError, RemoteError, wit_service};

type Outcome<T> = io::Result<T>;

#[wit_service]
trait Files {
    fn size(&self, name: &str) -> io::Result<u64>;
    async fn read(&self, name: &str) -> Result<Vec<u8>, std::io::Error>;
    fn remove(&self, name: &str) -> Outcome<()> {
        Err(io::Error::from_raw_os_error(name.len() as i32))
    }
}

struct Folder;

impl Files for Folder {
    fn size(&self, name: &str) -> io::Result<u64> {
        Ok(std::fs::metadata(name)?.len())
    }

    async fn read(&self, name: &str) -> Result<Vec<u8>, std::io::Error> {
        std::fs::read(name)
    }
}

fn kind<T>(outcome: Result<T, CallError<RemoteError>>) -> ErrorKind {
    match outcome {
        Err(CallError::App(error)) => error.kind(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("no such file is there"),
    }
}

fn main() {
    let files = FilesClient::in_process(Folder);
    assert!(files.size("/proc/self/exe").unwrap() > 0);
    assert_eq!(kind(files.size("/no/such/file")), ErrorKind::NotFound);
    assert_eq!(kind(files.read("/no/such/file")), ErrorKind::NotFound);
    assert_eq!(kind(files.remove("ab")), ErrorKind::NotFound);
}
