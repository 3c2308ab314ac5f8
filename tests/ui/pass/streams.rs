//! Streams in every place, of every kind of item.

#![deny(warnings, missing_docs)]
#![forbid(unsafe_code)]

use std::path::Path;

use witrpc::{CallContext, Stream, wit_service};

/// What goes wrong with a line.
pub type Problem = String;

/// Items of all kinds.
#[wit_service]
pub trait Files {
    /// Plain numbers.
    fn offsets(&self, path: &Path) -> impl Iterator<Item = u64>;
    /// Bytes.
    fn blocks(&self, path: &str, #[wit(ctx)] cx: &CallContext) -> impl Stream<Item = Vec<u8>>;
    /// An error in place of the stream, and errors in it.
    fn lines(
        &self,
        path: &str,
    ) -> Result<impl Iterator<Item = std::result::Result<String, Problem>>, Problem>;
    /// The same, later.
    async fn lines_later(
        &self,
        path: String,
    ) -> Result<impl Stream<Item = Result<String, Problem>>, Problem>;
    /// Taken from an iterator.
    fn write(&self, path: &str, blocks: impl Iterator<Item = Vec<u8>>) -> Result<u64, Problem>;
    /// Taken from a stream.
    async fn write_later(&self, path: &str, blocks: impl Stream<Item = Vec<u8>>) -> u64;
}

/// Compiles for both clients.
pub fn used(client: &FilesClient) -> Result<u64, witrpc::CallError<Problem>> {
    let lines = client.lines("a")?;
    let mut len = 0;
    for line in lines {
        len += line?.len() as u64;
    }
    Ok(len + client.write("b", [vec![1_u8]].into_iter())?)
}

fn main() {}
