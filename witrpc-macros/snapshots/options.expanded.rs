pub(crate) trait Calculator: Send + Sync {
    #[cfg(unix)]
    fn r#type(&self, r#fn: u8, cx: &CallContext) -> u8;
    #[deprecated]
    #[cfg_attr(windows, cfg(feature = "calc"), doc = "On Windows.")]
    fn outcome(&self) -> Outcome;
}
/** Serves a [`Calculator`]: give one to the builder of a `WitServer`, which answers the calls of every client with it.

 Clones serve the same.*/
#[must_use = "a service answers nobody until it is given to a `WitServer`"]
#[allow(dead_code, non_camel_case_types)]
#[derive(::core::clone::Clone)]
pub(crate) struct CalculatorServer {
    service: ::std::sync::Arc<dyn crate::vendored::__private::v1::Service>,
}
/** Calls a [`Calculator`] in another process. Its methods block the calling thread; [`CalculatorAsyncClient`] is the other kind of client.

 Clones share one connection.*/
#[allow(dead_code, non_camel_case_types)]
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub(crate) struct CalculatorClient {
    connection: crate::vendored::Connection,
}
/** Calls a [`Calculator`] in another process. Its methods are futures, for any executor; [`CalculatorClient`] is the other kind of client.

 Clones share one connection.*/
