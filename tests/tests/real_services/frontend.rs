//! A virtual device: UUIDs as keys, errors that are numbers, arguments with an underscore.

use arbitrary::Arbitrary;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use witrpc::{Codec, wit_service};

use super::{Desk, over_each_codec};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Arbitrary)]
#[repr(C)]
pub struct SharedObject {
    pub uuid: Uuid,
}
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Arbitrary)]
#[repr(C)]
pub struct Mapping {
    pub shmid: u8,
    pub padding: [u8; 7],
    pub fd_offset: u64,
    pub shm_offset: u64,
    pub len: u64,
    pub flags: u64,
}

pub type HandlerResult<T> = std::result::Result<T, i32>;

#[wit_service]
pub trait FrontendRequests {
    #[wit(result)]
    fn handle_config_change(&self) -> HandlerResult<u64>;
    #[wit(result)]
    fn shared_object_add(&self, _uuid: &SharedObject) -> HandlerResult<u64>;
    #[wit(result)]
    fn shared_object_lookup(&self, _uuid: &SharedObject, _fd: i32) -> HandlerResult<u64>;
    #[wit(result)]
    fn shmem_map(&self, _req: &Mapping, _fd: i32) -> HandlerResult<u64>;
    fn all(&self) -> std::collections::HashMap<Uuid, Vec<Mapping>>;
}

impl FrontendRequests for Desk {
    fn handle_config_change(&self) -> HandlerResult<u64> {
        self.serve(())
    }

    fn shared_object_add(&self, _uuid: &SharedObject) -> HandlerResult<u64> {
        self.serve(*_uuid)
    }

    fn shared_object_lookup(&self, _uuid: &SharedObject, _fd: i32) -> HandlerResult<u64> {
        self.serve((*_uuid, _fd))
    }

    fn shmem_map(&self, _req: &Mapping, _fd: i32) -> HandlerResult<u64> {
        self.serve((*_req, _fd))
    }

    fn all(&self) -> std::collections::HashMap<Uuid, Vec<Mapping>> {
        self.serve(())
    }
}

#[test]
fn a_virtual_device() {
    let desk = Desk::default();
    over_each_codec!(
        FrontendRequestsClient,
        FrontendRequestsServer::new(desk.clone()),
        quickest Codec::Postcard,
        unfit &[],
        |codec, client: &FrontendRequestsClient| {
            desk.result(codec, |()| client.handle_config_change());
            desk.result(codec, |uuid: SharedObject| client.shared_object_add(&uuid));
            desk.result(codec, |(uuid, fd): (SharedObject, i32)| client.shared_object_lookup(&uuid, fd));
            desk.result(codec, |(req, fd): (Mapping, i32)| client.shmem_map(&req, fd));
            desk.plain(codec, |()| client.all());
        }
    );
}
