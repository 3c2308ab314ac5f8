//! The contract of a service: its methods, with the shapes of one codec. The server sends it, and the
//! client compares it with its own.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex};

use hmac_sha256::Hash;
use serde::{Deserialize, Serialize};
use witrpc_rt::lock;
use witrpc_transport::MAX_HELLO_LEN;

use crate::codec::Codec;

use super::check::{CodecRefusal, UnverifiedPart, problems_of};
use super::descriptor::{
    ArgumentDescriptor, ArgumentKind, EventDescriptor, MethodDescriptor, ServiceDescriptor, Trace,
};
use super::shape::{Name, Part, Shape};
use super::text::Shown;
use super::trace::Tracer;

/// The longest contract that can be sent, in bytes: it must fit into a welcome.
pub const MAX_CONTRACT_LEN: usize = MAX_HELLO_LEN - (64 << 10);

/// A hash that differs for different contracts.
pub type Digest = [u8; 16];

/// The form of a service on the wire of one codec.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    /// The index of a method is its number.
    pub methods: Vec<Signature>,
    /// The index of an event is its number.
    pub events: Vec<EventSignature>,
}

/// The form of a method on the wire.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    pub name: Name,
    pub arguments: Vec<ArgumentShape>,
    /// Whether it returns a stream.
    pub streams: bool,
    /// Its result: the `Ok` of a `Result`; for a stream, an item.
    pub result: Shape,
    /// The `Err` of its `Result`, if it returns one.
    pub error: Option<Shape>,
}

/// The form of an argument on the wire.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArgumentShape {
    pub name: Name,
    /// Whether it is a stream, of items of this shape.
    pub streams: bool,
    pub shape: Shape,
}

/// The form of an event on the wire.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventSignature {
    pub name: Name,
    pub arguments: Vec<ArgumentShape>,
}

/// The result of tracing a service of this process, for one codec.
#[derive(Debug)]
pub struct Traced {
    pub contract: Contract,
    /// The contract as a server sends it.
    pub bytes: Vec<u8>,
    pub digest: Digest,
    /// The types that the codec does not return as they were, in the order of the methods.
    pub refusals: Vec<CodecRefusal>,
}

/// The services of this process that have been traced, by descriptor (its address) and codec.
type KnownSignatures = HashMap<(usize, Codec), Arc<Traced>>;

/// Returns the trace of a service. A service is traced once for each codec.
pub fn traced(descriptor: &'static ServiceDescriptor, codec: Codec) -> Arc<Traced> {
    static KNOWN: LazyLock<Mutex<KnownSignatures>> = LazyLock::new(Mutex::default);
    let key = (std::ptr::from_ref(descriptor).addr(), codec);
    let known = lock(&KNOWN).get(&key).cloned();
    // Traced without the lock: a user's Deserialize may itself connect to a service.
    known.unwrap_or_else(|| {
        let traced = Arc::new(Traced::of(descriptor, codec));
        lock(&KNOWN).insert(key, Arc::clone(&traced));
        traced
    })
}

impl Traced {
    /// Traces a service. Use [`traced`], which remembers the result.
    pub fn of(descriptor: &ServiceDescriptor, codec: Codec) -> Self {
        let mut refusals = Vec::new();
        let methods =
            descriptor.methods.iter().map(|method| Signature::of(method, codec, &mut refusals));
        let methods = methods.collect();
        let events = descriptor.events.iter();
        let events = events.map(|event| EventSignature::of(event, codec, &mut refusals)).collect();
        let contract = Contract { methods, events };
        let bytes = postcard::to_allocvec(&contract).expect("names and numbers always encode");
        // It tells contracts apart that differ by accident, and protects nothing: a peer that lies about it deceives
        // only itself.
        let digest = *Hash::hash(&bytes).first_chunk().expect("a hash is longer");
        Self { contract, bytes, digest, refusals }
    }

    /// Returns the first part of a type that is unknown and that the codec does not describe.
    pub fn unverified(&self) -> Option<UnverifiedPart> {
        CodecRefusal::first_unverified(&self.refusals)
    }

    /// Returns the first method that the codec cannot carry, and all that it does not carry; `None` if it
    /// carries all.
    pub fn refusal(&self) -> Option<(&'static str, String)> {
        CodecRefusal::all_of(&self.refusals)
    }
}

impl Signature {
    /// Traces a method, and adds to `refusals` the types that the codec does not return as they were.
    pub fn of(method: &MethodDescriptor, codec: Codec, refusals: &mut Vec<CodecRefusal>) -> Self {
        let mut shape_of =
            |place: String, trace: Trace| shape_of(method.name, &place, trace, codec, refusals);
        let arguments = method.arguments.iter();
        let arguments =
            arguments.map(|argument| ArgumentShape::of(argument, &mut shape_of)).collect();
        let result = if method.streams { "an item" } else { "the result" };
        Self {
            name: method.name.into(),
            arguments,
            streams: method.streams,
            result: shape_of(result.to_owned(), method.result),
            error: method.error.map(|error| shape_of("the error".to_owned(), error)),
        }
    }

    pub fn shapes(&self) -> impl Iterator<Item = &Shape> {
        let arguments = self.arguments.iter().map(|argument| &argument.shape);
        arguments.chain([&self.result]).chain(&self.error)
    }
}

