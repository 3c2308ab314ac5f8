//! What the compiler says of a server with events that is made without them.

/// No type implements it. It is a bound of `new` of a server with events.
#[diagnostic::on_unimplemented(
    message = "the server of a service with events is made by `with_events`, not by `new`",
    label = "has nothing to emit the events with",
    note = "write `with_events(|events| ..)`: the closure returns the service, which emits by `events`; or `with_events(|_| service)` for one that emits none"
)]
pub trait NeedsNoEvents {}
