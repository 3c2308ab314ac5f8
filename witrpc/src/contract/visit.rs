//! The shape of what a call transfers.

use crate::codec::{Transfer, VisitTransfer, Wire};
use crate::share::Shareable;

use super::{Tracer, trace_value};

/// Reports the shape of a value of `T`.
pub(crate) fn trace<T: Transfer>(tracer: &mut Tracer) {
    T::visit(tracer);
}

impl VisitTransfer for &mut Tracer {
    fn serde<T: Wire>(self) {
        trace_value::<T>(self);
    }

    fn shared<T: ?Sized + Shareable>(self) {
        T::trace(self);
    }
}
