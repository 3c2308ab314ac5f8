/// Runs jobs.
/**

Its events are emitted by [`JobsEvents`].*/
pub trait Jobs {
    fn run(&self, steps: u32);
}
/** Serves a [`Jobs`]: give one to the builder of a `WitServer`, which answers the calls of every client with it.

 Clones serve the same. One that is to emit events is made by `with_events`: from any other, whoever subscribes hears nothing.*/
#[must_use = "a service answers nobody until it is given to a `WitServer`"]
#[allow(dead_code, non_camel_case_types)]
#[derive(::core::clone::Clone)]
pub struct JobsServer {
    service: ::std::sync::Arc<dyn ::witrpc::__private::v1::Service>,
}
#[allow(dead_code)]
impl JobsServer {
    /// Serves `service`.
    pub fn new<S>(service: S) -> Self
    where
        S: ::core::marker::Sized + Jobs + ::core::marker::Send + ::core::marker::Sync
            + 'static,
    {
        Self::from_arc(::std::sync::Arc::new(service))
    }
    /// Serves what others have a hold of too.
    pub fn from_arc<S>(service: ::std::sync::Arc<S>) -> Self
    where
        S: ?::core::marker::Sized + Jobs + ::core::marker::Send + ::core::marker::Sync
            + 'static,
    {
        Self {
            service: ::std::sync::Arc::new(
                __JobsDispatch(service, ::witrpc::__private::v1::EventHub::new()),
            ),
        }
    }
    /// Serves what `make` makes, which is given what emits the events of the service.
    pub fn with_events<S>(make: impl ::core::ops::FnOnce(JobsEvents) -> S) -> Self
    where
        S: ::core::marker::Sized + Jobs + ::core::marker::Send + ::core::marker::Sync
            + 'static,
    {
        let hub = ::witrpc::__private::v1::EventHub::new();
        let service = make(JobsEvents {
            emitter: hub.emitter(),
        });
        Self {
            service: ::std::sync::Arc::new(
                __JobsDispatch(::std::sync::Arc::new(service), hub),
            ),
        }
    }
}
/** Emits the events of a [`Jobs`], to every client that has subscribed or, after [`to`](Self::to), to one. [`JobsServer::with_events`] gives it to the service.

 Clones emit the same. It does not keep the server running; when that has gone, nobody hears.*/
