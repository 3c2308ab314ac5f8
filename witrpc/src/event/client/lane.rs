//! The one lane over which a connection's events come.

use std::sync::Arc;

use witrpc_transport::{Answer, ChannelError, KeptLane, Limit};

use crate::rt::block_on;
use crate::stream::client::control::{Control, of_what_goes_on};
use crate::stream::client::link_streams::LinkStreams;
use crate::stream::client::request::Request;

/// The lane over which the events of a link come. It is kept from one request to the next: calls that
/// wait for a lane, however many, and those that take long, keep no event from coming. Streams and notices
/// leave it free: it is not among those that they share.
pub struct EventLane {
    streams: Arc<LinkStreams>,
    /// None on a transport that knows of none.
    kept: Option<Box<dyn KeptLane>>,
}

impl EventLane {
    pub fn new(streams: &Arc<LinkStreams>) -> Self {
        let kept = streams.channel.lane_to_keep();
        Self { streams: Arc::clone(streams), kept }
    }

    /// Those of the link.
    pub fn streams(&self) -> &Arc<LinkStreams> {
        &self.streams
    }

    /// Asks the server something, and blocks the thread until the answer is there.
    pub fn ask(&mut self, control: &Control<'_>) -> Result<Answer, ChannelError> {
        if let Some(lane) = &mut self.kept {
            match block_on(|cx| control.with_message(|message| lane.poll_send(cx, message))) {
                Ok(()) => {
                    let mut answer = Answer::default();
                    return lane.wait_answer(&mut answer).map(|()| answer).map_err(of_what_goes_on);
                }
                // It needs segments: a request of so many events that it is none for this lane.
                Err(ChannelError::TooLarge { .. }) => {}
                Err(error) => return Err(of_what_goes_on(error)),
            }
        }
        // Not among those that share the lanes of streams: quiet streams would keep it from its own.
        Request::plain(&self.streams, Limit::Never).wait(control)
    }
}
