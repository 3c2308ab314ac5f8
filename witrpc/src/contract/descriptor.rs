//! What the macro says of a service.

use std::time::Duration;

use super::Tracer;

/// A service, as its trait declares it.
#[derive(Debug)]
pub struct ServiceDescriptor {
    /// Its name on the wire.
    pub name: &'static str,
    /// The docs of the trait.
    pub docs: &'static str,
    /// Its methods; a method's place is its number.
    pub methods: &'static [MethodDescriptor],
    /// What it tells its clients of; an event's place is its number.
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
    /// What it takes, in order; without the context.
    pub arguments: &'static [ArgumentDescriptor],
    /// Whether it returns a stream.
    pub streams: bool,
    /// What it returns: the `Ok` of a `Result`; of a stream, an item.
    pub result: Trace,
    /// The `Err` of its `Result`, if it returns one.
    pub error: Option<Trace>,
}

/// An argument of a method.
#[derive(Clone, Copy, Debug)]
pub struct ArgumentDescriptor {
    /// Its name.
    pub name: &'static str,
    /// How it travels.
    pub kind: ArgumentKind,
    /// The shape of what travels.
    pub shape: Trace,
}

/// How an argument travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgumentKind {
    /// `T` or `&T`: encoded.
    Value,
    /// `&str`: encoded.
    Str,
    /// `&Path`: encoded.
    Path,
    /// `&[T]`: as it lies in memory.
    Raw,
    /// `impl Iterator`: apart from the call; the shape is that of an item.
    Iterator,
    /// `impl Stream`: the same, as it crosses.
    Stream,
}

/// An event of a service.
#[derive(Debug)]
pub struct EventDescriptor {
    /// Its name on the wire.
    pub name: &'static str,
    /// The docs of the event.
    pub docs: &'static str,
    /// What it is emitted with, in order.
    pub arguments: &'static [ArgumentDescriptor],
    /// What becomes of it when a client has no room for it.
    pub overflow: Overflow,
}

/// What becomes of an event that a client has no room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// The oldest one that waits makes room.
    DropOldest,
    /// It is dropped itself.
    DropNewest,
    /// Whoever emits it waits, for at most this time; then it is dropped.
    Wait(Duration),
}

/// Reports the shape of a type.
pub type Trace = fn(&mut Tracer);