#[allow(dead_code, non_camel_case_types)]
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct JobsEvents {
    emitter: ::witrpc::__private::v1::Emitter,
}
#[allow(dead_code, deprecated, non_snake_case, unused_variables)]
impl JobsEvents {
    /// Emits to one client alone, by the number that `CallContext::client_id` gives.
    #[must_use]
    pub fn to(&self, client_id: ::core::primitive::u64) -> Self {
        Self {
            emitter: self.emitter.to(client_id),
        }
    }
    /// It goes on.
    ///
    /// Returns how many clients it is on its way to.
    ///
    /// # Errors
    ///
    /// It could not be encoded, or a client had no room for it in time. Those clients learn
    /// that they have missed one.
    pub fn progress(
        &self,
        job: u64,
        what: &str,
        path: &Path,
        samples: &[f64],
        table: &Table,
    ) -> ::core::result::Result<::core::primitive::usize, ::witrpc::EmitError> {
        ::witrpc::__private::v1::assert_travels::<u64>();
        ::witrpc::__private::v1::assert_raw::<f64>();
        ::witrpc::__private::v1::assert_travels::<Table>();
        ::witrpc::__private::v1::assert_lent::<Table>();
        ::witrpc::__private::v1::assert_travels::<()>();
        self.emitter
            .emit(
                __JobsEvent::progress as ::core::primitive::u16,
                &|writer: &mut ::witrpc::__private::v1::EventWriter<'_>| {
                    writer.value::<u64>("job", &job);
                    writer.str("what", what);
                    writer.path("path", path);
                    writer.raw::<f64>("samples", samples);
                    writer.value::<Table>("table", table);
                },
            )
    }
    #[cfg(unix)]
    ///
    /// Returns how many clients it is on its way to.
    ///
    /// # Errors
    ///
    /// It could not be encoded, or a client had no room for it in time. Those clients learn
    /// that they have missed one.
    pub fn all_ended(
        &self,
    ) -> ::core::result::Result<::core::primitive::usize, ::witrpc::EmitError> {
        ::witrpc::__private::v1::assert_travels::<()>();
        self.emitter
            .emit(
                __JobsEvent::all_ended as ::core::primitive::u16,
                &|_: &mut ::witrpc::__private::v1::EventWriter<'_>| {},
            )
    }
}
/// It goes on.
#[allow(dead_code, deprecated, non_snake_case)]
pub struct JobsProgress {
    /// What it was emitted with as `job`.
    pub job: u64,
    /// What it was emitted with as `what`.
    pub what: ::std::string::String,
    /// What it was emitted with as `path`.
    pub path: ::std::path::PathBuf,
    /// What it was emitted with as `samples`.
    pub samples: ::std::vec::Vec<f64>,
    /// What it was emitted with as `table`.
    pub table: Table,
}
#[allow(deprecated)]
impl ::core::fmt::Debug for JobsProgress {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        #[allow(unused_imports)]
        use ::witrpc::__private::v1::NotDebug as _;
        f.debug_struct("JobsProgress")
            .field(
                "job",
                ::witrpc::__private::v1::DebugProbe::<u64>::new(&self.job).shown(),
            )
            .field(
                "what",
                ::witrpc::__private::v1::DebugProbe::<
                    ::std::string::String,
                >::new(&self.what)
                    .shown(),
            )
            .field(
                "path",
                ::witrpc::__private::v1::DebugProbe::<
                    ::std::path::PathBuf,
                >::new(&self.path)
                    .shown(),
            )
            .field(
                "samples",
                ::witrpc::__private::v1::DebugProbe::<
                    ::std::vec::Vec<f64>,
                >::new(&self.samples)
                    .shown(),
            )
            .field(
                "table",
                ::witrpc::__private::v1::DebugProbe::<Table>::new(&self.table).shown(),
            )
            .finish()
    }
}
#[allow(deprecated)]
impl ::witrpc::__private::v1::EventItem for JobsProgress {
    fn read(
        arguments: &mut ::witrpc::__private::v1::Arguments<'_>,
    ) -> ::core::result::Result<Self, ::witrpc::__private::v1::BadArguments> {
        ::witrpc::__private::v1::assert_travels::<u64>();
        ::witrpc::__private::v1::assert_raw::<f64>();
        ::witrpc::__private::v1::assert_travels::<Table>();
        ::witrpc::__private::v1::assert_lent::<Table>();
        ::witrpc::__private::v1::assert_travels::<()>();
        let job = arguments.value::<u64>("job")?;
        let what = arguments.str("what")?.into_owned();
        let path = arguments.path("path")?.into_owned();
        let samples = arguments.raw::<f64>("samples")?.into_owned();
        let table = arguments.value::<Table>("table")?;
        arguments.finish()?;
        ::core::result::Result::Ok(Self {
            job,
            what,
            path,
            samples,
            table,
        })
    }
}
#[cfg(unix)]
/// The event `all_ended` of a [`Jobs`].
#[allow(dead_code, deprecated, non_snake_case)]
pub struct JobsAllEnded {}
#[cfg(unix)]
#[allow(deprecated)]
impl ::core::fmt::Debug for JobsAllEnded {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        #[allow(unused_imports)]
        use ::witrpc::__private::v1::NotDebug as _;
        f.debug_struct("JobsAllEnded").finish()
    }
}
#[cfg(unix)]
#[allow(deprecated)]
impl ::witrpc::__private::v1::EventItem for JobsAllEnded {
    fn read(
        arguments: &mut ::witrpc::__private::v1::Arguments<'_>,
    ) -> ::core::result::Result<Self, ::witrpc::__private::v1::BadArguments> {
        ::witrpc::__private::v1::assert_travels::<()>();
        arguments.finish()?;
        ::core::result::Result::Ok(Self {})
    }
}
/** Calls a [`Jobs`] in another process. Its methods block the calling thread; [`JobsAsyncClient`] is the other flavour.

 Clones share one connection.*/
