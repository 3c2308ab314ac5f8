//! The fast path of a short call within a future. As in [`short`](super::short), what needs more goes on in
//! the general way.
//!
//! The future owns its lane while it looks. It lends the lane before it returns `Pending`, because it may
//! never be polled again. A look that finds the lane's answer moved away, or that was the last one, leaves
//! the rest to [`poll_answer`](Client::poll_answer).

use std::sync::Arc;
use std::task::{Context, Poll};

use witrpc_transport::{ShortAnswer, Ticket};

use crate::link::line as lines;
use crate::memory::words::Mapped;

use super::Client;
use super::lane_ownership::LanePhase;
use super::lanes::{ClientLane, Looks};

impl Client {
    /// Looks for the answer to a request that [`send_short`](Self::send_short) has sent. See
    /// [`ClientChannel::poll_short`](witrpc_transport::ClientChannel::poll_short).
    #[inline]
    pub fn poll_short(
        self: &Arc<Self>,
        cx: &mut Context<'_>,
        ticket: Ticket,
    ) -> Poll<Option<ShortAnswer>> {
        let lane = self.lanes.get(ticket.lane as usize);
        if self.check_mapped().is_err() || !lane.is_owned_again_by(ticket) {
            return Poll::Ready(None);
        }
        let line = self.response_line(ticket.lane as usize);
        if lines::shows::<Mapped>(line) != ticket.seq {
            return self.look_again(cx, ticket, lane);
        }
        let copied = lines::copy_out::<Mapped>(line);
        let answer = self.half.codec.short_answer(ticket.lane as usize, &copied);
        if answer.is_some() {
            if let Looks::Left(_) = lane.looks() {
                self.spin.succeeded();
            }
            self.free_lane(ticket.lane as usize);
        }
        Poll::Ready(answer)
    }

    /// Has the task polled again, unless it has looked as often as it may.
    #[inline]
    fn look_again(
        &self,
        cx: &Context<'_>,
        ticket: Ticket,
        lane: &ClientLane,
    ) -> Poll<Option<ShortAnswer>> {
        let left = match lane.looks() {
            Looks::NotGranted => self.spin.looks(),
            Looks::Left(left) => left,
            Looks::Spun | Looks::Asleep => 0,
        };
        if left == 0 {
            return Poll::Ready(None);
        }
        lane.set_looks(Looks::Left(left - 1));
        lane.ownership.lend(ticket.seq, LanePhase::Collectable);
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
