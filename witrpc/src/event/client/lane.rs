//! The one lane that carries a connection's events.

use std::sync::Arc;

use witrpc_transport::{Answer, ChannelError, KeptLane, Limit};

use crate::rt::block_on;
use crate::stream::client::control::{Control, of_what_goes_on};
use crate::stream::client::link_streams::LinkStreams;
use crate::stream::client::request::Request;

/// The lane that carries the events of a link. It is kept from one request to the next. So events
/// arrive however many calls wait for a lane, and however long calls take. It is not one of the
/// lanes that streams and notices share.
pub struct EventLane {
    /// The streams of the link.
    pub streams: Arc<LinkStreams>,
    /// `None` on a transport that cannot keep a lane.
    kept: Option<Box<dyn KeptLane>>,
}

impl EventLane {
    pub fn new(streams: &Arc<LinkStreams>) -> Self {
        let kept = streams.lanes.channel.lane_to_keep();
        Self { streams: Arc::clone(streams), kept }
    }

    /// Sends a request to the server, and blocks the thread until the answer is there.
    pub fn ask(&mut self, control: &Control<'_>) -> Result<Answer, ChannelError> {
        if let Some(lane) = &mut self.kept {
            match block_on(|cx| control.with_message(|message| lane.poll_send(cx, message))) {
                Ok(()) => {
                    let mut answer = Answer::default();
                    return lane.wait_answer(&mut answer).map(|()| answer).map_err(of_what_goes_on);
                }
                // The request needs segments: it names more events than fit into this lane.
                Err(ChannelError::TooLarge { .. }) => {}
                Err(error) => return Err(of_what_goes_on(error)),
            }
        }
        // It takes no permit of the lanes of streams, so idle streams cannot keep it from a lane.
        Request::plain(&self.streams.lanes, Limit::Never).wait(control)
    }
}
