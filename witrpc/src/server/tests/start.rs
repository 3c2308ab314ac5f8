//! Configurations that a server refuses before it starts.

use std::sync::Arc;

use crate::call::client::call::ClientCall;
use crate::call::server::call::{IntoService, ServerCall, Service};
use crate::codec::Codec;
use crate::connection::builder::{Blocking, ClientBuilder};
use crate::connection::handle::Client;
use crate::contract::{
    ArgumentDescriptor, ArgumentKind, MethodDescriptor, ServiceDescriptor, trace,
};
use crate::endpoint::in_process::InProcess;
use crate::error::{BindError, ConnectError};
use crate::server::builder::check_unwinding;
use crate::server::handle::WitServer;
use crate::{Connection, Endpoint};

use super::by_hand::Returns;
use super::probe::{DESCRIPTOR, Fixture, Probe, ProbeClient, ProbeServer};

fn probe() -> ProbeServer {
    ProbeServer(Arc::new(Probe::default()))
}

/// Another service; its one method is the probe's `echo`, and returns what JSON cannot tell apart.
struct Other;

static OTHER: ServiceDescriptor = ServiceDescriptor {
    name: "Other",
    docs: "",
    methods: &[MethodDescriptor {
        name: "maybe",
        docs: "",
        is_async: false,
        idempotent: false,
        arguments: &[],
        streams: false,
        result: trace::<Option<Option<u8>>>,
        error: None,
    }],
    events: &[],
};

impl IntoService for Other {
    fn into_service(self) -> Arc<dyn Service> {
        Arc::new(self)
    }
}

impl Service for Other {
    fn descriptor(&self) -> &'static ServiceDescriptor {
        &OTHER
    }

    fn dispatch(&self, call: ServerCall<'_>) {
        // Leaves unknown methods unanswered.
        if call.method() == 0 {
            call.answer(|_, _| Ok(Some(None::<u8>)));
        }
    }
}

#[derive(Debug)]
struct OtherClient(Connection);

impl Client for OtherClient {
    const DESCRIPTOR: &'static ServiceDescriptor = &OTHER;

    fn from_connection(connection: Connection) -> Self {
        Self(connection)
    }
}

fn connect_other(endpoint: impl Into<Endpoint>) -> Result<OtherClient, ConnectError> {
    ClientBuilder::<OtherClient, Blocking>::new(endpoint).connect()
}

#[test]
fn what_is_missing_is_said() {
    let error = WitServer::builder().service(probe()).start().unwrap_err();
    assert!(matches!(error, BindError::NoEndpoint), "{error}");
    let error = WitServer::builder().listen(InProcess::new()).start().unwrap_err();
    assert!(matches!(error, BindError::NoService), "{error}");
}

#[test]
fn limits_out_of_bounds_are_named() {
    for max_workers in [0, 1025] {
        let builder = WitServer::builder().listen(InProcess::new()).service(probe());
        let error = builder.max_workers(max_workers).start().unwrap_err();
        assert!(
            matches!(&error, BindError::LimitOutOfRange { limit: "max_workers", value, min: 1, max: 1024 }
                if *value == u64::from(max_workers)),
            "{error}"
        );
    }
    let builder = WitServer::builder().listen(InProcess::new()).service(probe());
    let error = builder.codecs([]).start().unwrap_err();
    assert!(matches!(error, BindError::LimitOutOfRange { value: 0, .. }), "{error}");
}

#[test]
fn two_services_of_one_name_are_refused_and_of_two_names_served() {
    let place = InProcess::new();
    let builder = WitServer::builder().listen(place.clone()).service(probe()).service(probe());
    let error = builder.start().unwrap_err();
    assert!(matches!(error, BindError::DuplicateService { service: "Probe" }), "{error}");

    let builder = WitServer::builder().listen(place.clone()).service(probe()).service(Other);
    let _server = builder.codecs([Codec::Postcard]).start().unwrap();
    let probe = ProbeClient::builder(place.clone()).connect().unwrap();
    let other = connect_other(place).unwrap();
    assert_eq!(probe.echo("first").unwrap(), "first");
    let mut call = ClientCall::new(&other.0, 0);
    assert_eq!(call.block().outcome::<Returns<Option<Option<u8>>>>().unwrap(), Some(None));
}

