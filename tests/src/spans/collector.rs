//! A small subscriber that keeps every span.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::Seen;

static SEEN: Mutex<Vec<Seen>> = Mutex::new(Vec::new());

thread_local! {
    /// The spans that this thread is in.
    static INSIDE: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

struct Collector;

pub(super) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Collector).expect("it is the first"));
}

pub(super) fn seen() -> Vec<Seen> {
    all().clone()
}

fn all() -> MutexGuard<'static, Vec<Seen>> {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn index(id: u64) -> usize {
    usize::try_from(id).expect("it is an index") - 1
}

/// Records fields as text.
struct Writer<'a>(&'a mut BTreeMap<String, String>);

impl Visit for Writer<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "witrpc"
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut seen = Seen { name: attributes.metadata().name().to_owned(), ..Seen::default() };
        attributes.record(&mut Writer(&mut seen.fields));
        let mut all = all();
        let parent = INSIDE.with_borrow(|inside| inside.last().copied());
        seen.within = parent.map(|parent| all[index(parent)].fields.clone());
        all.push(seen);
        Id::from_u64(all.len() as u64)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        values.record(&mut Writer(&mut all()[index(span.into_u64())].fields));
    }

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, _event: &Event<'_>) {}

    fn enter(&self, span: &Id) {
        all()[index(span.into_u64())].entered += 1;
        INSIDE.with_borrow_mut(|inside| inside.push(span.into_u64()));
    }

    fn exit(&self, _span: &Id) {
        INSIDE.with_borrow_mut(|inside| inside.pop());
    }
}
