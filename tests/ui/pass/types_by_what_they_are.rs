//! A type is what it is, and not what it is called: types of the user's with names that others have, and
//! other names for those.

#![deny(warnings)]

use std::ffi::{CStr, CString, OsStr, OsString};

use serde::{Deserialize, Serialize};
use witrpc::wit_service;

mod canvas {
    use serde::{Deserialize, Serialize};
    use witrpc::wit_service;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Path {
        pub points: Vec<(f64, f64)>,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Shared<T>(pub T);

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct CallContext {
        pub cycles: u64,
    }

    #[wit_service]
    pub trait Canvas {
        fn stroke(&self, path: &Path) -> usize;
        async fn stroke_later(&self, path: &Path) -> usize;
        fn run(&self, context: CallContext, lent: &CallContext) -> u64;
        fn share(&self, shared: &Shared<Vec<u8>>) -> Shared<Vec<u8>>;
        fn items(&self) -> impl Iterator<Item = Shared<u8>>;
        #[wit(event)]
        fn drawn(&self, path: &Path, shared: Shared<u8>);
    }
}
use canvas::{Canvas, CanvasClient, CanvasServer};

#[derive(Clone)]
struct Sheet(Option<canvas::CanvasEvents>);

impl Canvas for Sheet {
    fn stroke(&self, path: &canvas::Path) -> usize {
        if let Some(events) = &self.0 {
            events.drawn(path, canvas::Shared(1)).unwrap();
        }
        path.points.len()
    }
    async fn stroke_later(&self, path: &canvas::Path) -> usize {
        path.points.len()
    }
    fn run(&self, context: canvas::CallContext, lent: &canvas::CallContext) -> u64 {
        context.cycles + lent.cycles
    }
    fn share(&self, shared: &canvas::Shared<Vec<u8>>) -> canvas::Shared<Vec<u8>> {
        shared.clone()
    }
    fn items(&self) -> impl Iterator<Item = canvas::Shared<u8>> {
        std::iter::once(canvas::Shared(1))
    }
}

type Place = std::path::Path;
type Name = str;
type Bytes = [u8];
type Caller = witrpc::CallContext;

#[derive(Serialize, Deserialize)]
struct Renamed;

#[wit_service]
trait Files {
    fn place(&self, place: &Place) -> usize;
    fn name(&self, name: &Name) -> usize;
    fn bytes(&self, bytes: &Bytes) -> usize;
    fn os(&self, name: &OsStr) -> OsString;
    fn c(&self, name: &CStr) -> CString;
    async fn os_later(&self, name: &OsStr, #[wit(ctx)] caller: &Caller) -> OsString;
    fn all(&self, place: &std::path::Path, it: &Renamed, #[wit(ctx)] caller: &Caller) -> u32;
    #[wit(event)]
    fn moved(&self, from: &std::path::Path);
}

struct Disk;

impl Files for Disk {
    fn place(&self, place: &Place) -> usize {
        place.as_os_str().len()
    }
    fn name(&self, name: &Name) -> usize {
        name.len()
    }
    fn bytes(&self, bytes: &Bytes) -> usize {
        bytes.len()
    }
    fn os(&self, name: &OsStr) -> OsString {
        name.to_owned()
    }
    fn c(&self, name: &CStr) -> CString {
        name.to_owned()
    }
    async fn os_later(&self, name: &OsStr, caller: &Caller) -> OsString {
        assert_eq!(caller.pid(), std::process::id());
        name.to_owned()
    }
    fn all(&self, _place: &std::path::Path, _it: &Renamed, caller: &Caller) -> u32 {
        caller.pid()
    }
}

fn main() {
    let path = canvas::Path { points: vec![(0.0, 1.0)] };
    let client = CanvasClient::in_process(Sheet(None));
    assert_eq!(client.stroke(&path), Ok(1));
    assert_eq!(client.stroke_later(&path), Ok(1));
    let context = canvas::CallContext { cycles: 2 };
    assert_eq!(client.run(context.clone(), &context), Ok(4));
    assert_eq!(client.share(&canvas::Shared(vec![1])), Ok(canvas::Shared(vec![1])));
    assert_eq!(client.items().unwrap().next().unwrap(), Ok(canvas::Shared(1)));
    let _ = CanvasServer::with_events(|events| Sheet(Some(events)));
    let drawn = |drawn: canvas::CanvasDrawn| -> (canvas::Path, canvas::Shared<u8>) {
        (drawn.path, drawn.shared)
    };
    let _ = drawn;

    let client = FilesClient::in_process(Disk);
    assert_eq!(client.place("four".as_ref()), Ok(4));
    assert_eq!(client.name("four"), Ok(4));
    assert_eq!(client.bytes(b"four"), Ok(4));
    assert_eq!(client.os("four".as_ref()), Ok("four".into()));
    assert_eq!(client.c(c"four"), Ok(c"four".to_owned()));
    assert_eq!(client.c(c""), Ok(c"".to_owned()));
    assert_eq!(client.os_later("four".as_ref()), Ok("four".into()));
    assert_eq!(client.all("four".as_ref(), &Renamed), Ok(std::process::id()));
    let moved = |moved: FilesMoved| -> std::path::PathBuf { moved.from };
    let _ = moved;
}