#[allow(dead_code, non_camel_case_types)]
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct JobsClient {
    connection: ::witrpc::Connection,
}
#[allow(dead_code, deprecated, non_snake_case)]
impl JobsClient {
    /// Connects to the server at an endpoint, usually its name, with the defaults of
    /// [`builder`](Self::builder).
    ///
    /// # Errors
    ///
    /// When nobody serves there, or the server turns this client away.
    pub fn connect(
        endpoint: impl ::core::convert::Into<::witrpc::Endpoint>,
    ) -> ::core::result::Result<Self, ::witrpc::ConnectError> {
        ::witrpc::__private::v1::connect_blocking::<
            Self,
        >(::core::convert::Into::into(endpoint))
    }
    /// Prepares a connection to the server at an endpoint: codec, timeouts, waiting.
    pub fn builder(
        endpoint: impl ::core::convert::Into<::witrpc::Endpoint>,
    ) -> ::witrpc::ClientBuilder<Self, ::witrpc::__private::v1::Blocking> {
        ::witrpc::ClientBuilder::new(::core::convert::Into::into(endpoint))
    }
    /// Serves `service` within this process, for tests: calls are encoded and dispatched as
    /// between two processes.
    pub fn in_process<S>(service: S) -> Self
    where
        S: ::core::marker::Sized + Jobs + ::core::marker::Send + ::core::marker::Sync
            + 'static,
    {
        ::witrpc::__private::v1::in_process::<Self>(JobsServer::new(service))
    }
    /// This client with `options` for each of its calls: a deadline, a token that cancels them. It
    /// shares the connection.
    #[must_use]
    pub fn with(&self, options: ::witrpc::CallOptions) -> Self {
        Self {
            connection: self.connection.with(options),
        }
    }
    /// The connection, which says how it stands and can be closed.
    pub fn connection(&self) -> &::witrpc::Connection {
        &self.connection
    }
    /// Calls [`Jobs::run`].
    pub fn run(&self, steps: u32) -> ::core::result::Result<(), ::witrpc::CallError> {
        ::witrpc::__private::v1::assert_travels::<u32>();
        ::witrpc::__private::v1::assert_travels::<()>();
        let mut call = ::witrpc::__private::v1::ClientCall::new(
            &self.connection,
            __JobsMethod::run as ::core::primitive::u16,
        );
        call.value::<u32>("steps", &steps);
        call.block().value::<()>()
    }
    /// It goes on.
    pub fn progress(
        &self,
    ) -> ::core::result::Result<::witrpc::Events<JobsProgress>, ::witrpc::CallError> {
        ::witrpc::__private::v1::subscribe_blocking::<
            JobsProgress,
        >(&self.connection, __JobsEvent::progress as ::core::primitive::u16)
    }
    /// Has `react` called for each event that [`progress`](Self::progress) would give, until the guard is dropped. All such closures of a connection run on one thread, one after the other.
    pub fn on_progress(
        &self,
        react: impl ::core::ops::FnMut(
            ::core::result::Result<JobsProgress, ::witrpc::EventError>,
        ) + ::core::marker::Send + 'static,
    ) -> ::core::result::Result<::witrpc::EventGuard, ::witrpc::CallError> {
        ::witrpc::__private::v1::attach_blocking::<
            JobsProgress,
        >(&self.connection, __JobsEvent::progress as ::core::primitive::u16, react)
    }
    #[cfg(unix)]
    /// Calls [`Jobs::all_ended`].
    pub fn all_ended(
        &self,
    ) -> ::core::result::Result<::witrpc::Events<JobsAllEnded>, ::witrpc::CallError> {
        ::witrpc::__private::v1::subscribe_blocking::<
            JobsAllEnded,
        >(&self.connection, __JobsEvent::all_ended as ::core::primitive::u16)
    }
    #[cfg(unix)]
    /// Has `react` called for each event that [`all_ended`](Self::all_ended) would give, until the guard is dropped. All such closures of a connection run on one thread, one after the other.
    pub fn on_all_ended(
        &self,
        react: impl ::core::ops::FnMut(
            ::core::result::Result<JobsAllEnded, ::witrpc::EventError>,
        ) + ::core::marker::Send + 'static,
    ) -> ::core::result::Result<::witrpc::EventGuard, ::witrpc::CallError> {
        ::witrpc::__private::v1::attach_blocking::<
            JobsAllEnded,
        >(&self.connection, __JobsEvent::all_ended as ::core::primitive::u16, react)
    }
}
/** Calls a [`Jobs`] in another process. Its methods are futures, for any executor; [`JobsClient`] is the other flavour.

 Clones share one connection.*/
