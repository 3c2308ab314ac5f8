//! A client's end of a connection: its way out, and the threads that read and write.

use std::io;
use std::sync::{Arc, OnceLock, Weak};

use witrpc_rt::spawn;
use witrpc_transport::{ChannelError, ClientChannel, Request, Ticket};

use crate::error::ConnectError;
use crate::queue::client::{AnswerHandle, ClientQueue};
use crate::queue::end::End;
use crate::queue::outlet::RequestSink;

use super::connect::LetIn;
use super::frame::{self, SocketFrame};
use super::outbox::Outbox;
use super::sealing::FrameSealer;
use super::stream::FrameReader;

/// The requests of a client. Its threads end when it is closed, or when the connection ends.
struct SocketRequests {
    outbox: Arc<Outbox>,
    /// Where a forked child reports that the connection is not its own.
    answers: Arc<OnceLock<Weak<AnswerHandle>>>,
}

impl SocketRequests {
    fn put(&self, frame: Vec<u8>) {
        if !self.outbox.is_forked() {
            return self.outbox.put(frame);
        }
        let answers = self.answers.get().and_then(Weak::upgrade);
        answers.into_iter().for_each(|answers| answers.end(End::Died));
    }
}

impl RequestSink for SocketRequests {
    fn send(&self, request: Request) {
        self.put(frame::request(&request));
    }

    fn cancel(&self, ticket: Ticket) {
        self.put(frame::cancel(ticket));
    }

    fn close(&self) {
        self.outbox.close();
    }
}

/// Starts the threads of a connection.
pub fn start(let_in: LetIn) -> Result<Arc<dyn ClientChannel>, ConnectError> {
    let LetIn { socket, reader, welcome, limits, keys } = let_in;
    let outbox = Outbox::corked(socket, FrameSealer::of_messages(keys), || {});
    outbox.uncork();
    let outbox = Arc::new(outbox);
    let answers = Arc::<OnceLock<_>>::default();
    let sink = SocketRequests { outbox: Arc::clone(&outbox), answers: Arc::clone(&answers) };
    let (channel, handle) = ClientQueue::new(welcome, limits, sink);
    let handle = Arc::new(handle);
    answers.get_or_init(|| Arc::downgrade(&handle));
    let failed = |source| {
        let doing = "start a thread of the connection".to_owned();
        ConnectError::Io { doing, source }
    };
    let writes = Arc::clone(&outbox);
    spawn("witrpc-sock-w", move || writes.run()).map_err(failed)?;
    spawn("witrpc-sock-r", move || {
        let end = read_answers(reader, &handle);
        handle.end(end);
        outbox.close();
    })
    .map_err(failed)?;
    Ok(channel)
}

/// Reads what the server sends. Returns why the connection ends.
fn read_answers(mut reader: FrameReader, answers: &AnswerHandle) -> End {
    loop {
        let content = match reader.read() {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return End::Misbehaved,
            Err(_) => return End::Died,
        };
        let taken = match SocketFrame::split(&content) {
            Some((SocketFrame::Answer, _)) => match frame::read_answer(content) {
                Some((ticket, answer)) => answers.answer(ticket, answer),
                None => return End::Misbehaved,
            },
            Some((SocketFrame::Drain, [])) => {
                answers.drain();
                Ok(())
            }
            Some((SocketFrame::End, rest)) => return frame::read_end(rest),
            _ => return End::Misbehaved,
        };
        if matches!(taken, Err(ChannelError::Misbehaved(_))) {
            return End::Misbehaved;
        }
    }
}
