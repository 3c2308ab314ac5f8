//! Names that a server sent, kept for as long as the process runs.
//!
//! Calls, hooks and errors name methods by `&'static str`, since generated code has them as such. So a
//! client without a trait keeps each name once, and all of them together within a bound.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex};

use witrpc_rt::lock;

use crate::contract::{Contract, EventDescriptor, MethodDescriptor, Overflow, ServiceDescriptor};
use crate::contract::{Tracer, trace_value};
use crate::error::ConnectError;

/// The most bytes of names and descriptors that a process keeps.
const MOST_KEPT: usize = 16 << 20;

#[derive(Default)]
struct KeptNames {
    names: HashSet<&'static str>,
    descriptors: Vec<&'static ServiceDescriptor>,
    bytes: usize,
}

static KEPT: LazyLock<Mutex<KeptNames>> = LazyLock::new(Mutex::default);

impl KeptNames {
    fn charge(&mut self, bytes: usize) -> Result<(), ConnectError> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes <= MOST_KEPT {
            return Ok(());
        }
        Err(ConnectError::Protocol {
            problem: format!(
                "the servers that this process has asked have more than {MOST_KEPT} bytes of names"
            ),
        })
    }

    fn name(&mut self, name: &str) -> Result<&'static str, ConnectError> {
        if let Some(kept) = self.names.get(name) {
            return Ok(kept);
        }
        self.charge(name.len() + size_of::<&str>())?;
        let kept: &'static str = String::leak(name.to_owned());
        self.names.insert(kept);
        Ok(kept)
    }
}

/// Returns the name as one that stays.
///
/// # Errors
///
/// Servers have sent too many names.
pub fn keep(name: &str) -> Result<&'static str, ConnectError> {
    lock(&KEPT).name(name)
}

/// Returns a descriptor with the names of a contract.
///
/// # Errors
///
/// Servers have sent too many names.
pub fn descriptor(
    service: &'static str,
    contract: &Contract,
) -> Result<&'static ServiceDescriptor, ConnectError> {
    let mut kept = lock(&KEPT);
    let same = |known: &ServiceDescriptor| {
        let methods = known.methods.iter().map(|method| (method.name, method.streams));
        let events = known.events.iter().map(|event| event.name);
        known.name == service
            && methods.eq(contract.methods.iter().map(|method| (&*method.name, method.streams)))
            && events.eq(contract.events.iter().map(|event| &*event.name))
    };
    if let Some(known) = kept.descriptors.iter().find(|known| same(known)) {
        return Ok(known);
    }
    let methods = contract.methods.len() * size_of::<MethodDescriptor>();
    kept.charge(methods + contract.events.len() * size_of::<EventDescriptor>())?;
    let methods = contract.methods.iter().map(|method| {
        Ok(MethodDescriptor {
            name: kept.name(&method.name)?,
            docs: "",
            is_async: false,
            idempotent: false,
            arguments: &[],
            streams: method.streams,
            result: untraced,
            error: None,
        })
    });
    let methods = methods.collect::<Result<Vec<_>, ConnectError>>()?.leak();
    let events = contract.events.iter().map(|event| {
        let (name, overflow) = (kept.name(&event.name)?, Overflow::DropOldest);
        Ok(EventDescriptor { name, docs: "", arguments: &[], overflow })
    });
    let events = events.collect::<Result<Vec<_>, ConnectError>>()?.leak();
    let descriptor: &'static _ =
        Box::leak(Box::new(ServiceDescriptor { name: service, docs: "", methods, events }));
    kept.descriptors.push(descriptor);
    Ok(descriptor)
}

/// Stands where a typed client has the shape: the server's contract has it instead.
fn untraced(tracer: &mut Tracer) {
    trace_value::<()>(tracer);
}
