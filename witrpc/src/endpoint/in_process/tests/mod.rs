//! Both ends of the transport, driven by hand.

mod calls;
mod ends;
mod places;
mod polling;

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use witrpc_transport::{
    Admission, Admitted, Answer, Body, ChannelError, ClientChannel, ClientInfo, DisconnectReason,
    Fill, Limit, Outgoing, Peer, Request, SMALL_LEN, Sending, ServerPort, Session, Shutdown,
    Ticket, pad, serve_by,
};

use crate::error::{BindError, ConnectError};
use crate::transport::{BindConfig, ConnectConfig, Transport};

use super::InProcess;
use super::place::InProcessPlace;

/// An admission that lets in the clients with the right word, and records which leave.
#[derive(Default)]
struct WordAdmission(Mutex<Vec<u64>>);

impl Admission for WordAdmission {
    fn admit(&self, hello: &[u8], _: &ClientInfo) -> Admitted {
        match hello {
            b"friend" => Admitted::Welcome {
                welcome: b"come in".to_vec(),
                session: Session::new(Arc::new(())),
            },
            _ => Admitted::Refusal(b"stay out".to_vec()),
        }
    }

    fn left(&self, client: &ClientInfo, _: &Session) {
        self.0.lock().unwrap().push(client.id);
    }
}

fn bind(place: &InProcess) -> Arc<dyn ServerPort> {
    bind_with(place, Arc::default())
}

fn bind_with(place: &InProcess, admission: Arc<WordAdmission>) -> Arc<dyn ServerPort> {
    place.bind(BindConfig::new(admission)).expect("no other server is here")
}

fn hello(hello: &[u8], wait_for_server: Duration) -> ConnectConfig {
    ConnectConfig { wait_for_server, ..ConnectConfig::new(hello.to_vec()) }
}

fn connect(place: &InProcess) -> Arc<dyn ClientChannel> {
    place.connect(hello(b"friend", Duration::ZERO)).expect("the admission knows this word")
}

/// Takes all requests that have arrived.
fn take(port: &Arc<dyn ServerPort>) -> Vec<(Arc<dyn Peer>, Request)> {
    let mut taken = Vec::new();
    port.scanner().turn(
        None,
        &mut serve_by(|peer, request| {
            let Request { ticket, tag, deadline, .. } = *request;
            let payload = std::mem::take(&mut request.payload);
            taken.push((Arc::clone(peer), Request::new(ticket, tag, payload, deadline)));
            ControlFlow::Continue(())
        }),
    );
    taken
}

fn wait(
    client: &Arc<dyn ClientChannel>,
    ticket: Ticket,
    limit: &mut Limit,
) -> Result<Answer, ChannelError> {
    let mut answer = Answer::default();
    client.wait_answer(ticket, limit, &mut answer)?;
    Ok(answer)
}

fn small(tag: u32) -> Outgoing<'static> {
    const BODY: [u8; SMALL_LEN] = pad(b"body");
    Outgoing::new(tag, Body::Small { padded: &BODY, len: 4 })
}

fn bytes_of(payload: &witrpc_transport::Payload) -> Vec<u8> {
    let mut bytes = vec![0; payload.len()];
    payload.copy_to(0, &mut bytes);
    bytes
}

/// Counts how often it is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

struct Ramp(usize);

impl Fill for Ramp {
    fn len(&self) -> usize {
        self.0
    }

    fn write_at(&self, offset: usize, out: &mut [u8]) {
        for (place, byte) in out.iter_mut().enumerate() {
            *byte = (offset + place) as u8;
        }
    }
}
