//! A process in a sandbox: results within newtypes, bytes, `Arc`s that are written as what they point to.

use std::collections::BTreeMap;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_bytes::ByteBuf;
use witrpc::{Codec, wit_service};

use super::{Desk, over_each_codec};

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Arbitrary,
)]
pub struct ModuleId(u64);
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Arbitrary,
)]
pub struct HeapId(u64);
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Arbitrary,
)]
pub struct RunId(u64);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct LeaveRequest {}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct LeaveReply {
    pub success: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct LoadRequest {
    pub module: ModuleId,
    #[serde(with = "serde_bytes")]
    pub source: Vec<u8>,
}
/// A newtype around a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct LoadReply(pub Result<(CompileCost, Facts), EngineError>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct CompileCost {
    pub instructions: u64,
    pub took: Duration,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Arbitrary)]
pub struct Facts {
    pub exports: std::collections::BTreeSet<Export>,
    pub sections: BTreeMap<String, Vec<u8>>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Arbitrary)]
pub enum Export {
    Update(String),
    Query(String),
    System(Hook),
}

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Arbitrary,
)]
pub enum Hook {
    Init = 0,
    BeforeUpgrade = 1,
    AfterUpgrade = 2,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Arbitrary)]
pub enum EngineError {
    Invalid(InvalidModule),
    Trapped { code: TrapCode, backtrace: Option<Vec<(Option<u32>, Option<String>)>> },
    OutOfSpace,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Arbitrary)]
pub enum InvalidModule {
    TooBig { size: usize, allowed: usize },
    Wrong(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Arbitrary)]
pub enum TrapCode {
    Stack,
    HeapOutOfBounds,
    Other,
}

/// Pages by their numbers.
fn pages(u: &mut Unstructured<'_>) -> arbitrary::Result<Vec<(u64, ByteBuf)>> {
    let pages = Vec::<(u64, Vec<u8>)>::arbitrary(u)?;
    Ok(pages.into_iter().map(|(number, page)| (number, ByteBuf::from(page))).collect())
}

/// Shared in memory, and written as what it points to by hand.
fn write_arc<S: Serializer>(value: &Arc<Facts>, to: S) -> Result<S::Ok, S::Error> {
    value.as_ref().serialize(to)
}
fn read_arc<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<Facts>, D::Error> {
    Facts::deserialize(from).map(Arc::new)
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct LoadCachedRequest {
    pub module: ModuleId,
    #[serde(serialize_with = "write_arc", deserialize_with = "read_arc")]
    pub facts: Arc<Facts>,
    pub bytes_fd: RawFd,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct LoadCachedReply;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct OpenHeapRequest {
    pub heap: HeapId,
    pub pages: HeapPages,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct HeapPages {
    pub base: Option<RawFd>,
    #[arbitrary(with = pages)]
    pub delta: Vec<(u64, ByteBuf)>,
    pub size_in_pages: usize,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct OpenHeapReply {
    pub success: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct RunRequest {
    pub run: RunId,
    pub module: ModuleId,
    pub heap: HeapId,
    pub input: RunInput,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub enum RunInput {
    Start { time: u64 },
    Call { method: String, payload: Vec<u8>, cycles: u128, reply_to: Option<(u64, u64)> },
    Resume,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct RunReply {
    pub success: bool,
}

/// One answer that may be there later.
pub type Pending<T> = Result<T, Gone>;
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub enum Gone {
    ServerError,
    Disconnected,
}

/// What the controller asks of the process in the sandbox.
#[wit_service]
pub trait SandboxService: Send + Sync {
    /// Asks the process to end.
    #[wit(result)]
    fn leave(&self, req: LeaveRequest) -> Pending<LeaveReply>;
    #[wit(result)]
    fn load(&self, req: LoadRequest) -> Pending<LoadReply>;
    #[wit(result)]
    fn load_cached(&self, req: LoadCachedRequest) -> Pending<LoadCachedReply>;
    #[wit(result)]
    fn open_heap(&self, req: OpenHeapRequest) -> Pending<OpenHeapReply>;
    #[wit(result)]
    fn run(&self, req: RunRequest) -> Pending<RunReply>;
}

impl SandboxService for Desk {
    fn leave(&self, req: LeaveRequest) -> Pending<LeaveReply> {
        self.serve(req)
    }

    fn load(&self, req: LoadRequest) -> Pending<LoadReply> {
        self.serve(req)
    }

    fn load_cached(&self, req: LoadCachedRequest) -> Pending<LoadCachedReply> {
        self.serve(req)
    }

    fn open_heap(&self, req: OpenHeapRequest) -> Pending<OpenHeapReply> {
        self.serve(req)
    }

    fn run(&self, req: RunRequest) -> Pending<RunReply> {
        self.serve(req)
    }
}

#[test]
fn a_sandboxed_process() {
    let desk = Desk::default();
    over_each_codec!(
        SandboxServiceClient,
        SandboxServiceServer::new(desk.clone()),
        quickest Codec::Postcard,
        unfit &[],
        |codec, client: &SandboxServiceClient| {
            desk.result(codec, |req| client.leave(req));
            desk.result(codec, |req| client.load(req));
            desk.result(codec, |req| client.load_cached(req));
            desk.result(codec, |req| client.open_heap(req));
            desk.result(codec, |req| client.run(req));
        }
    );
}
