//! The shape of the values that a call transfers.

use crate::codec::shareable::Shareable;
use crate::codec::shareable::sealed::VisitForm;
use crate::codec::{RawElement, Transfer, VisitTransfer, Wire};

use super::{Tracer, trace_raw, trace_raw_value, trace_value};

/// Reports the shape of a value of `T`.
pub fn trace<T: Transfer>(tracer: &mut Tracer) {
    T::visit(tracer);
}

impl VisitTransfer for &mut Tracer {
    fn serde<T: Wire>(self) {
        trace_value::<T>(self);
    }

    fn shared<T: ?Sized + Shareable>(self) {
        T::visit(self);
    }
}

impl VisitForm for &mut Tracer {
    fn slice<T: RawElement>(self) {
        trace_raw::<T>(self);
    }

    fn one<T: RawElement>(self) {
        trace_raw_value::<T>(self);
    }
}
