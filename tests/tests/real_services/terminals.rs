//! Terminals: a method under two conditions, aliases, a field that is skipped, descriptors.

use std::os::fd::RawFd;
use std::path::PathBuf;

use arbitrary::Arbitrary;
use serde::{Deserialize, Serialize};
use witrpc::{Codec, wit_service};

use super::{Desk, events_come, over_each_codec};

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Arbitrary,
)]
pub enum PaneId {
    Terminal(u32),
    Plugin(u32),
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Arbitrary)]
pub struct RunCommand {
    #[serde(alias = "cmd")]
    pub command: PathBuf,
    #[serde(default)]
    pub args: Vec<String>,
    #[serde(default)]
    pub cwd: Option<PathBuf>,
    #[serde(default, skip)]
    #[arbitrary(default)]
    pub use_terminal_title: bool,
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Arbitrary)]
pub enum Action {
    OpenFile { path: PathBuf, line: Option<usize> },
    RunCommand(RunCommand),
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Arbitrary)]
pub struct OsFailure(pub i32, pub String);
pub type Result<T> = std::result::Result<T, OsFailure>;

#[wit_service]
pub trait ServerOsApi: Send + Sync {
    /// Sets the size of a terminal.
    fn set_terminal_size_using_terminal_id(
        &self,
        id: u32,
        cols: u16,
        rows: u16,
        width_in_pixels: Option<u16>,
        height_in_pixels: Option<u16>,
    ) -> Result<()>;
    #[cfg(unix)]
    fn spawn_terminal(
        &self,
        action: Action,
        editor: Option<PathBuf>,
    ) -> Result<(u32, RawFd, RawFd)>;
    #[cfg(windows)]
    fn spawn_terminal(&self, action: Action, editor: Option<PathBuf>) -> Result<(u32, u64)>;
    #[wit(event)]
    fn quit(&self, pane: PaneId, status: Option<i32>, command: RunCommand);
    fn reserve_terminal_id(&self) -> Result<u32>;
    fn read_from_tty_stdout(&self, fd: RawFd, most: u32) -> Result<Vec<u8>>;
    fn write_to_tty_stdin(&self, terminal_id: u32, buf: &[u8]) -> Result<usize>;
    fn kill(&self, pid: u32) -> Result<()>;
}

impl ServerOsApi for Desk {
    fn set_terminal_size_using_terminal_id(
        &self,
        id: u32,
        cols: u16,
        rows: u16,
        width_in_pixels: Option<u16>,
        height_in_pixels: Option<u16>,
    ) -> Result<()> {
        self.serve((id, cols, rows, width_in_pixels, height_in_pixels))
    }

    fn spawn_terminal(
        &self,
        action: Action,
        editor: Option<PathBuf>,
    ) -> Result<(u32, RawFd, RawFd)> {
        self.serve((action, editor))
    }

    fn reserve_terminal_id(&self) -> Result<u32> {
        self.serve(())
    }

    fn read_from_tty_stdout(&self, fd: RawFd, most: u32) -> Result<Vec<u8>> {
        self.serve((fd, most))
    }

    fn write_to_tty_stdin(&self, terminal_id: u32, buf: &[u8]) -> Result<usize> {
        self.serve((terminal_id, buf.to_vec()))
    }

    fn kill(&self, pid: u32) -> Result<()> {
        self.serve(pid)
    }
}

#[test]
fn terminals_of_a_multiplexer() {
    let desk = Desk::default();
    let mut emitter = None;
    let server = ServerOsApiServer::with_events(|events| {
        emitter = Some(events);
        desk.clone()
    });
    let events = emitter.expect("the service was made");
    over_each_codec!(
        ServerOsApiClient,
        server,
        quickest Codec::Postcard,
        unfit &[],
        |codec, client: &ServerOsApiClient| {
            desk.result(codec, |(id, cols, rows, width_in_pixels, height_in_pixels)| client.set_terminal_size_using_terminal_id(id, cols, rows, width_in_pixels, height_in_pixels));
            desk.result(codec, |(action, editor)| client.spawn_terminal(action, editor));
            desk.result(codec, |()| client.reserve_terminal_id());
            desk.result(codec, |(fd, most)| client.read_from_tty_stdout(fd, most));
            desk.result(codec, |(terminal_id, buf): (u32, Vec<u8>)| client.write_to_tty_stdin(terminal_id, &buf));
            desk.result(codec, |pid| client.kill(pid));
            let came = client.quit().unwrap();
            let quit = |(pane, status, command)| events.quit(pane, status, command);
            events_come(codec, quit, came, |came| (came.pane, came.status, came.command));
        }
    );
}
