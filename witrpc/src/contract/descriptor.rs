//! The macro's description of a service.

use std::time::Duration;

use super::Tracer;

/// A service, as its trait declares it.
#[derive(Debug)]
pub struct ServiceDescriptor {
    /// Its name on the wire.
    pub name: &'static str,
    /// The docs of the trait.
    pub docs: &'static str,
    /// Its methods. The index of a method is its number.
    pub methods: &'static [MethodDescriptor],
    /// Its events. The index of an event is its number.
    pub events: &'static [EventDescriptor],
}

/// A method of a service.
#[derive(Debug)]
pub struct MethodDescriptor {
    /// Its name on the wire.
    pub name: &'static str,
    /// The docs of the method.
    pub docs: &'static str,
    /// Whether it is an `async fn`.
    pub is_async: bool,
    /// Whether it may be run twice for one call.
    pub idempotent: bool,
    /// Its arguments in order, without the context.
    pub arguments: &'static [ArgumentDescriptor],
    /// Whether it returns a stream.
    pub streams: bool,
    /// Its result: the `Ok` of a `Result`; for a stream, an item.
    pub result: Trace,
    /// The `Err` of its `Result`, if it returns one.
    pub error: Option<Trace>,
}

/// An argument of a method.
#[derive(Clone, Copy, Debug)]
pub struct ArgumentDescriptor {
    /// Its name.
    pub name: &'static str,
    /// How it is sent.
    pub kind: ArgumentKind,
    /// Its shape.
    pub shape: Trace,
}

/// The way in which an argument is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgumentKind {
    /// `T` or `&T`: encoded.
    Value,
    /// `&str`: encoded.
    Str,
    /// `&Path`: encoded.
    Path,
    /// `&[T]`: as it is in memory.
    Raw,
    /// `impl Iterator`: apart from the call; the shape is that of an item.
    Iterator,
    /// `impl Stream`: as `impl Iterator`.
    Stream,
}

/// An event of a service.
#[derive(Debug)]
pub struct EventDescriptor {
    /// Its name on the wire.
    pub name: &'static str,
    /// The docs of the event.
    pub docs: &'static str,
    /// Its arguments, in order.
    pub arguments: &'static [ArgumentDescriptor],
    /// What happens when a client has no room for it.
    pub overflow: Overflow,
}

/// The rule for an event that a client has no room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// The oldest waiting event is dropped.
    DropOldest,
    /// The event itself is dropped.
    DropNewest,
    /// The emitter waits, for at most this time; then the event is dropped.
    Wait(Duration),
}

/// A function that reports the shape of a type.
pub type Trace = fn(&mut Tracer);