impl ArgumentShape {
    fn of(
        argument: &ArgumentDescriptor,
        shape_of: &mut impl FnMut(String, Trace) -> Shape,
    ) -> Self {
        Self {
            name: argument.name.into(),
            streams: matches!(argument.kind, ArgumentKind::Iterator | ArgumentKind::Stream),
            shape: shape_of(format!("argument `{}`", argument.name), argument.shape),
        }
    }
}

impl EventSignature {
    /// Traces an event, and adds to `refusals` the types that the codec does not return as they were.
    fn of(event: &EventDescriptor, codec: Codec, refusals: &mut Vec<CodecRefusal>) -> Self {
        let mut shape_of =
            |place: String, trace: Trace| shape_of(event.name, &place, trace, codec, refusals);
        let arguments = event.arguments.iter();
        let arguments =
            arguments.map(|argument| ArgumentShape::of(argument, &mut shape_of)).collect();
        Self { name: event.name.into(), arguments }
    }

    pub fn shapes(&self) -> impl Iterator<Item = &Shape> {
        self.arguments.iter().map(|argument| &argument.shape)
    }
}

/// Traces the type at a place of a method or event.
fn shape_of(
    name: &'static str,
    place: &str,
    trace: Trace,
    codec: Codec,
    refusals: &mut Vec<CodecRefusal>,
) -> Shape {
    let tracer = Tracer::of(trace, codec);
    refusals.extend(problems_of(name, place, &tracer, codec));
    tracer.shape
}

impl Contract {
    /// Returns the first part that the peer could not verify, among the types that `ours` has too.
    pub fn unverified(&self, ours: &Self, codec: Codec) -> Option<UnverifiedPart> {
        let found = |method: &Name, part: String| UnverifiedPart {
            method: Shown(method).to_string(),
            part,
            reason: "the server could not verify all of its type".to_owned(),
        };
        let argument_of = |arguments: &[ArgumentShape]| {
            let unverified = arguments.iter().find(|argument| argument.shape.is_unverified(codec));
            unverified.map(|argument| format!("argument `{}`", Shown(&argument.name)))
        };
        let in_method = |method: &Signature| {
            let result = || method.result.is_unverified(codec).then(|| "the result".to_owned());
            let error = || {
                let error = method.error.as_ref().filter(|error| error.is_unverified(codec));
                error.map(|_| "the error".to_owned())
            };
            argument_of(&method.arguments).or_else(result).or_else(error)
        };
        let called: HashSet<_> = ours.methods.iter().map(|method| &method.name).collect();
        let mut methods = self.methods.iter().filter(|method| called.contains(&method.name));
        let told: HashSet<_> = ours.events.iter().map(|event| &event.name).collect();
        let mut events = self.events.iter().filter(|event| told.contains(&event.name));
        methods.find_map(|method| Some(found(&method.name, in_method(method)?))).or_else(|| {
            events.find_map(|event| Some(found(&event.name, argument_of(&event.arguments)?)))
        })
    }

    /// Reads the contract that a server sent.
    ///
    /// # Errors
    ///
    /// The rule that it breaks, in words.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let unreadable = |error| format!("its contract cannot be decoded: {error}");
        let (contract, rest) = postcard::take_from_bytes::<Self>(bytes).map_err(unreadable)?;
        if !rest.is_empty() {
            return Err("its contract has bytes too many".to_owned());
        }
        contract.whole()
    }

    /// Returns the contract, which comes from elsewhere, if it has all types that it refers to.
    ///
    /// # Errors
    ///
    /// The rule that it breaks, in words.
    pub fn whole(self) -> Result<Self, String> {
        if self.methods.iter().flat_map(Signature::shapes).all(is_whole)
            && self.events.iter().flat_map(EventSignature::shapes).all(is_whole)
        {
            Ok(self)
        } else {
            Err("its contract refers to types that it does not have".to_owned())
        }
    }
}

/// Returns whether the shape has all types that it refers to.
fn is_whole(shape: &Shape) -> bool {
    let there = |part: &Part| match part {
        Part::Type(index) => *index < shape.types.len(),
        Part::Leaf(_) | Part::Opaque(_) => true,
    };
    let types = &shape.types;
    there(&shape.root) && types.iter().all(|of| of.kind.parts().into_iter().all(there))
}

impl fmt::Display for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, method) in self.methods.iter().enumerate() {
            f.write_str(if number == 0 { "" } else { "\n" })?;
            write!(f, "{method}")?;
        }
        for (number, event) in self.events.iter().enumerate() {
            f.write_str(if self.methods.is_empty() && number == 0 { "" } else { "\n" })?;
            write!(f, "event {}(", Shown(&event.name))?;
            list(f, &event.arguments)?;
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", Shown(&self.name))?;
        list(f, &self.arguments)?;
        write!(f, ") -> {}{}", stream(self.streams), self.result)?;
        match &self.error {
            Some(error) => write!(f, " or {error}"),
            None => Ok(()),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, arguments: &[ArgumentShape]) -> fmt::Result {
    for (number, ArgumentShape { name, streams, shape }) in arguments.iter().enumerate() {
        f.write_str(if number == 0 { "" } else { ", " })?;
        write!(f, "{}: {}{shape}", Shown(name), stream(*streams))?;
    }
    Ok(())
}

fn stream(streams: bool) -> &'static str {
    if streams { "stream of " } else { "" }
}
