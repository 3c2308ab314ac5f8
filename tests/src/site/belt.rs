//! A site where the conveyor is served beside the workshop.

use futures_executor::block_on;
use witrpc::Codec;

use super::{Plan, Site, Transport};
use crate::conveyor::{ConveyorAsyncClient, ConveyorClient};

impl Site {
    /// A server of the conveyor too, otherwise as planned.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn with_conveyor(transport: Transport, plan: Plan) -> Self {
        Self::with(transport, Plan { conveyor: true, ..plan })
    }

    /// A new client of the conveyor.
    ///
    /// # Panics
    ///
    /// When it cannot connect, or there is no conveyor.
    pub fn conveyor(&self) -> ConveyorClient {
        self.client().connection().client().expect("it is served")
    }

    /// A new client of the conveyor, with this codec.
    ///
    /// # Panics
    ///
    /// When it cannot connect, or there is no conveyor.
    pub fn conveyor_with(&self, codec: Codec) -> ConveyorClient {
        let client = self.builder().codec(codec).connect().expect("the client connects");
        client.connection().client().expect("it is served")
    }

    /// A new async client of the conveyor.
    ///
    /// # Panics
    ///
    /// When it cannot connect, or there is no conveyor.
    pub fn conveyor_later(&self) -> ConveyorAsyncClient {
        block_on(self.async_client().connection().client_async()).expect("it is served")
    }
}