#[cfg(feature = "json")]
#[test]
fn a_type_that_a_codec_would_change_is_refused_by_name() {
    let builder = WitServer::builder().listen(InProcess::new()).service(Other);
    let error = builder.codecs([Codec::Json]).start().unwrap_err();
    assert!(
        matches!(
            &error,
            BindError::CodecRefused { codec: Codec::Json, service: "Other", method: "maybe", .. }
        ),
        "{error}"
    );
}

#[test]
fn a_codec_that_does_not_fit_is_left_out_for_that_service_alone() {
    let place = InProcess::new();
    let builder = WitServer::builder().listen(place.clone()).service(probe()).service(Other);
    let _server = builder.start().unwrap();
    for codec in Codec::all() {
        let probe = ProbeClient::builder(place.clone()).codec(codec).connect().unwrap();
        assert_eq!(probe.echo("first").unwrap(), "first");
    }
    let other = connect_other(place).unwrap();
    let mut call = ClientCall::new(&other.0, 0);
    assert_eq!(call.block().outcome::<Returns<Option<Option<u8>>>>().unwrap(), Some(None));
}

#[test]
fn a_client_of_another_service_is_answered_with_what_there_is() {
    let fixture = Fixture::with(|builder| builder.codecs([Codec::Postcard]));
    let error = connect_other(fixture.place.clone()).unwrap_err();
    assert!(
        matches!(&error, ConnectError::UnknownService { asked, serves }
            if asked == "Other" && serves == &[DESCRIPTOR.name]),
        "{error}"
    );
}

#[cfg(feature = "json")]
#[test]
fn a_client_of_another_codec_is_answered_with_what_there_is() {
    let fixture = Fixture::with(|builder| builder.codecs([Codec::Postcard]));
    let error =
        ProbeClient::builder(fixture.place.clone()).codec(Codec::Json).connect().unwrap_err();
    assert!(
        matches!(&error, ConnectError::CodecNotAllowed { asked: Codec::Json, allowed }
            if allowed == &[Codec::Postcard]),
        "{error}"
    );
}

#[test]
fn a_place_in_use_is_refused_and_left_alone() {
    let place = InProcess::named("server::tests::in_use");
    let first = Fixture::at(place.clone().into(), |builder| builder);
    let error = WitServer::builder().listen(place).service(probe()).start().unwrap_err();
    assert!(matches!(error, BindError::NameInUse { .. }), "{error}");
    assert_eq!(first.client().echo("undisturbed").unwrap(), "undisturbed");
}

#[test]
fn an_iterator_needs_unwinding_and_a_stream_does_not() {
    let taking = |kind| {
        let arguments = vec![ArgumentDescriptor { name: "numbers", kind, shape: trace::<u64> }];
        let sum = MethodDescriptor {
            name: "sum",
            docs: "",
            is_async: true,
            idempotent: false,
            arguments: arguments.leak(),
            streams: false,
            result: trace::<u64>,
            error: None,
        };
        let methods = vec![sum].leak();
        let service = ServiceDescriptor { name: "Adder", docs: "", methods, events: &[] };
        &*Box::leak(Box::new(service))
    };
    let (iterator, stream) = (taking(ArgumentKind::Iterator), taking(ArgumentKind::Stream));
    let refused = check_unwinding(&[&OTHER, stream, iterator], false);
    assert!(
        matches!(refused, Err(BindError::NeedsUnwinding { service: "Adder", method: "sum" })),
        "{refused:?}"
    );
    assert!(check_unwinding(&[&OTHER, stream], false).is_ok());
    assert!(check_unwinding(&[&OTHER, stream, iterator], true).is_ok());
}