#[allow(dead_code, non_camel_case_types)]
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct JobsAsyncClient {
    connection: ::witrpc::Connection,
}
#[allow(dead_code, deprecated, non_snake_case)]
impl JobsAsyncClient {
    /// Connects to the server at an endpoint, usually its name, with the defaults of
    /// [`builder`](Self::builder).
    ///
    /// # Errors
    ///
    /// When nobody serves there, or the server turns this client away.
    pub fn connect(
        endpoint: impl ::core::convert::Into<::witrpc::Endpoint>,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<Self, ::witrpc::ConnectError>,
    > + ::core::marker::Send {
        ::witrpc::__private::v1::connect_async::<
            Self,
        >(::core::convert::Into::into(endpoint))
    }
    /// Prepares a connection to the server at an endpoint: codec, timeouts, waiting.
    pub fn builder(
        endpoint: impl ::core::convert::Into<::witrpc::Endpoint>,
    ) -> ::witrpc::ClientBuilder<Self, ::witrpc::__private::v1::Async> {
        ::witrpc::ClientBuilder::new(::core::convert::Into::into(endpoint))
    }
    /// Serves `service` within this process, for tests: calls are encoded and dispatched as
    /// between two processes.
    pub fn in_process<S>(service: S) -> Self
    where
        S: ::core::marker::Sized + Jobs + ::core::marker::Send + ::core::marker::Sync
            + 'static,
    {
        ::witrpc::__private::v1::in_process::<Self>(JobsServer::new(service))
    }
    /// This client with `options` for each of its calls: a deadline, a token that cancels them. It
    /// shares the connection.
    #[must_use]
    pub fn with(&self, options: ::witrpc::CallOptions) -> Self {
        Self {
            connection: self.connection.with(options),
        }
    }
    /// The connection, which says how it stands and can be closed.
    pub fn connection(&self) -> &::witrpc::Connection {
        &self.connection
    }
    /// Calls [`Jobs::run`].
    pub fn run<'call>(
        &'call self,
        steps: u32,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<(), ::witrpc::CallError>,
    > + ::core::marker::Send + 'call {
        async move {
            ::witrpc::__private::v1::assert_travels::<u32>();
            ::witrpc::__private::v1::assert_travels::<()>();
            let mut call = ::witrpc::__private::v1::ClientCall::new(
                &self.connection,
                __JobsMethod::run as ::core::primitive::u16,
            );
            call.value::<u32>("steps", &steps);
            call.send().await.value::<()>()
        }
    }
    /// It goes on.
    pub fn progress<'call>(
        &'call self,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<
            ::witrpc::EventStream<JobsProgress>,
            ::witrpc::CallError,
        >,
    > + ::core::marker::Send + 'call {
        async move {
            ::witrpc::__private::v1::subscribe_async::<
                JobsProgress,
            >(&self.connection, __JobsEvent::progress as ::core::primitive::u16)
                .await
        }
    }
    /// Has `react` called for each event that [`progress`](Self::progress) would give, until the guard is dropped. All such closures of a connection run on one thread, one after the other.
    pub fn on_progress<'call>(
        &'call self,
        react: impl ::core::ops::FnMut(
            ::core::result::Result<JobsProgress, ::witrpc::EventError>,
        ) + ::core::marker::Send + 'static,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<::witrpc::EventGuard, ::witrpc::CallError>,
    > + ::core::marker::Send + 'call {
        async move {
            ::witrpc::__private::v1::attach_async::<
                JobsProgress,
            >(&self.connection, __JobsEvent::progress as ::core::primitive::u16, react)
                .await
        }
    }
    #[cfg(unix)]
    /// Calls [`Jobs::all_ended`].
    pub fn all_ended<'call>(
        &'call self,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<
            ::witrpc::EventStream<JobsAllEnded>,
            ::witrpc::CallError,
        >,
    > + ::core::marker::Send + 'call {
        async move {
            ::witrpc::__private::v1::subscribe_async::<
                JobsAllEnded,
            >(&self.connection, __JobsEvent::all_ended as ::core::primitive::u16)
                .await
        }
    }
    #[cfg(unix)]
    /// Has `react` called for each event that [`all_ended`](Self::all_ended) would give, until the guard is dropped. All such closures of a connection run on one thread, one after the other.
    pub fn on_all_ended<'call>(
        &'call self,
        react: impl ::core::ops::FnMut(
            ::core::result::Result<JobsAllEnded, ::witrpc::EventError>,
        ) + ::core::marker::Send + 'static,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<::witrpc::EventGuard, ::witrpc::CallError>,
    > + ::core::marker::Send + 'call {
        async move {
            ::witrpc::__private::v1::attach_async::<
                JobsAllEnded,
            >(&self.connection, __JobsEvent::all_ended as ::core::primitive::u16, react)
                .await
        }
    }
}
#[allow(dead_code, non_camel_case_types)]
enum __JobsMethod {
    run,
}
#[allow(dead_code, non_camel_case_types)]
enum __JobsEvent {
    progress,
    #[cfg(unix)]
    all_ended,
}
#[allow(non_camel_case_types)]
struct __JobsDispatch<S: ?::core::marker::Sized>(
    ::std::sync::Arc<S>,
    ::std::sync::Arc<::witrpc::__private::v1::EventHub>,
);
const _: () = {
    #[allow(non_upper_case_globals, deprecated)]
    static __wit_descriptor: ::witrpc::__private::v1::ServiceDescriptor = ::witrpc::__private::v1::ServiceDescriptor {
        name: "Jobs",
        docs: "Runs jobs.",
        methods: &[
            ::witrpc::__private::v1::MethodDescriptor {
                name: "run",
                docs: "",
                is_async: false,
                idempotent: false,
                arguments: &[
                    ::witrpc::__private::v1::ArgumentDescriptor {
                        name: "steps",
                        kind: ::witrpc::__private::v1::ArgumentKind::Value,
                        shape: {
                            ::witrpc::__private::v1::assert_travels::<u32>();
                            ::witrpc::__private::v1::trace::<u32>
                        },
                    },
                ],
                streams: false,
                result: {
                    ::witrpc::__private::v1::assert_travels::<()>();
                    ::witrpc::__private::v1::trace::<()>
                },
                error: ::core::option::Option::None,
            },
        ],
        events: &[
            ::witrpc::__private::v1::EventDescriptor {
                name: "progress",
                docs: "It goes on.",
                arguments: &[
                    ::witrpc::__private::v1::ArgumentDescriptor {
                        name: "job",
                        kind: ::witrpc::__private::v1::ArgumentKind::Value,
                        shape: {
                            ::witrpc::__private::v1::assert_travels::<u64>();
                            ::witrpc::__private::v1::trace::<u64>
                        },
                    },
                    ::witrpc::__private::v1::ArgumentDescriptor {
                        name: "what",
                        kind: ::witrpc::__private::v1::ArgumentKind::Str,
                        shape: { ::witrpc::__private::v1::trace_str },
                    },
                    ::witrpc::__private::v1::ArgumentDescriptor {
                        name: "path",
                        kind: ::witrpc::__private::v1::ArgumentKind::Path,
                        shape: { ::witrpc::__private::v1::trace_path },
                    },
                    ::witrpc::__private::v1::ArgumentDescriptor {
                        name: "samples",
                        kind: ::witrpc::__private::v1::ArgumentKind::Raw,
                        shape: {
                            ::witrpc::__private::v1::assert_raw::<f64>();
                            ::witrpc::__private::v1::trace_raw::<f64>
                        },
                    },
                    ::witrpc::__private::v1::ArgumentDescriptor {
                        name: "table",
                        kind: ::witrpc::__private::v1::ArgumentKind::Value,
                        shape: {
                            ::witrpc::__private::v1::assert_travels::<Table>();
                            ::witrpc::__private::v1::assert_lent::<Table>();
                            ::witrpc::__private::v1::trace::<Table>
                        },
                    },
                ],
                overflow: ::witrpc::__private::v1::Overflow::DropOldest,
            },
            #[cfg(unix)]
            ::witrpc::__private::v1::EventDescriptor {
                name: "end",
                docs: "",
                arguments: &[],
                overflow: ::witrpc::__private::v1::Overflow::Wait(
                    ::core::time::Duration::from_micros(5000u64),
                ),
            },
        ],
    };
    impl ::witrpc::__private::v1::IntoService for JobsServer {
        fn into_service(self) -> ::std::sync::Arc<dyn ::witrpc::__private::v1::Service> {
            self.service
        }
    }
    #[allow(non_upper_case_globals)]
    const __wit_number_run: ::core::primitive::u16 = __JobsMethod::run
        as ::core::primitive::u16;
    #[allow(deprecated, non_camel_case_types, non_snake_case)]
    impl<
        __wit_S: ?::core::marker::Sized + Jobs + ::core::marker::Send
            + ::core::marker::Sync + 'static,
    > ::witrpc::__private::v1::Service for __JobsDispatch<__wit_S> {
        fn descriptor(&self) -> &'static ::witrpc::__private::v1::ServiceDescriptor {
            &__wit_descriptor
        }
        fn dispatch(&self, call: ::witrpc::__private::v1::ServerCall<'_>) {
            match call.method() {
                __wit_number_run => {
                    ::witrpc::__private::v1::assert_travels::<u32>();
                    ::witrpc::__private::v1::assert_travels::<()>();
                    call.reply::<
                            (),
                        >(|arguments, _| {
                        let steps = arguments.value::<u32>("steps")?;
                        arguments.finish()?;
                        ::core::result::Result::Ok(
                            <__wit_S as Jobs>::run(&self.0, steps),
                        )
                    })
                }
                _ => call.unknown_method(),
            }
        }
        fn events(
            &self,
        ) -> ::core::option::Option<
            &::std::sync::Arc<::witrpc::__private::v1::EventHub>,
        > {
            ::core::option::Option::Some(&self.1)
        }
    }
    impl ::witrpc::__private::v1::Client for JobsClient {
        const DESCRIPTOR: &'static ::witrpc::__private::v1::ServiceDescriptor = &__wit_descriptor;
        fn from_connection(connection: ::witrpc::Connection) -> Self {
            Self { connection }
        }
    }
    impl ::witrpc::__private::v1::Client for JobsAsyncClient {
        const DESCRIPTOR: &'static ::witrpc::__private::v1::ServiceDescriptor = &__wit_descriptor;
        fn from_connection(connection: ::witrpc::Connection) -> Self {
            Self { connection }
        }
    }
};
const _: () = {
    const IS_RESULT: ::core::primitive::bool = {
        ::witrpc::__private::v1::is_result!(())
    };
    ::core::assert!(
        IS_RESULT == false,
        "`Jobs::run` returns a `Result` under another name: put `#[wit(result)]` on the method, so that its error reaches the client as `CallError::App`"
    );
};
