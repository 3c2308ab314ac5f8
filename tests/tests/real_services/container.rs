//! A container: options of texts, tuples with a time, a method under a condition.

use arbitrary::Arbitrary;
use serde::{Deserialize, Serialize};
use witrpc::{Codec, wit_service};

use super::{Desk, over_each_codec};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Arbitrary)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Unknown = 0,
    Created = 1,
    Running = 2,
    Stopped = 3,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct State {
    pub id: String,
    pub pid: u32,
    pub status: Status,
    pub exited_at: Option<chrono::DateTime<chrono::Utc>>,
}
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct Resources {
    pub memory: Option<i64>,
    pub unified: std::collections::HashMap<String, String>,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub enum Error {
    NotFoundError(String),
    Nix(i32),
    Unimplemented(String),
}
pub type Result<T> = std::result::Result<T, Error>;
pub type Exit = (i32, i32, Option<chrono::DateTime<chrono::Utc>>);

#[wit_service]
pub trait Container {
    async fn start(&self, exec_id: Option<String>) -> Result<i32>;
    async fn state(&self, exec_id: &Option<String>) -> Result<State>;
    async fn kill(&self, exec_id: Option<String>, signal: u32, all: bool) -> Result<()>;
    async fn wait_channel(&self, exec_id: Option<String>) -> Result<()>;
    async fn get_exit_info(&self, exec_id: Option<String>) -> Result<Exit>;
    async fn pid(&self) -> i32;
    async fn id(&self) -> String;
    #[cfg(target_os = "linux")]
    async fn update(&self, resources: &Resources) -> Result<()>;
    #[cfg(not(target_os = "linux"))]
    async fn update(&self, _resources: &Resources) -> Result<()>;
}

impl Container for Desk {
    async fn start(&self, exec_id: Option<String>) -> Result<i32> {
        self.serve(exec_id)
    }

    async fn state(&self, exec_id: &Option<String>) -> Result<State> {
        self.serve(exec_id.clone())
    }

    async fn kill(&self, exec_id: Option<String>, signal: u32, all: bool) -> Result<()> {
        self.serve((exec_id, signal, all))
    }

    async fn wait_channel(&self, exec_id: Option<String>) -> Result<()> {
        self.serve(exec_id)
    }

    async fn get_exit_info(&self, exec_id: Option<String>) -> Result<Exit> {
        self.serve(exec_id)
    }

    async fn pid(&self) -> i32 {
        self.serve(())
    }

    async fn id(&self) -> String {
        self.serve(())
    }

    async fn update(&self, resources: &Resources) -> Result<()> {
        self.serve(resources.clone())
    }
}

#[test]
fn a_container() {
    let desk = Desk::default();
    over_each_codec!(
        ContainerClient,
        ContainerServer::new(desk.clone()),
        quickest Codec::Postcard,
        unfit &[],
        |codec, client: &ContainerClient| {
            desk.result(codec, |exec_id| client.start(exec_id));
            desk.result(codec, |exec_id: Option<String>| client.state(&exec_id));
            desk.result(codec, |(exec_id, signal, all)| client.kill(exec_id, signal, all));
            desk.result(codec, |exec_id| client.wait_channel(exec_id));
            desk.result(codec, |exec_id| client.get_exit_info(exec_id));
            desk.plain(codec, |()| client.pid());
            desk.plain(codec, |()| client.id());
            desk.result(codec, |resources: Resources| client.update(&resources));
        }
    );
}
