use std::task::Waker;

use witrpc_transport::{ClientChannel, Outgoing, Sending, Ticket};

use crate::codec::Codec;
use crate::tag::{AnswerTag, Status};

use super::*;

/// The channel of a server that has no upload open.
#[derive(Debug)]
struct Ended;

impl ClientChannel for Ended {
    fn welcome(&self) -> &[u8] {
        &[]
    }

    fn try_send(&self, _: Outgoing<'_>) -> Result<Option<Ticket>, ChannelError> {
        Ok(Some(Ticket::new(0, 1)))
    }

    fn poll_send(
        &self,
        _: &mut Context<'_>,
        _: &mut Sending,
        _: Outgoing<'_>,
        _: &mut Limit,
    ) -> Poll<Result<Ticket, ChannelError>> {
        unreachable!("there is always a lane")
    }

    fn wait_answer(&self, _: Ticket, _: &mut Limit, _: &mut Answer) -> Result<(), ChannelError> {
        unreachable!("notices are polled for")
    }

    fn poll_answer(
        &self,
        _: &mut Context<'_>,
        _: &mut Ticket,
        _: &mut Limit,
        answer: &mut Answer,
    ) -> Poll<Result<(), ChannelError>> {
        answer.tag = AnswerTag { status: Status::End, raw: false }.bits();
        Poll::Ready(Ok(()))
    }

    fn abandon(&self, _: Ticket) {}

    fn lanes(&self) -> u32 {
        4
    }

    fn lost(&self) -> Option<ChannelError> {
        None
    }

    fn disconnect(&self) {}
}

#[test]
fn an_upload_that_the_server_has_answered_waits_for_no_room() {
    let channel = Arc::new(Ended) as Arc<dyn ClientChannel>;
    let streams = LinkStreams::new(&channel, Codec::default());
    let cx = Context::from_waker(Waker::noop());
    let [uploads, waits] = [1, 2].map(|number| {
        let upload = streams.register(number);
        upload.note_open(Limit::Never);
        upload
    });
    assert!(uploads.poll_room(&cx).is_pending());
    assert!(matches!(uploads.poll_room(&cx), Poll::Ready(Ok(false))), "its answer is there");
    assert!(waits.poll_answered(&cx).is_pending());
    assert!(matches!(waits.poll_answered(&cx), Poll::Ready(Err(NoticeError::Server(_)))));
}
