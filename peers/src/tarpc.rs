//! tarpc over a Unix socket, with bincode, each side on one thread of tokio.
//!
//! As in its examples: the client's dispatch is spawned, each request is a task of the server.

use std::hint::black_box;

use futures_util::stream::{self, StreamExt};
use serde_bytes::ByteBuf;
use tarpc::client::Config;
use tarpc::context::{self, Context};
use tarpc::serde_transport;
use tarpc::server::{BaseChannel, Channel};
use tarpc::tokio_serde::formats::Bincode;
use tarpc::tokio_util::codec::LengthDelimitedCodec;
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::Runtime;

use crate::peer::{Connection, IN_FLIGHT, Peer, Session, bytes_of, sum_of_bytes};
use crate::{on_tokio, socket};

pub(crate) static PEER: Peer = Peer { label: "tarpc", ours: false, serve, connect };

#[tarpc::service]
trait Work {
    async fn add(a: u64, b: u64) -> u64;
    async fn sum(words: ByteBuf) -> u64;
}

#[derive(Clone)]
struct Adder;

impl Work for Adder {
    async fn add(self, _: Context, a: u64, b: u64) -> u64 {
        a.wrapping_add(b)
    }

    async fn sum(self, _: Context, words: ByteBuf) -> u64 {
        sum_of_bytes(&words)
    }
}

fn framing() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder().max_frame_length(usize::MAX).new_codec()
}

fn serve(session: &Session, ready: &dyn Fn()) {
    let listener = on_tokio::nonblocking(socket::bind(&session.name));
    on_tokio::runtime().block_on(async {
        let listener = UnixListener::from_std(listener).expect("a socket");
        ready();
        loop {
            let (stream, _) = listener.accept().await.expect("a client");
            let framed = tarpc::tokio_util::codec::Framed::new(stream, framing());
            let channel =
                BaseChannel::with_defaults(serde_transport::new(framed, Bincode::default()));
            tokio::spawn(channel.execute(Adder.serve()).for_each(|answer| async {
                tokio::spawn(answer);
            }));
        }
    });
}

struct Client {
    runtime: Runtime,
    client: WorkClient,
}

fn connect(session: &Session) -> Box<dyn Connection> {
    let stream = on_tokio::nonblocking(socket::connect_to(&session.name));
    let runtime = on_tokio::runtime();
    let client = runtime.block_on(async {
        let stream = UnixStream::from_std(stream).expect("a socket");
        let framed = tarpc::tokio_util::codec::Framed::new(stream, framing());
        let transport = serde_transport::new(framed, Bincode::default());
        WorkClient::new(Config::default(), transport).spawn()
    });
    Box::new(Client { runtime, client })
}

impl Connection for Client {
    fn add(&mut self, a: u64, b: u64) -> u64 {
        self.runtime.block_on(self.client.add(context::current(), a, b)).expect("a sum")
    }

    fn sum(&mut self, words: &[u64]) -> u64 {
        let words = ByteBuf::from(bytes_of(words));
        self.runtime.block_on(self.client.sum(context::current(), words)).expect("a sum")
    }

    fn add_in_flight(&mut self, calls: usize) {
        let calls = stream::iter(0..calls as u64);
        let sums = calls.map(|call| self.client.add(context::current(), call, 1));
        let sums = sums.buffer_unordered(IN_FLIGHT).for_each(|sum| async {
            black_box(sum.expect("a sum"));
        });
        self.runtime.block_on(sums);
    }

    fn adds(&mut self, calls: usize) {
        self.runtime.block_on(async {
            for _ in 0..calls {
                let sum = self.client.add(context::current(), black_box(1), black_box(2));
                black_box(sum.await.expect("a sum"));
            }
        });
    }
}
