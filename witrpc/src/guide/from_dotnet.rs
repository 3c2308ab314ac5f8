//! For users of WitRPC for .NET: its options, and their counterparts here.
//!
//! The .NET side is version 2.3.4 of the packages `OutWit.Communication.*` and
//! `OutWit.InterProcess`, as in their [repository][net]. The last section names the files that the
//! tables refer to. The two libraries cannot talk to each other: the bytes, and the guarantees,
//! differ.
//!
//! # The same service, twice
//!
//! ```csharp
//! public interface ICalculator { double Divide(double a, double b); }
//!
//! var server = WitServerBuilder.Build(options => {
//!     options.WithService(new Calculator());
//!     options.WithMemoryMappedFile("calc", size: 1_000_000);
//!     options.WithJson();
//! });
//! server.StartWaitingForConnection();
//!
//! var client = WitClientBuilder.Build(options => {
//!     options.WithMemoryMappedFile("calc");
//!     options.WithJson();
//! });
//! await client.ConnectAsync(TimeSpan.FromSeconds(5), CancellationToken.None);
//! var calculator = client.GetService<ICalculator>();
//! var quotient = calculator.Divide(1, 2);
//! ```
//!
//! ```
//! use std::time::Duration;
//! use witrpc::{Codec, Mmf, WitServer, wit_service};
//!
//! #[wit_service]
//! pub trait Calculator {
//!     fn divide(&self, a: f64, b: f64) -> Result<f64, String>;
//! }
//! # struct Desk;
//! # impl Calculator for Desk {
//! #     fn divide(&self, a: f64, b: f64) -> Result<f64, String> {
//! #         Ok(a / b)
//! #     }
//! # }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # #[cfg(feature = "json")] {
//! # let place = Mmf::unguessable();
//! # let name = place.name();
//! let server = WitServer::builder()
//!     .listen(Mmf::new(name).size(1_000_000))
//!     .service(CalculatorServer::new(Desk))
//!     .start()?;
//!
//! let calculator = CalculatorClient::builder(name)
//!     .codec(Codec::Json)
//!     .wait_for_server(Duration::from_secs(5))
//!     .connect()?;
//! let quotient = calculator.divide(1.0, 2.0)?;
//! # assert_eq!(quotient, 0.5);
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! # The service
//!
//! | .NET | Here |
//! | --- | --- |
//! | `interface ICalculator` | `#[wit_service] trait Calculator` |
//! | `Task<T> DivideAsync(..)` | `async fn divide(..) -> T`; the *client* chooses whether it blocks |
//! | a property | a method, or two |
//! | `event Action<int> Progress` | `#[wit(event)] fn progress(&self, done: i32)`: see [below](#events-streams-and-cancellation) |
//! | a parameter `CancellationToken` | nothing in the signature: [`CallContext`](crate::CallContext) tells the handler |
//! | an exception of the service: `WitExceptionFault` with a status and a text | the method's own error type, back as [`CallError::App`](crate::CallError::App) |
//! | a proxy made at run time, by `Castle.Core`, or by a source generator | code made by the macro; a mistake is a compile error |
//!
//! # The server: `WitServerBuilderOptions`
//!
//! | .NET | Here | What differs |
//! | --- | --- | --- |
//! | `WithService(x)` | [`.service(XServer::new(x))`](crate::WitServerBuilder::service) | one for all clients, in both |
//! | `WithService(() => x)`, `WithRequestProcessor(..)` | nothing | a service is made before the server starts |
//! | `isStrongAssemblyMatch` | nothing | the shapes of the types are compared when a client connects, not the names of assemblies |
//! | `WithServices().AddService<I>(x)` | `.service(..)` again | |
//! | `WithMemoryMappedFile(name)` | [`.listen(name)`](crate::WitServerBuilder::listen) | a name belongs to one user; in .NET the events and semaphores of a name are `Global\` |
//! | `WithMemoryMappedFile(name, size)` | [`Mmf::new(name).size(bytes)`](crate::Mmf::size) | 1 MiB by default, in both. There one file serves both directions, and a message must fit. Here it is a client's memory in both directions, and longer messages cross in segments |
//! | `WithJson()`, the default | [`Codec::Json`](crate::Codec) | the client alone chooses; the server accepts all codecs that carry its types, unless [`.codecs(..)`](crate::WitServerBuilder::codecs) names them |
//! | `WithMessagePack()` | [`Codec::MessagePack`](crate::Codec) | structs as maps |
//! | `WithMemoryPack()`, `WithProtoBuf()` | [`Codec::Postcard`](crate::Codec), the default | the most compact; `&[T]` and `Vec<f64>` cross as raw memory beside each |
//! | `WithMessageSerializer(..)`, the envelope's | nothing | a call has no envelope |
//! | `WithParametersSerializer(..)` | nothing | custom codecs are not supported |
//! | `WithAccessToken(..)` | [`.access_token(..)`](crate::WitServerBuilder::access_token), or [`access_tokens(..)`](crate::WitServerBuilder::access_tokens): several, each with an identity | there the token crosses as text; here it does not cross, and each side proves to the other that it has it |
//! | `WithAccessTokenValidator(..)` | [`.access_tokens_from(..)`](crate::WitServerBuilder::access_tokens_from) asks for the tokens that are valid now; [`.hook(..)`](crate::WitServerBuilder::hook) may reject each call | |
//! | `WithoutAuthorization()`, the default | the default | only programs of the same user reach a name, token or not |
//! | `WithEncryption()` | [`.encryption(true)`](crate::WitServerBuilder::encryption) | there RSA carries a key for AES-CBC, without authentication of the server. Here it is a Noise handshake and an authenticated cipher; a changed byte ends the connection |
//! | `WithEncryptor(..)` | nothing | there is one suite, so nothing is negotiated |
//! | `WithLogger(..)` | [`.hook(..)`](crate::WitServerBuilder::hook), or the feature `tracing`: see [`observing`](super::observing) | |
//! | `WithName(..)`, `WithDescription(..)` | the trait's docs | a client that asks is told them, as [`witrpc describe`](super::operating) does; the contract has none |
//! | `WithTimeout(..)`, none by default | [`call_timeout`](crate::ClientBuilder::call_timeout), the client's | 30 s by default; a client notices a death without it |
//! | `WithDiscovery(..)`, over UDP | [`servers()`](crate::servers()) | the names served on this machine, by this user |
//! | `StartWaitingForConnection()` | [`.start()`](crate::WitServerBuilder::start) | a name in use is an error at once |
//! | `StopWaitingForConnection()` | [`stop_accepting()`](crate::WitServer::stop_accepting), or [`shutdown(deadline)`](crate::WitServer::shutdown) | the latter answers what has arrived |
//! | a message is one block of the file | a message longer than a part of `size` crosses in segments | up to [`max_message_size`](crate::Mmf::max_message_size), 64 MiB by default |
//! | one client of a name at a time | [`max_clients`](crate::Mmf::max_clients), 64 | all at once, many calls of each in flight |
//!
//! # The client: `WitClientBuilderOptions`
//!
//! | .NET | Here | What differs |
//! | --- | --- | --- |
//! | `ConnectAsync(timeout, ..)`, a `bool` | [`connect()`](crate::ClientBuilder::connect), [`connect_timeout(..)`](crate::ClientBuilder::connect_timeout), [`wait_for_server(..)`](crate::ClientBuilder::wait_for_server) | [`ConnectError`](crate::ConnectError) says why not |
//! | `GetService<I>()` | the client itself | `XClient` blocks, `XAsyncClient` does not |
//! | `WithTimeout(..)` | [`call_timeout(..)`](crate::ClientBuilder::call_timeout) | as above |
//! | `WithAccessToken(..)`: text, or a function that gets it | [`access_token(..)`](crate::ClientBuilder::access_token), [`access_token_from(..)`](crate::ClientBuilder::access_token_from) | |
//! | `WithEncryption()` | [`encryption(true)`](crate::ClientBuilder::encryption) | |
//! | `WithAutoReconnect(..)` | [`reconnect(Reconnect::new()..)`](crate::ClientBuilder::reconnect) | off by default, in both |
//! | its `InitialDelay`, `MaxDelay`, `BackoffMultiplier` | [`Backoff::new(first, longest)`](crate::Backoff) | exponential back-off: each pause is twice the one before, shortened at random |
//! | its `MaxAttempts`, 10 by default | [`give_up_after(..)`](crate::Reconnect::give_up_after) | a time instead of a number; for ever by default |
//! | its `ReconnectOnDisconnect` | always; [`after_shutdown(true)`](crate::Reconnect::after_shutdown) for a graceful shutdown too | |
//! | `OnReconnecting`, `OnReconnected`, `OnReconnectionFailed` | [`on_change(..)`](crate::Reconnect::on_change), with a [`ConnectionState`](crate::ConnectionState) | |
//! | `StopReconnectionAsync()` | [`connection().disconnect()`](crate::Connection::disconnect) | |
//! | `WithRetryPolicy(..)` | `#[wit(idempotent)]` on the method | the client makes only such calls again by itself, and only after a lost connection; all errors have [`is_retryable`](crate::CallError::is_retryable) and [`maybe_executed`](crate::CallError::maybe_executed) |
//! | `WithLogger(..)` | [`hook(..)`](crate::ClientBuilder::hook) | |
//! | discovery's `WithAddress(..)` | nothing | nothing is sent over a network |
//! | `Disconnect()` | [`connection().disconnect()`](crate::Connection::disconnect), or dropping the last clone | |
//! | `ConnectionState`, `Disconnected` | [`connection().disconnect_reason()`](crate::Connection::disconnect_reason) | |
//!
//! # Events, streams and cancellation
//!
//! | .NET | Here | What differs |
//! | --- | --- | --- |
//! | raising an `event` | `events.progress(..)`, of the emitter that [`with_events`](super::streams_and_events) gives | the server sends it only to clients that have subscribed |
//! | `service.Progress += handler` | `client.on_progress(closure)`, or an iterator: `client.progress()` | the subscription ends with the guard; events that a slow client misses are counted for it |
//! | nothing: a list, or an event an item | `fn primes(&self) -> impl Iterator<Item = u64>` | a [stream](super::streams_and_events), in either direction |
//! | nothing: a client's time-out is known to the client alone | [`client.with(CallOptions::new()..)`](crate::CallOptions) | deadline and [cancellation](super::cancellation) reach the handler |
//!
//! # Processes: `OutWit.InterProcess`
//!
//! | .NET | Here | What differs |
//! | --- | --- | --- |
//! | `new HostManager<T>(options, path, timeout).CreateClient(..)` | [`Worker::spawn(Command::new(path))`](crate::Worker::spawn) | the crate makes a name that cannot be guessed, and a token that is not on the command line |
//! | `AgentApplication`, of WPF | [`worker::serve(..)`](crate::worker::serve) | one line, in any program |
//! | `ShutdownOnParentProcessExited` | always | also when the parent is killed, and when a handler runs |
//! | `ShutdownAgent(id)` | [`stop(..)`](crate::Worker::stop), or dropping it | |
//! | nothing: a new agent | [`restart(Backoff)`](crate::WorkerBuilder::restart) | the end of a worker is an error with exit status and last output |
//!
//! # What has no counterpart here
//!
//! Named pipes, TCP, WebSocket and REST: this crate never leaves the machine, though
//! [`transport`](crate::transport) is a seam for other ways to carry calls. Custom serializers.
//! Dependency injection and health checks are the application's.
//!
//! # What has no counterpart in .NET
//!
//! Linux: in .NET named maps of memory work on Windows only. Pending calls that fail when the other
//! process dies. Messages that cannot overwrite each other. `in_process` clients for tests. Memory
//! that is [lent instead of copied](super::zero_copy).
//!
//! # Where the left columns come from
//!
//! In the [repository][net], under `Communication/`:
//! `OutWit.Communication.Server/WitServerBuilder.cs` and `WitServerBuilderOptions.cs`, the same two
//! of `OutWit.Communication.Client`, its `Reconnection/ReconnectionOptions.cs`, `Encryption/` of
//! client and server, `OutWit.Communication.Server.MMF/Utils/ServerMMFUtils.cs`,
//! `MemoryMappedFileServerTransport.cs`, `MemoryMappedFileServerTransportFactory.cs` and
//! `README.md`, `OutWit.Communication.Client/WitClient.cs`, and
//! `OutWit.Communication/Exceptions/WitExceptionFault.cs`. Under `InterProcess/`:
//! `OutWit.InterProcess.Host/HostManager.cs` and `OutWit.InterProcess.Agent/AgentApplication.cs`.
//! .NET's own page of [`MemoryMappedFile.OpenExisting`][open] says that named maps are for Windows.
//!
//! [net]: https://github.com/dmitrat/WitRPC
//! [open]: https://learn.microsoft.com/dotnet/api/system.io.memorymappedfiles.memorymappedfile.openexisting
