//! What the macro says of a service.

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
    /// What it returns: the `Ok` of a `Result`.
    pub result: Trace,
    /// The `Err` of its `Result`, if it returns one.
    pub error: Option<Trace>,
}

/// An argument of a method.
#[derive(Debug)]
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
}

/// Reports the shape of a type.
pub type Trace = fn(&mut Tracer);
