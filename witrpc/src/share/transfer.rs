//! The transfer of a `Shared`: its message carries the lease, or a copy.

use std::alloc::Layout;

use crate::codec::{DecodeError, Decoder, EncodeError, Encoder, Transfer, VisitTransfer};

use super::{Shareable, Shared};

#[diagnostic::do_not_recommend]
impl<T: ?Sized + Shareable> Transfer for Shared<T> {
    const ELEMENT: Option<Layout> = Some(Layout::new::<T::Element>());

    fn put<'a>(&'a self, name: &'static str, to: &mut Encoder<'a>) -> Result<(), EncodeError> {
        to.shared(name, self.bytes())
    }

    fn take(name: &'static str, from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        from.shared::<T>(name).map(Self::new)
    }

    fn visit(visitor: impl VisitTransfer) {
        visitor.shared::<T>();
    }
}
