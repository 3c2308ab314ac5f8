//! The [`Lenience`] of all types of a service.
//!
//! A comparison asks for this only if the two contracts differ, so it is no part of a contract and
//! costs nothing at the start. The client asks the server for its [`ServiceLenience`] by the registry.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use serde::{Deserialize, Serialize};
use witrpc_rt::lock;

use crate::codec::Codec;

use super::descriptor::{ArgumentDescriptor, ServiceDescriptor, Trace};
use super::lenience::Lenience;
use super::signature::traced;
use super::trace::Tracer;

/// How the types of a service read structs with other fields than their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceLenience {
    /// By the number of the method: its arguments, its result and its error.
    pub methods: Vec<Vec<Lenience>>,
    /// By the number of the event: its arguments.
    pub events: Vec<Vec<Lenience>>,
}

/// The services of this process that have been probed, by descriptor (its address) and codec.
type ProbedServices = HashMap<(usize, Codec), Arc<ServiceLenience>>;

/// Returns how the types of a service read structs with other fields. A service is probed once for each
/// codec.
pub fn lenience(descriptor: &'static ServiceDescriptor, codec: Codec) -> Arc<ServiceLenience> {
    static KNOWN: LazyLock<Mutex<ProbedServices>> = LazyLock::new(Mutex::default);
    let key = (std::ptr::from_ref(descriptor).addr(), codec);
    let known = lock(&KNOWN).get(&key).cloned();
    // Probed without the lock: a user's Deserialize may itself connect to a service.
    known.unwrap_or_else(|| {
        let probed = Arc::new(ServiceLenience::of(descriptor, codec));
        lock(&KNOWN).insert(key, Arc::clone(&probed));
        probed
    })
}

impl ServiceLenience {
    fn of(descriptor: &'static ServiceDescriptor, codec: Codec) -> Self {
        let contract = &traced(descriptor, codec).contract;
        let shapes_of = |arguments: &[ArgumentDescriptor]| {
            arguments.iter().map(|argument| argument.shape).collect::<Vec<Trace>>()
        };
        let methods = descriptor.methods.iter().zip(&contract.methods);
        let methods = methods.map(|(method, signature)| {
            let mut traces = shapes_of(method.arguments);
            traces.push(method.result);
            traces.extend(method.error);
            let traces = traces.into_iter().zip(signature.shapes());
            traces.map(|(trace, shape)| Tracer::probe(trace, codec, shape)).collect()
        });
        let methods = methods.collect();
        let events = descriptor.events.iter().zip(&contract.events);
        let events = events.map(|(event, signature)| {
            let traces = shapes_of(event.arguments).into_iter().zip(signature.shapes());
            traces.map(|(trace, shape)| Tracer::probe(trace, codec, shape)).collect()
        });
        Self { methods, events: events.collect() }
    }
}
