pub(crate) trait Calculator: Send + Sync {
    #[cfg(unix)]
    fn r#type(&self, r#fn: u8, cx: &CallContext) -> u8;
    #[deprecated]
    #[cfg_attr(windows, cfg(feature = "calc"), doc = "On Windows.")]
    fn outcome(&self) -> Outcome;
}
/** Serves a [`Calculator`]: give one to the builder of a `WitServer`, which answers the calls of every client with it.

 Clones serve the same.*/
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
pub(crate) struct CalculatorServer {
    service: ::std::sync::Arc<dyn crate::vendored::__private::v1::Service>,
}
/** Calls a [`Calculator`] in another process. Its methods block the calling thread; [`CalculatorAsyncClient`] is the other kind of client.

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
pub(crate) struct CalculatorClient {
    connection: crate::vendored::Connection,
}
/** Calls a [`Calculator`] in another process. Its methods are futures, for any executor; [`CalculatorClient`] is the other kind of client.

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
pub(crate) struct CalculatorAsyncClient {
    connection: crate::vendored::Connection,
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
    use crate::vendored::__private::v1 as __wit;
    #[allow(unused_imports)]
    use __wit::NotResult as _;
    enum __wit_Methods {
        #[cfg(unix)]
        r#type,
        #[cfg_attr(windows, cfg(feature = "calc"))]
        outcome,
    }
    #[cfg(unix)]
    struct __fn_type;
    #[cfg(unix)]
    impl __wit::Message for __fn_type {
        type Args = (__wit::Value<u8>,);
        const NUMBER: ::core::primitive::u16 = __wit_Methods::r#type as _;
        const ARGS: Self::Args = (__wit::value::<u8>("fn"),);
    }
    #[cfg(unix)]
    impl __wit::Method for __fn_type {
        type Ok = u8;
        type Err = __wit::NoAppError;
        const ANSWER: __wit::AnswerOf<Self> = __wit::answer::<u8>();
    }
    #[cfg_attr(windows, cfg(feature = "calc"))]
    const __is_res_outcome: __wit::u8 = __wit::result_kind!(Outcome);
    #[cfg_attr(windows, cfg(feature = "calc"))]
    const _: () = ::core::assert!(
        __is_res_outcome != 0,
        "`Calculator::outcome` does not return a `Result`: remove `#[wit(result)]`"
    );
    #[cfg_attr(windows, cfg(feature = "calc"))]
    struct __fn_outcome;
    #[cfg_attr(windows, cfg(feature = "calc"))]
    impl __wit::Message for __fn_outcome {
        type Args = ();
        const NUMBER: ::core::primitive::u16 = __wit_Methods::outcome as _;
        const ARGS: Self::Args = ();
    }
    #[cfg_attr(windows, cfg(feature = "calc"))]
    impl __wit::Method for __fn_outcome {
        type Ok = <Outcome as __wit::ResultType<__is_res_outcome>>::Ok;
        type Err = <Outcome as __wit::ResultType<__is_res_outcome>>::Err;
        const ANSWER: __wit::AnswerOf<Self> = __wit::alias::<
            Outcome,
            __is_res_outcome,
        >();
    }
    impl CalculatorClient {
        /// Connects to the server at an endpoint, usually its name, with the defaults of
        /// [`builder`](Self::builder).
        ///
        /// # Errors
        ///
        /// No server has the name, or the server refuses this client.
        pub(crate) fn connect(
            endpoint: impl ::core::convert::Into<crate::vendored::Endpoint>,
        ) -> ::core::result::Result<Self, crate::vendored::ConnectError> {
            __wit::connect_blocking::<Self>(::core::convert::Into::into(endpoint))
        }
        /// Prepares a connection to the server at an endpoint: codec, timeouts, waiting.
        pub(crate) fn builder(
            endpoint: impl ::core::convert::Into<crate::vendored::Endpoint>,
        ) -> crate::vendored::ClientBuilder<Self, __wit::Blocking> {
            crate::vendored::ClientBuilder::new(::core::convert::Into::into(endpoint))
        }
        /// Serves `service` within this process, for tests: calls are encoded and dispatched as
        /// between two processes.
        pub(crate) fn in_process<S>(service: S) -> Self
        where
            S: ::core::marker::Sized + Calculator + ::core::marker::Send
                + ::core::marker::Sync + 'static,
        {
            __wit::in_process::<
                Self,
            >(CalculatorServer::from_arc(::std::sync::Arc::new(service)))
        }
        /// Starts a server within this process, for tests, and returns a client of it. `server` is given
        /// the service, events and hooks included; it needs no place to listen at.
        ///
        /// # Panics
        ///
        /// When the server does not start, or does not accept the client, as one that asks for a token.
        pub(crate) fn in_process_with(
            server: crate::vendored::WitServerBuilder,
        ) -> Self {
            __wit::in_process_with::<Self>(server)
        }
        /// Returns this client with `options` for each of its calls: a deadline, a token that cancels
        /// them. It shares the connection.
        #[must_use]
        pub(crate) fn with(&self, options: crate::vendored::CallOptions) -> Self {
            Self {
                connection: self.connection.with(options),
            }
        }
        /// Returns the connection, which says how it stands and can be closed.
        pub(crate) fn connection(&self) -> &crate::vendored::Connection {
            &self.connection
        }
        #[cfg(unix)]
        /// Calls [`Calculator::r#type`].
        pub(crate) fn r#type(
            &self,
            r#fn: u8,
        ) -> ::core::result::Result<u8, crate::vendored::CallError> {
            __wit::call_blocking::<__fn_type>(&self.connection, (&r#fn,))
        }
        #[cfg_attr(windows, cfg(feature = "calc"))]
        /// Calls [`Calculator::outcome`].
        #[deprecated]
        #[cfg_attr(windows, doc = "On Windows.")]
        pub(crate) fn outcome(&self) -> __wit::AliasOutcome<Outcome, __is_res_outcome> {
            __wit::call_blocking::<__fn_outcome>(&self.connection, ())
        }
    }
    impl __wit::Client for CalculatorClient {
        const DESCRIPTOR: &'static __wit::ServiceDescriptor = &__wit_descriptor;
        fn from_connection(connection: crate::vendored::Connection) -> Self {
            Self { connection }
        }
    }
    impl CalculatorAsyncClient {
        /// Connects to the server at an endpoint, usually its name, with the defaults of
        /// [`builder`](Self::builder).
        ///
        /// # Errors
        ///
        /// No server has the name, or the server refuses this client.
        pub(crate) fn connect(
            endpoint: impl ::core::convert::Into<crate::vendored::Endpoint>,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<Self, crate::vendored::ConnectError>,
        > + ::core::marker::Send {
            __wit::connect_async::<Self>(::core::convert::Into::into(endpoint))
        }
        /// Prepares a connection to the server at an endpoint: codec, timeouts, waiting.
        pub(crate) fn builder(
            endpoint: impl ::core::convert::Into<crate::vendored::Endpoint>,
        ) -> crate::vendored::ClientBuilder<Self, __wit::Async> {
            crate::vendored::ClientBuilder::new(::core::convert::Into::into(endpoint))
        }
        /// Serves `service` within this process, for tests: calls are encoded and dispatched as
        /// between two processes.
        pub(crate) fn in_process<S>(service: S) -> Self
        where
            S: ::core::marker::Sized + Calculator + ::core::marker::Send
                + ::core::marker::Sync + 'static,
        {
            __wit::in_process::<
                Self,
            >(CalculatorServer::from_arc(::std::sync::Arc::new(service)))
        }
        /// Starts a server within this process, for tests, and returns a client of it. `server` is given
        /// the service, events and hooks included; it needs no place to listen at.
        ///
        /// # Panics
        ///
        /// When the server does not start, or does not accept the client, as one that asks for a token.
        pub(crate) fn in_process_with(
            server: crate::vendored::WitServerBuilder,
        ) -> Self {
            __wit::in_process_with::<Self>(server)
        }
        /// Returns this client with `options` for each of its calls: a deadline, a token that cancels
        /// them. It shares the connection.
        #[must_use]
        pub(crate) fn with(&self, options: crate::vendored::CallOptions) -> Self {
            Self {
                connection: self.connection.with(options),
            }
        }
        /// Returns the connection, which says how it stands and can be closed.
        pub(crate) fn connection(&self) -> &crate::vendored::Connection {
            &self.connection
        }
        #[cfg(unix)]
        /// Calls [`Calculator::r#type`].
        pub(crate) fn r#type<'call>(
            &'call self,
            r#fn: u8,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<u8, crate::vendored::CallError>,
        > + ::core::marker::Send + 'call {
            async move { __wit::call_async!(__fn_type, & self.connection, (& r#fn,)) }
        }
        #[cfg_attr(windows, cfg(feature = "calc"))]
        /// Calls [`Calculator::outcome`].
        #[deprecated]
        #[cfg_attr(windows, doc = "On Windows.")]
        pub(crate) fn outcome<'call>(
            &'call self,
        ) -> impl ::core::future::Future<
            Output = __wit::AliasOutcome<Outcome, __is_res_outcome>,
        > + ::core::marker::Send + 'call {
            async move { __wit::call_async!(__fn_outcome, & self.connection, ()) }
        }
    }
    impl __wit::Client for CalculatorAsyncClient {
        const DESCRIPTOR: &'static __wit::ServiceDescriptor = &__wit_descriptor;
        fn from_connection(connection: crate::vendored::Connection) -> Self {
            Self { connection }
        }
    }
    impl CalculatorServer {
        /// Serves `service`.
        pub(crate) fn new<S>(service: S) -> Self
        where
            S: ::core::marker::Sized + Calculator + ::core::marker::Send
                + ::core::marker::Sync + 'static,
        {
            Self::from_arc(::std::sync::Arc::new(service))
        }
        /// Serves what others have a hold of too, or a trait object: an `Arc<dyn .. + Send + Sync>`.
        pub(crate) fn from_arc<S>(service: ::std::sync::Arc<S>) -> Self
        where
            S: ?::core::marker::Sized + Calculator + ::core::marker::Send
                + ::core::marker::Sync + 'static,
        {
            Self {
                service: ::std::sync::Arc::new(__wit_Dispatch(service)),
            }
        }
    }
    impl __wit::IntoService for CalculatorServer {
        fn into_service(self) -> ::std::sync::Arc<dyn __wit::Service> {
            self.service
        }
    }
    struct __wit_Dispatch<__wit_S: ?::core::marker::Sized>(::std::sync::Arc<__wit_S>);
    impl<
        __wit_S: ?::core::marker::Sized + Calculator + ::core::marker::Send
            + ::core::marker::Sync + 'static,
    > __wit::Service for __wit_Dispatch<__wit_S> {
        fn descriptor(&self) -> &'static __wit::ServiceDescriptor {
            &__wit_descriptor
        }
        fn dispatch(&self, call: __wit::ServerCall<'_>) {
            match call.method() {
                #[cfg(unix)]
                <__fn_type as __wit::Message>::NUMBER => {
                    call.reply::<
                            __fn_type,
                        >(|(r#fn,), caller| Calculator::r#type(
                        &*self.0,
                        r#fn,
                        &caller.context(),
                    ))
                }
                #[cfg_attr(windows, cfg(feature = "calc"))]
                <__fn_outcome as __wit::Message>::NUMBER => {
                    call.reply_result::<
                            __fn_outcome,
                        >(|(), _| {
                        let returned = Calculator::outcome(&*self.0);
                        __wit::result::<__is_res_outcome, _>(returned)
                    })
                }
                _ => call.unknown_method(),
            }
        }
    }
    static __wit_descriptor: __wit::ServiceDescriptor = __wit::ServiceDescriptor {
        name: "calc",
        docs: "",
        methods: &[
            #[cfg(unix)]
            __wit::MethodDescriptor::of::<__fn_type>("type", "").idempotent(),
            #[cfg_attr(windows, cfg(feature = "calc"))]
            __wit::MethodDescriptor::of::<__fn_outcome>("outcome", ""),
        ],
        events: &[],
    };
};