#[allow(dead_code, non_camel_case_types)]
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub(crate) struct CalculatorAsyncClient {
    connection: crate::vendored::Connection,
}
#[allow(
    dead_code,
    deprecated,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals
)]
const _: () = {
    use crate::vendored::__private::v1 as __wit_v1;
    enum __wit_Methods {
        #[cfg(unix)]
        r#type,
        #[cfg_attr(windows, cfg(feature = "calc"))]
        outcome,
    }
    #[cfg(unix)]
    struct __fn_type;
    #[cfg(unix)]
    impl __wit_v1::Message for __fn_type {
        type Arguments = (__wit_v1::Value<u8>,);
        const NUMBER: ::core::primitive::u16 = __wit_Methods::r#type as _;
        const ARGUMENTS: Self::Arguments = (__wit_v1::value::<u8>("fn"),);
    }
    #[cfg(unix)]
    impl __wit_v1::Method for __fn_type {
        type Ok = u8;
        type Err = __wit_v1::NoAppError;
        const OK: __wit_v1::Value<Self::Ok> = __wit_v1::value::<u8>("result");
    }
    #[cfg_attr(windows, cfg(feature = "calc"))]
    struct __fn_outcome;
    #[cfg_attr(windows, cfg(feature = "calc"))]
    impl __wit_v1::Message for __fn_outcome {
        type Arguments = ();
        const NUMBER: ::core::primitive::u16 = __wit_Methods::outcome as _;
        const ARGUMENTS: Self::Arguments = ();
    }
    #[cfg_attr(windows, cfg(feature = "calc"))]
    impl __wit_v1::Method for __fn_outcome {
        type Ok = <Outcome as __wit_v1::ResultType<
            { __wit_v1::is_result!(Outcome) },
        >>::Ok;
        type Err = <Outcome as __wit_v1::ResultType<
            { __wit_v1::is_result!(Outcome) },
        >>::Err;
        const OK: __wit_v1::Value<Self::Ok> = __wit_v1::value::<Self::Ok>("result");
        const ERR: __wit_v1::Error<Self::Err> = __wit_v1::error::<Self::Err>();
    }
    impl CalculatorClient {
        /// Connects to the server at an endpoint, usually its name, with the defaults of
        /// [`builder`](Self::builder).
        ///
        /// # Errors
        ///
        /// When nobody serves there, or the server turns this client away.
        pub(crate) fn connect(
            endpoint: impl ::core::convert::Into<crate::vendored::Endpoint>,
        ) -> ::core::result::Result<Self, crate::vendored::ConnectError> {
            __wit_v1::connect_blocking::<Self>(::core::convert::Into::into(endpoint))
        }
        /// Prepares a connection to the server at an endpoint: codec, timeouts, waiting.
        pub(crate) fn builder(
            endpoint: impl ::core::convert::Into<crate::vendored::Endpoint>,
        ) -> crate::vendored::ClientBuilder<Self, __wit_v1::Blocking> {
            crate::vendored::ClientBuilder::new(::core::convert::Into::into(endpoint))
        }
        /// Serves `service` within this process, for tests: calls are encoded and dispatched as
        /// between two processes.
        pub(crate) fn in_process<S>(service: S) -> Self
        where
            S: ::core::marker::Sized + Calculator + ::core::marker::Send
                + ::core::marker::Sync + 'static,
        {
            __wit_v1::in_process::<Self>(CalculatorServer::new(service))
        }
        /// This client with `options` for each of its calls: a deadline, a token that cancels them. It
        /// shares the connection.
        #[must_use]
        pub(crate) fn with(&self, options: crate::vendored::CallOptions) -> Self {
            Self {
                connection: self.connection.with(options),
            }
        }
        /// The connection, which says how it stands and can be closed.
        pub(crate) fn connection(&self) -> &crate::vendored::Connection {
            &self.connection
        }
        #[cfg(unix)]
        /// Calls [`Calculator::r#type`].
        pub(crate) fn r#type(
            &self,
            r#fn: u8,
        ) -> ::core::result::Result<u8, crate::vendored::CallError> {
            __wit_v1::call::<__fn_type>(&self.connection, (&r#fn,))
        }
        #[cfg_attr(windows, cfg(feature = "calc"))]
        /// Calls [`Calculator::outcome`].
        #[deprecated]
        #[cfg_attr(windows, doc = "On Windows.")]
        pub(crate) fn outcome(
            &self,
        ) -> __wit_v1::AliasOutcome<Outcome, { __wit_v1::is_result!(Outcome) }> {
            __wit_v1::call::<__fn_outcome>(&self.connection, ())
        }
    }
    impl __wit_v1::Client for CalculatorClient {
        const DESCRIPTOR: &'static __wit_v1::ServiceDescriptor = &__wit_descriptor;
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
        /// When nobody serves there, or the server turns this client away.
        pub(crate) fn connect(
            endpoint: impl ::core::convert::Into<crate::vendored::Endpoint>,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<Self, crate::vendored::ConnectError>,
        > + ::core::marker::Send {
            __wit_v1::connect_async::<Self>(::core::convert::Into::into(endpoint))
        }
        /// Prepares a connection to the server at an endpoint: codec, timeouts, waiting.
        pub(crate) fn builder(
            endpoint: impl ::core::convert::Into<crate::vendored::Endpoint>,
        ) -> crate::vendored::ClientBuilder<Self, __wit_v1::Async> {
            crate::vendored::ClientBuilder::new(::core::convert::Into::into(endpoint))
        }
        /// Serves `service` within this process, for tests: calls are encoded and dispatched as
        /// between two processes.
        pub(crate) fn in_process<S>(service: S) -> Self
        where
            S: ::core::marker::Sized + Calculator + ::core::marker::Send
                + ::core::marker::Sync + 'static,
        {
            __wit_v1::in_process::<Self>(CalculatorServer::new(service))
        }
        /// This client with `options` for each of its calls: a deadline, a token that cancels them. It
        /// shares the connection.
        #[must_use]
        pub(crate) fn with(&self, options: crate::vendored::CallOptions) -> Self {
            Self {
                connection: self.connection.with(options),
            }
        }
        /// The connection, which says how it stands and can be closed.
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
            async move {
                __wit_v1::ClientCall::of::<__fn_type>(&self.connection, (&r#fn,))
                    .send()
                    .await
                    .outcome::<__fn_type>()
            }
        }
        #[cfg_attr(windows, cfg(feature = "calc"))]
        /// Calls [`Calculator::outcome`].
        #[deprecated]
        #[cfg_attr(windows, doc = "On Windows.")]
        pub(crate) fn outcome<'call>(
            &'call self,
        ) -> impl ::core::future::Future<
            Output = __wit_v1::AliasOutcome<Outcome, { __wit_v1::is_result!(Outcome) }>,
        > + ::core::marker::Send + 'call {
            async move {
                __wit_v1::ClientCall::of::<__fn_outcome>(&self.connection, ())
                    .send()
                    .await
                    .outcome::<__fn_outcome>()
            }
        }
    }
    impl __wit_v1::Client for CalculatorAsyncClient {
        const DESCRIPTOR: &'static __wit_v1::ServiceDescriptor = &__wit_descriptor;
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
        /// Serves what others have a hold of too.
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
    impl __wit_v1::IntoService for CalculatorServer {
        fn into_service(self) -> ::std::sync::Arc<dyn __wit_v1::Service> {
            self.service
        }
    }
    struct __wit_Dispatch<__wit_S: ?::core::marker::Sized>(::std::sync::Arc<__wit_S>);
    impl<
        __wit_S: ?::core::marker::Sized + Calculator + ::core::marker::Send
            + ::core::marker::Sync + 'static,
    > __wit_v1::Service for __wit_Dispatch<__wit_S> {
        fn descriptor(&self) -> &'static __wit_v1::ServiceDescriptor {
            &__wit_descriptor
        }
        fn dispatch(&self, call: __wit_v1::ServerCall<'_>) {
            match call.method() {
                #[cfg(unix)]
                <__fn_type as __wit_v1::Message>::NUMBER => {
                    call.reply::<
                            __fn_type,
                        >(|(r#fn,), caller| <__wit_S as Calculator>::r#type(
                        &self.0,
                        r#fn,
                        &caller.context(),
                    ))
                }
                #[cfg_attr(windows, cfg(feature = "calc"))]
                <__fn_outcome as __wit_v1::Message>::NUMBER => {
                    call.reply_result::<
                            __fn_outcome,
                        >(|(), _| __wit_v1::ResultType::<
                        { __wit_v1::is_result!(Outcome) },
                    >::into_result(<__wit_S as Calculator>::outcome(&self.0)))
                }
                _ => call.unknown_method(),
            }
        }
    }
    static __wit_descriptor: __wit_v1::ServiceDescriptor = __wit_v1::ServiceDescriptor {
        name: "calc",
        docs: "",
        methods: &[
            #[cfg(unix)]
            __wit_v1::MethodDescriptor::of::<__fn_type>("type", "").idempotent(),
            #[cfg_attr(windows, cfg(feature = "calc"))]
            __wit_v1::MethodDescriptor::of::<__fn_outcome>("outcome", ""),
        ],
        events: &[],
    };
};
#[cfg(unix)]
const _: () = ::core::assert!(
    { crate ::vendored::__private::v1::is_result!(u8) } == false,
    "`Calculator::r#type` returns a `Result` under another name: put `#[wit(result)]` on the method, so that its error reaches the client as `CallError::App`"
);
#[cfg_attr(windows, cfg(feature = "calc"))]
const _: () = ::core::assert!(
    { crate ::vendored::__private::v1::is_result!(Outcome) } == true,
    "`Calculator::outcome` does not return a `Result`: remove `#[wit(result)]`"
);
