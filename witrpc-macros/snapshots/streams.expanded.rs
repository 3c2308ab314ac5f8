pub trait Files {
    fn offsets(&self, path: &str) -> impl Iterator<Item = u64> + ::core::marker::Send;
    fn lines(
        &self,
        path: String,
        cx: &CallContext,
    ) -> impl ::core::future::Future<
        Output = Result<
            impl Stream<Item = Result<String, Problem>> + ::core::marker::Send,
            Problem,
        >,
    > + ::core::marker::Send;
    fn write(
        &self,
        path: &str,
        blocks: impl Iterator<Item = Vec<u8>> + ::core::marker::Send,
    ) -> Result<u64, Problem>;
    fn sum(
        &self,
        numbers: impl Stream<Item = u64> + ::core::marker::Send,
    ) -> impl ::core::future::Future<Output = u64> + ::core::marker::Send;
}
/** Serves a [`Files`]: give one to the builder of a `WitServer`, which answers the calls of every client with it.

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
pub struct FilesServer {
    service: ::std::sync::Arc<dyn ::witrpc::__private::v1::Service>,
}
/** Calls a [`Files`] in another process. Its methods block the calling thread; [`FilesAsyncClient`] is the other kind of client.

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
pub struct FilesClient {
    connection: ::witrpc::Connection,
}
/** Calls a [`Files`] in another process. Its methods are futures, for any executor; [`FilesClient`] is the other kind of client.

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
pub struct FilesAsyncClient {
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
        offsets,
        lines,
        write,
        sum,
    }
    struct __fn_offsets;
    impl __wit::Message for __fn_offsets {
        type Args = (__wit::Str,);
        const NUMBER: ::core::primitive::u16 = __wit_Methods::offsets as _;
        const ARGS: Self::Args = (__wit::str("path"),);
    }
    impl __wit::Method for __fn_offsets {
        type Ok = ();
        type Err = __wit::NoAppError;
        const ANSWER: __wit::AnswerOf<Self> = __wit::answer::<()>();
    }
    impl __wit::StreamMethod for __fn_offsets {
        type Items = __wit::ValueItems<u64>;
        const ITEMS: Self::Items = __wit::items::<u64>();
    }
    struct __fn_lines;
    impl __wit::Message for __fn_lines {
        type Args = (__wit::Value<String>,);
        const NUMBER: ::core::primitive::u16 = __wit_Methods::lines as _;
        const ARGS: Self::Args = (__wit::value::<String>("path"),);
    }
    impl __wit::Method for __fn_lines {
        type Ok = ();
        type Err = Problem;
        const ANSWER: __wit::AnswerOf<Self> = __wit::answer_or_error::<(), Problem>();
    }
    impl __wit::StreamMethod for __fn_lines {
        type Items = __wit::ResultItems<String, Problem>;
        const ITEMS: Self::Items = __wit::items_of_results::<String, Problem>();
    }
    struct __fn_write;
    impl __wit::Message for __fn_write {
        type Args = (__wit::Str, __wit::Uploaded<Vec<u8>>);
        const NUMBER: ::core::primitive::u16 = __wit_Methods::write as _;
        const ARGS: Self::Args = (__wit::str("path"), __wit::iterator::<Self>("blocks"));
    }
    impl __wit::Method for __fn_write {
        type Ok = u64;
        type Err = Problem;
        const ANSWER: __wit::AnswerOf<Self> = __wit::answer_or_error::<u64, Problem>();
    }
    impl __wit::UploadMethod for __fn_write {
        type Item = Vec<u8>;
    }
    struct __fn_sum;
    impl __wit::Message for __fn_sum {
        type Args = (__wit::Uploaded<u64>,);
        const NUMBER: ::core::primitive::u16 = __wit_Methods::sum as _;
        const ARGS: Self::Args = (__wit::stream::<Self>("numbers"),);
    }
    impl __wit::Method for __fn_sum {
        type Ok = u64;
        type Err = __wit::NoAppError;
        const ANSWER: __wit::AnswerOf<Self> = __wit::answer::<u64>();
    }
    impl __wit::UploadMethod for __fn_sum {
        type Item = u64;
    }
    impl FilesClient {
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
            S: ::core::marker::Sized + Files + ::core::marker::Send
                + ::core::marker::Sync + 'static,
        {
            __wit::in_process::<
                Self,
            >(FilesServer::from_arc(::std::sync::Arc::new(service)))
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
        /// Calls [`Files::offsets`].
        pub fn offsets(
            &self,
            path: &str,
        ) -> ::core::result::Result<::witrpc::BlockingStream<u64>, ::witrpc::CallError> {
            __wit::open_blocking::<__fn_offsets>(&self.connection, (path,))
        }
        /// Calls [`Files::lines`].
        pub fn lines(
            &self,
            path: String,
        ) -> ::core::result::Result<
            ::witrpc::BlockingStream<String, Problem>,
            ::witrpc::CallError<Problem>,
        > {
            __wit::open_blocking::<__fn_lines>(&self.connection, (&path,))
        }
        /// Calls [`Files::write`].
        pub fn write(
            &self,
            path: &str,
            blocks: impl ::core::iter::Iterator<Item = Vec<u8>>,
        ) -> ::core::result::Result<u64, ::witrpc::CallError<Problem>> {
            __wit::upload_blocking::<__fn_write>(&self.connection, (path, ()), blocks)
        }
        /// Calls [`Files::sum`].
        pub fn sum(
            &self,
            numbers: impl ::core::iter::Iterator<Item = u64>,
        ) -> ::core::result::Result<u64, ::witrpc::CallError> {
            __wit::upload_blocking::<__fn_sum>(&self.connection, ((),), numbers)
        }
    }
    impl __wit::Client for FilesClient {
        const DESCRIPTOR: &'static __wit::ServiceDescriptor = &__wit_descriptor;
        fn from_connection(connection: ::witrpc::Connection) -> Self {
            Self { connection }
        }
    }
    impl FilesAsyncClient {
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
            S: ::core::marker::Sized + Files + ::core::marker::Send
                + ::core::marker::Sync + 'static,
        {
            __wit::in_process::<
                Self,
            >(FilesServer::from_arc(::std::sync::Arc::new(service)))
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
        /// Calls [`Files::offsets`].
        pub fn offsets<'call>(
            &'call self,
            path: &'call str,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<
                ::witrpc::AsyncStream<u64>,
                ::witrpc::CallError,
            >,
        > + ::core::marker::Send + 'call {
            async move {
                __wit::open_async::<__fn_offsets>(&self.connection, (path,)).await
            }
        }
        /// Calls [`Files::lines`].
        pub fn lines<'call>(
            &'call self,
            path: String,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<
                ::witrpc::AsyncStream<String, Problem>,
                ::witrpc::CallError<Problem>,
            >,
        > + ::core::marker::Send + 'call {
            async move {
                __wit::open_async::<__fn_lines>(&self.connection, (&path,)).await
            }
        }
        /// Calls [`Files::write`].
        pub fn write<'call>(
            &'call self,
            path: &'call str,
            blocks: impl ::witrpc::Stream<Item = Vec<u8>> + ::core::marker::Send + 'call,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<u64, ::witrpc::CallError<Problem>>,
        > + ::core::marker::Send + 'call {
            async move {
                __wit::upload_async::<__fn_write>(&self.connection, (path, ()), blocks)
                    .await
            }
        }
        /// Calls [`Files::sum`].
        pub fn sum<'call>(
            &'call self,
            numbers: impl ::witrpc::Stream<Item = u64> + ::core::marker::Send + 'call,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<u64, ::witrpc::CallError>,
        > + ::core::marker::Send + 'call {
            async move {
                __wit::upload_async::<__fn_sum>(&self.connection, ((),), numbers).await
            }
        }
    }
    impl __wit::Client for FilesAsyncClient {
        const DESCRIPTOR: &'static __wit::ServiceDescriptor = &__wit_descriptor;
        fn from_connection(connection: ::witrpc::Connection) -> Self {
            Self { connection }
        }
    }
    impl FilesServer {
        /// Serves `service`.
        pub fn new<S>(service: S) -> Self
        where
            S: ::core::marker::Sized + Files + ::core::marker::Send
                + ::core::marker::Sync + 'static,
        {
            Self::from_arc(::std::sync::Arc::new(service))
        }
        /// Serves what others have a hold of too, or a trait object: an `Arc<dyn .. + Send + Sync>`.
        pub fn from_arc<S>(service: ::std::sync::Arc<S>) -> Self
        where
            S: ?::core::marker::Sized + Files + ::core::marker::Send
                + ::core::marker::Sync + 'static,
        {
            Self {
                service: ::std::sync::Arc::new(__wit_Dispatch(service)),
            }
        }
    }
    impl __wit::IntoService for FilesServer {
        fn into_service(self) -> ::std::sync::Arc<dyn __wit::Service> {
            self.service
        }
    }
    struct __wit_Dispatch<__wit_S: ?::core::marker::Sized>(::std::sync::Arc<__wit_S>);
    impl<
        __wit_S: ?::core::marker::Sized + Files + ::core::marker::Send
            + ::core::marker::Sync + 'static,
    > __wit::Service for __wit_Dispatch<__wit_S> {
        fn descriptor(&self) -> &'static __wit::ServiceDescriptor {
            &__wit_descriptor
        }
        fn dispatch(&self, call: __wit::ServerCall<'_>) {
            match call.method() {
                <__fn_offsets as __wit::Message>::NUMBER => {
                    let (call, service) = call.of_blocking::<__fn_offsets, _>(&self.0);
                    call.stream(move |arguments, _, out| async move {
                        let (path,) = arguments.read::<__fn_offsets>()?;
                        let stream = Files::offsets(&*service, &path);
                        __wit::Ok(out.iterate(stream).await)
                    })
                }
                <__fn_lines as __wit::Message>::NUMBER => {
                    let (call, service) = call.of::<__fn_lines, _>(&self.0);
                    call.stream(move |arguments, cx, out| async move {
                        let (path,) = arguments.read::<__fn_lines>()?;
                        let stream = Files::lines(&*service, path, &cx).await;
                        __wit::Ok(out.forward_or_refuse(stream).await)
                    })
                }
                <__fn_write as __wit::Message>::NUMBER => {
                    let (call, service) = call.of_blocking::<__fn_write, _>(&self.0);
                    let __wit::Some((call, upload)) = call.open_upload() else { return };
                    call.reply_async_result(move |arguments, _| async move {
                        let (path, ()) = arguments.read::<__fn_write>()?;
                        __wit::Ok(Files::write(&*service, &path, upload.iterator()))
                    })
                }
                <__fn_sum as __wit::Message>::NUMBER => {
                    let (call, service) = call.of::<__fn_sum, _>(&self.0);
                    let __wit::Some((call, upload)) = call.open_upload() else { return };
                    call.reply_async(move |arguments, _| async move {
                        let ((),) = arguments.read::<__fn_sum>()?;
                        __wit::Ok(Files::sum(&*service, upload.stream()).await)
                    })
                }
                _ => call.unknown_method(),
            }
        }
    }
    static __wit_descriptor: __wit::ServiceDescriptor = __wit::ServiceDescriptor {
        name: "Files",
        docs: "",
        methods: &[
            __wit::MethodDescriptor::of_stream::<__fn_offsets>("offsets", ""),
            __wit::MethodDescriptor::of_stream::<__fn_lines>("lines", "").asynchronous(),
            __wit::MethodDescriptor::of::<__fn_write>("write", ""),
            __wit::MethodDescriptor::of::<__fn_sum>("sum", "").asynchronous(),
        ],
        events: &[],
    };
};
