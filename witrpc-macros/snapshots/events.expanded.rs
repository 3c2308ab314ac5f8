/// Runs jobs.
/**

Its events are emitted by [`JobsEvents`].*/
pub trait Jobs {
    fn run(&self, steps: u32);
}
/** Serves a [`Jobs`]: give one to the builder of a `WitServer`, which answers the calls of every client with it.

 Clones serve the same. One that is to emit events is made by `with_events`: subscribers of any other hear nothing.*/
#[must_use = "a service answers no call until it is given to a `WitServer`"]
#[allow(
    dead_code,
    deprecated,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
#[derive(::core::clone::Clone)]
pub struct JobsServer {
    service: ::std::sync::Arc<dyn ::witrpc::__private::v1::Service>,
}
/** Emits the events of a [`Jobs`], to every client that has subscribed or, after [`to`](Self::to), to one. [`JobsServer::with_events`] gives it to the service.

 Clones emit the same. They do not keep the server running: once that has ended, emitting reaches no client.*/
#[allow(
    dead_code,
    deprecated,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct JobsEvents {
    emitter: ::witrpc::__private::v1::Emitter,
}
/// It goes on.
#[allow(
    dead_code,
    deprecated,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
pub struct JobsProgress {
    /// What it was emitted with as `job`.
    pub job: u64,
    /// What it was emitted with as `what`.
    pub what: ::std::string::String,
    /// What it was emitted with as `path`.
    pub path: ::witrpc::__private::v1::Owned<Path>,
    /// What it was emitted with as `samples`.
    pub samples: ::std::vec::Vec<f64>,
    /// What it was emitted with as `table`.
    pub table: Table,
}
#[cfg(unix)]
/// The event `all_ended` of a [`Jobs`].
#[allow(
    dead_code,
    deprecated,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
pub struct JobsAllEnded {}
/** Calls a [`Jobs`] in another process. Its methods block the calling thread; [`JobsAsyncClient`] is the other kind of client.

 Clones share one connection.*/
#[allow(
    dead_code,
    deprecated,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct JobsClient {
    connection: ::witrpc::Connection,
}
/** Calls a [`Jobs`] in another process. Its methods are futures, for any executor; [`JobsClient`] is the other kind of client.

 Clones share one connection.*/
#[allow(
    dead_code,
    deprecated,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct JobsAsyncClient {
    connection: ::witrpc::Connection,
}
#[allow(
    dead_code,
    deprecated,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
