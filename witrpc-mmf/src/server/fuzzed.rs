//! A server's end of a connection without a server, for the fuzz targets.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use witrpc_transport::{ClientInfo, Request, Session, Ticket};

use crate::memory::layout::Layout;
use crate::rendezvous::Established;

use super::connection::Connection;
use super::inbound::{Broken, InboundLine};

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
            let inbound = self.inbound(lane);
            let Some(seq) = inbound.waiting() else { continue };
            let copied = self.copy_line(inbound, seq).map_err(|Broken(rule)| rule)?;
            let mut opened = None;
            if let Some(request) = self.take_short(inbound, seq, &copied, &mut opened) {
                taken.push(request.request());
                continue;
            }
            let ticket = Ticket::new(lane as u32, seq);
            let line = self.take_line(ticket, &copied, None).map_err(|Broken(rule)| rule)?;
            if let InboundLine::Request(request) = line {
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
