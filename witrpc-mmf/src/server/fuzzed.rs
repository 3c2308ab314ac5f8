//! A server's end of a connection without a server, for the fuzz targets.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use witrpc_transport::{ClientInfo, Session};

use crate::link::message::Request;
use crate::memory::layout::Layout;
use crate::rendezvous::Established;

use super::connection::Connection;
use super::inbound::{Broken, Line};

impl Connection {
    pub(crate) fn for_fuzzing(established: Established, layout: Layout) -> Arc<Self> {
        Arc::new(Self::new(
            ClientInfo::new(1, 1),
            Session::new(Arc::new(())),
            established,
            layout,
            None,
        ))
    }

    /// Does what a turn of the poller does, and what a ring of the client leads to.
    pub(crate) fn look(self: &Arc<Self>) -> Result<Vec<Request>, &'static str> {
        let mut taken = Vec::new();
        for lane in 0..self.high_water() {
            let Some(seq) = self.waiting(lane) else { continue };
            if let Line::Request(request) =
                self.take_line(lane, seq, None).map_err(|Broken(rule)| rule)?
            {
                taken.push(request);
            }
        }
        self.flush_queue();
        Ok(taken)
    }

    /// Returns the bytes of private memory that are held for the client.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Relaxed)
    }
}
