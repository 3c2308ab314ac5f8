//! tonic over a Unix socket: gRPC with messages of prost, each side on one thread of tokio.
//!
//! The service is written by hand as its generator would write it, so that no `protoc` is needed.
//! The windows of HTTP/2 are as large as the longest message, as its documentation advises for such.

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::stream::{self, StreamExt};
use http::uri::PathAndQuery;
use hyper_util::rt::TokioIo;
use prost::Message;
use prost::bytes::Bytes;
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::Runtime;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};

use crate::peer::{Connection, IN_FLIGHT, Peer, Session, bytes_of, sum_of_bytes};
use crate::{on_tokio, socket};

pub(crate) static PEER: Peer = Peer { label: "tonic", ours: false, serve, connect };

const ADD: &str = "/peers.Work/Add";
const SUM: &str = "/peers.Work/Sum";
const WINDOW: u32 = 32 << 20;
const MAX_LEN: usize = WINDOW as usize;

#[derive(Clone, PartialEq, Message)]
struct Pair {
    #[prost(uint64, tag = "1")]
    a: u64,
    #[prost(uint64, tag = "2")]
    b: u64,
}

#[derive(Clone, PartialEq, Message)]
struct Words {
    #[prost(bytes = "bytes", tag = "1")]
    bytes: Bytes,
}

#[derive(Clone, PartialEq, Message)]
struct Total {
    #[prost(uint64, tag = "1")]
    sum: u64,
}

/// What the generator makes of a service.
#[derive(Clone)]
struct WorkServer;

type Answer = Result<http::Response<Body>, Infallible>;

impl Service<http::Request<Body>> for WorkServer {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            if request.uri().path() == ADD {
                let mut grpc = tonic::server::Grpc::new(ProstCodec::<Total, Pair>::default());
                Ok(grpc.unary(service_fn(add), request).await)
            } else {
                let codec = ProstCodec::<Total, Words>::default();
                let mut grpc = tonic::server::Grpc::new(codec);
                grpc = grpc.max_decoding_message_size(MAX_LEN);
                Ok(grpc.unary(service_fn(sum), request).await)
            }
        })
    }
}

async fn add(request: Request<Pair>) -> Result<Response<Total>, Status> {
    let Pair { a, b } = request.into_inner();
    Ok(Response::new(Total { sum: a.wrapping_add(b) }))
}

async fn sum(request: Request<Words>) -> Result<Response<Total>, Status> {
    Ok(Response::new(Total { sum: sum_of_bytes(&request.into_inner().bytes) }))
}

fn serve(session: &Session, ready: &dyn Fn()) {
    let listener = on_tokio::nonblocking(socket::bind(&session.name));
    on_tokio::runtime().block_on(async {
        let listener = UnixListener::from_std(listener).expect("a socket");
        ready();
        let server = Server::builder()
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW);
        let incoming = UnixListenerStream::new(listener);
        server.serve_with_incoming(WorkServer, incoming).await.expect("clients come");
    });
}

struct Client {
    runtime: Runtime,
    channel: Channel,
}

fn connect(session: &Session) -> Box<dyn Connection> {
    let name = session.name.clone();
    let runtime = on_tokio::runtime();
    let channel = runtime.block_on(async {
        let connector = service_fn(move |_| {
            let stream = on_tokio::nonblocking(socket::connect_to(&name));
            async { UnixStream::from_std(stream).map(TokioIo::new) }
        });
        // The address stands for nothing: the connector knows where the server is.
        let endpoint = Endpoint::from_static("http://peers")
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW);
        endpoint.connect_with_connector(connector).await.expect("the server listens")
    });
    Box::new(Client { runtime, channel })
}

/// A call as the generator's clients make it.
async fn call<M: Message + Default + 'static>(channel: Channel, path: &'static str, m: M) -> u64 {
    let mut grpc = tonic::client::Grpc::new(channel);
    grpc.ready().await.expect("the server runs");
    let codec = ProstCodec::<M, Total>::default();
    let answer = grpc.unary(Request::new(m), PathAndQuery::from_static(path), codec).await;
    answer.expect("a sum").into_inner().sum
}

impl Connection for Client {
    fn add(&mut self, a: u64, b: u64) -> u64 {
        self.runtime.block_on(call(self.channel.clone(), ADD, Pair { a, b }))
    }

    fn sum(&mut self, words: &[u64]) -> u64 {
        let bytes = Bytes::copy_from_slice(bytes_of(words));
        self.runtime.block_on(call(self.channel.clone(), SUM, Words { bytes }))
    }

    fn add_in_flight(&mut self, calls: usize) {
        let calls = stream::iter(0..calls as u64);
        let sums = calls.map(|a| call(self.channel.clone(), ADD, Pair { a, b: 1 }));
        let sums = sums.buffer_unordered(IN_FLIGHT).for_each(|sum| async move {
            black_box(sum);
        });
        self.runtime.block_on(sums);
    }

    fn adds(&mut self, calls: usize) {
        self.runtime.block_on(async {
            for _ in 0..calls {
                let pair = Pair { a: black_box(1), b: black_box(2) };
                black_box(call(self.channel.clone(), ADD, pair).await);
            }
        });
    }
}