const _: () = {
    use ::witrpc::__private::v1 as __wit;
    enum __wit_Methods {
        run,
    }
    enum __wit_Events {
        progress,
        #[cfg(unix)]
        all_ended,
    }
    struct __fn_run;
    impl __wit::Message for __fn_run {
        type Args = (__wit::Value<u32>,);
        const NUMBER: ::core::primitive::u16 = __wit_Methods::run as _;
        const ARGS: Self::Args = (__wit::value::<u32>("steps"),);
    }
    impl __wit::Method for __fn_run {
        type Ok = ();
        type Err = __wit::NoAppError;
        const ANSWER: __wit::AnswerOf<Self> = __wit::answer::<()>();
    }
    impl JobsClient {
        /// Connects to the server at an endpoint, usually its name, with the defaults of
        /// [`builder`](Self::builder).
        ///
        /// # Errors
        ///
        /// No server has the name, or the server refuses this client.
        pub fn connect(
            endpoint: impl ::core::convert::Into<::witrpc::Endpoint>,
        ) -> ::core::result::Result<Self, ::witrpc::ConnectError> {
            __wit::connect_blocking::<Self>(::core::convert::Into::into(endpoint))
        }
        /// Prepares a connection to the server at an endpoint: codec, timeouts, waiting.
        pub fn builder(
            endpoint: impl ::core::convert::Into<::witrpc::Endpoint>,
        ) -> ::witrpc::ClientBuilder<Self, __wit::Blocking> {
            ::witrpc::ClientBuilder::new(::core::convert::Into::into(endpoint))
        }
        /// Serves `service` within this process, for tests: calls are encoded and dispatched as
        /// between two processes.
        pub fn in_process<S>(service: S) -> Self
        where
            S: ::core::marker::Sized + Jobs + ::core::marker::Send + ::core::marker::Sync
                + 'static,
        {
            __wit::in_process::<
                Self,
            >(JobsServer::from_arc(::std::sync::Arc::new(service)))
        }
        /// Starts a server within this process, for tests, and returns a client of it. `server` is given
        /// the service, events and hooks included; it needs no place to listen at.
        ///
        /// # Panics
        ///
        /// When the server does not start, or does not accept the client, as one that asks for a token.
        pub fn in_process_with(server: ::witrpc::WitServerBuilder) -> Self {
            __wit::in_process_with::<Self>(server)
        }
        /// Returns this client with `options` for each of its calls: a deadline, a token that cancels
        /// them. It shares the connection.
        #[must_use]
        pub fn with(&self, options: ::witrpc::CallOptions) -> Self {
            Self {
                connection: self.connection.with(options),
            }
        }
        /// Returns the connection, which says how it stands and can be closed.
        pub fn connection(&self) -> &::witrpc::Connection {
            &self.connection
        }
        /// Calls [`Jobs::run`].
        pub fn run(
            &self,
            steps: u32,
        ) -> ::core::result::Result<(), ::witrpc::CallError> {
            __wit::call_blocking::<__fn_run>(&self.connection, (&steps,))
        }
        /// It goes on.
        pub fn progress(
            &self,
        ) -> ::core::result::Result<
            ::witrpc::Events<JobsProgress>,
            ::witrpc::CallError,
        > {
            __wit::subscribe_blocking::<JobsProgress>(&self.connection)
        }
        /// Has `react` called for each event that [`progress`](Self::progress) would give, until the guard is dropped. All such closures of a connection run on one thread, one after the other.
        pub fn on_progress(
            &self,
            react: impl ::core::ops::FnMut(
                ::core::result::Result<JobsProgress, ::witrpc::EventError>,
            ) + ::core::marker::Send + 'static,
        ) -> ::core::result::Result<::witrpc::EventGuard, ::witrpc::CallError> {
            __wit::attach_blocking::<JobsProgress>(&self.connection, react)
        }
        #[cfg(unix)]
        /// Subscribes to the event `all_ended`.
        pub fn all_ended(
            &self,
        ) -> ::core::result::Result<
            ::witrpc::Events<JobsAllEnded>,
            ::witrpc::CallError,
        > {
            __wit::subscribe_blocking::<JobsAllEnded>(&self.connection)
        }
        #[cfg(unix)]
        /// Has `react` called for each event that [`all_ended`](Self::all_ended) would give, until the guard is dropped. All such closures of a connection run on one thread, one after the other.
        pub fn on_all_ended(
            &self,
            react: impl ::core::ops::FnMut(
                ::core::result::Result<JobsAllEnded, ::witrpc::EventError>,
            ) + ::core::marker::Send + 'static,
        ) -> ::core::result::Result<::witrpc::EventGuard, ::witrpc::CallError> {
            __wit::attach_blocking::<JobsAllEnded>(&self.connection, react)
        }
    }
    impl __wit::Client for JobsClient {
        const DESCRIPTOR: &'static __wit::ServiceDescriptor = &__wit_descriptor;
        fn from_connection(connection: ::witrpc::Connection) -> Self {
            Self { connection }
        }
    }
    impl JobsAsyncClient {
        /// Connects to the server at an endpoint, usually its name, with the defaults of
        /// [`builder`](Self::builder).
        ///
        /// # Errors
        ///
        /// No server has the name, or the server refuses this client.
        pub fn connect(
            endpoint: impl ::core::convert::Into<::witrpc::Endpoint>,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<Self, ::witrpc::ConnectError>,
        > + ::core::marker::Send {
            __wit::connect_async::<Self>(::core::convert::Into::into(endpoint))
        }
        /// Prepares a connection to the server at an endpoint: codec, timeouts, waiting.
        pub fn builder(
            endpoint: impl ::core::convert::Into<::witrpc::Endpoint>,
        ) -> ::witrpc::ClientBuilder<Self, __wit::Async> {
            ::witrpc::ClientBuilder::new(::core::convert::Into::into(endpoint))
        }
        /// Serves `service` within this process, for tests: calls are encoded and dispatched as
        /// between two processes.
        pub fn in_process<S>(service: S) -> Self
        where
            S: ::core::marker::Sized + Jobs + ::core::marker::Send + ::core::marker::Sync
                + 'static,
        {
            __wit::in_process::<
                Self,
            >(JobsServer::from_arc(::std::sync::Arc::new(service)))
        }
        /// Starts a server within this process, for tests, and returns a client of it. `server` is given
        /// the service, events and hooks included; it needs no place to listen at.
        ///
        /// # Panics
        ///
        /// When the server does not start, or does not accept the client, as one that asks for a token.
        pub fn in_process_with(server: ::witrpc::WitServerBuilder) -> Self {
            __wit::in_process_with::<Self>(server)
        }
        /// Returns this client with `options` for each of its calls: a deadline, a token that cancels
        /// them. It shares the connection.
        #[must_use]
        pub fn with(&self, options: ::witrpc::CallOptions) -> Self {
            Self {
                connection: self.connection.with(options),
            }
        }
        /// Returns the connection, which says how it stands and can be closed.
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
            async move { __wit::call_async!(__fn_run, & self.connection, (& steps,)) }
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
            async move { __wit::subscribe_async::<JobsProgress>(&self.connection).await }
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
                __wit::attach_async::<JobsProgress>(&self.connection, react).await
            }
        }
        #[cfg(unix)]
        /// Subscribes to the event `all_ended`.
        pub fn all_ended<'call>(
            &'call self,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<
                ::witrpc::EventStream<JobsAllEnded>,
                ::witrpc::CallError,
            >,
        > + ::core::marker::Send + 'call {
            async move { __wit::subscribe_async::<JobsAllEnded>(&self.connection).await }
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
                __wit::attach_async::<JobsAllEnded>(&self.connection, react).await
            }
        }
    }
    impl __wit::Client for JobsAsyncClient {
        const DESCRIPTOR: &'static __wit::ServiceDescriptor = &__wit_descriptor;
        fn from_connection(connection: ::witrpc::Connection) -> Self {
            Self { connection }
        }
    }
    impl JobsServer {
        #[doc(hidden)]
        pub fn new(service: impl __wit::NeedsNoEvents) -> Self {
            let _ = service;
            ::core::unreachable!()
        }
        /// Serves what others have a hold of too, or a trait object: an `Arc<dyn .. + Send + Sync>`.
        pub fn from_arc<S>(service: ::std::sync::Arc<S>) -> Self
        where
            S: ?::core::marker::Sized + Jobs + ::core::marker::Send
                + ::core::marker::Sync + 'static,
        {
            Self {
                service: ::std::sync::Arc::new(
                    __wit_Dispatch(service, __wit::EventHub::new()),
                ),
            }
        }
        /// Serves what `make` makes, which is given what emits the events of the service.
        pub fn with_events<S>(make: impl ::core::ops::FnOnce(JobsEvents) -> S) -> Self
        where
            S: ::core::marker::Sized + Jobs + ::core::marker::Send + ::core::marker::Sync
                + 'static,
        {
            let hub = __wit::EventHub::new();
            let service = make(JobsEvents {
                emitter: hub.emitter(),
            });
            Self {
                service: ::std::sync::Arc::new(
                    __wit_Dispatch(::std::sync::Arc::new(service), hub),
                ),
            }
        }
    }
    impl __wit::IntoService for JobsServer {
        fn into_service(self) -> ::std::sync::Arc<dyn __wit::Service> {
            self.service
        }
    }
    struct __wit_Dispatch<__wit_S: ?::core::marker::Sized>(
        ::std::sync::Arc<__wit_S>,
        ::std::sync::Arc<__wit::EventHub>,
    );
    impl<
        __wit_S: ?::core::marker::Sized + Jobs + ::core::marker::Send
            + ::core::marker::Sync + 'static,
    > __wit::Service for __wit_Dispatch<__wit_S> {
        fn descriptor(&self) -> &'static __wit::ServiceDescriptor {
            &__wit_descriptor
        }
        fn dispatch(&self, call: __wit::ServerCall<'_>) {
            match call.method() {
                <__fn_run as __wit::Message>::NUMBER => {
                    call.reply::<__fn_run>(|(steps,), _| Jobs::run(&*self.0, steps))
                }
                _ => call.unknown_method(),
            }
        }
        fn events(&self) -> ::core::option::Option<&::std::sync::Arc<__wit::EventHub>> {
            ::core::option::Option::Some(&self.1)
        }
    }
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
            self.emitter.emit::<JobsProgress>((&job, what, path, samples, table))
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
            self.emitter.emit::<JobsAllEnded>(())
        }
    }
    #[allow(deprecated)]
    impl ::core::fmt::Debug for JobsProgress {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            #[allow(unused_imports)]
            use __wit::NotDebug as _;
            f.debug_struct("JobsProgress")
                .field("job", __wit::DebugProbe::<u64>::new(&self.job).shown())
                .field(
                    "what",
                    __wit::DebugProbe::<::std::string::String>::new(&self.what).shown(),
                )
                .field(
                    "path",
                    __wit::DebugProbe::<__wit::Owned<Path>>::new(&self.path).shown(),
                )
                .field(
                    "samples",
                    __wit::DebugProbe::<::std::vec::Vec<f64>>::new(&self.samples).shown(),
                )
                .field("table", __wit::DebugProbe::<Table>::new(&self.table).shown())
                .finish()
        }
    }
    impl __wit::Message for JobsProgress {
        type Args = (
            __wit::Value<u64>,
            __wit::Str,
            __wit::Borrowed<Path>,
            __wit::Raw<f64>,
            __wit::Borrowed<Table>,
        );
        const NUMBER: ::core::primitive::u16 = __wit_Events::progress as _;
        const ARGS: Self::Args = (
            __wit::emitted::<u64>("job"),
            __wit::str("what"),
            __wit::emitted_lent::<Path>("path"),
            __wit::raw::<f64>("samples"),
            __wit::emitted_lent::<Table>("table"),
        );
    }
    impl __wit::EventItem for JobsProgress {
        fn of((job, what, path, samples, table): __wit::TakenBy<'_, Self>) -> Self {
            Self {
                job,
                what: what.into_owned(),
                path: <Path as __wit::LentType>::own(path),
                samples: samples.into_owned(),
                table,
            }
        }
    }
    #[cfg(unix)]
    #[allow(deprecated)]
    impl ::core::fmt::Debug for JobsAllEnded {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            #[allow(unused_imports)]
            use __wit::NotDebug as _;
            f.debug_struct("JobsAllEnded").finish()
        }
    }
    #[cfg(unix)]
    impl __wit::Message for JobsAllEnded {
        type Args = ();
        const NUMBER: ::core::primitive::u16 = __wit_Events::all_ended as _;
        const ARGS: Self::Args = ();
    }
    #[cfg(unix)]
    impl __wit::EventItem for JobsAllEnded {
        fn of((): __wit::TakenBy<'_, Self>) -> Self {
            Self {}
        }
    }
    static __wit_descriptor: __wit::ServiceDescriptor = __wit::ServiceDescriptor {
        name: "Jobs",
        docs: "Runs jobs.",
        methods: &[__wit::MethodDescriptor::of::<__fn_run>("run", "")],
        events: &[
            __wit::EventDescriptor::of::<
                JobsProgress,
            >("progress", "It goes on.", __wit::Overflow::DropOldest),
            #[cfg(unix)]
            __wit::EventDescriptor::of::<
                JobsAllEnded,
            >(
                "end",
                "",
                __wit::Overflow::Wait(::core::time::Duration::from_micros(5000u64)),
            ),
        ],
    };
};
