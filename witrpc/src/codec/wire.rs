//! The requirements on the types of a service.

use std::alloc::Layout;

use bytemuck::Pod;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A type that can be an argument, a result or an error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel between processes",
    label = "not `Serialize + DeserializeOwned + Send + 'static`",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it and for every type in it, and have it own its data: no `Rc`, no reference",
    note = "a type of another crate may have them behind a feature, often called `serde`; or send what you need of it in a type of your own",
    note = "a `Shared` is an argument, a result or its `Ok`, and part of nothing else; its elements also derive `bytemuck::Pod` and `bytemuck::Zeroable` (with `#[repr(C)]`), or write a `Vec` instead"
)]
pub trait Wire: Serialize + DeserializeOwned + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> Wire for T {}

/// A type that can be lent to a call: the `T` of an argument `&T`. Another thread may poll the
/// future that holds the reference.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be lent to a call, which other threads may take part in",
    label = "not `Sync`",
    note = "take `{Self}` by value, or lend what is in it instead of a `Cell` or `RefCell`"
)]
pub trait Lent: Sync {}

#[diagnostic::do_not_recommend]
impl<T: Sync + ?Sized> Lent for T {}

/// A type whose slices are sent as they are in memory: the `T` of an argument `&[T]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel as raw bytes",
    label = "not `bytemuck::Pod + Serialize + DeserializeOwned + Send + Sync`",
    note = "derive `bytemuck::Pod` and `bytemuck::Zeroable` (with `#[repr(C)]`), `serde::Serialize` and `serde::Deserialize` on `{Self}`, or take a `Vec<{Self}>`"
)]
pub trait RawElement: Pod + Wire + Sync {}

#[diagnostic::do_not_recommend]
impl<T: Pod + Wire + Sync> RawElement for T {}

/// The largest alignment that raw slices keep.
const MAX_RAW_ALIGN: usize = 64;

/// Refuses, at compile time, elements that the bounds of [`RawElement`] cannot exclude.
pub const fn assert_raw<T: RawElement>() {
    assert_element(Layout::new::<T>());
}

/// Refuses elements of this size and alignment, if they are unsuitable.
pub const fn assert_element(element: Layout) {
    assert!(
        element.size() != 0,
        "the elements of raw memory must not be of size zero; send their number instead"
    );
    assert!(
        element.align() <= MAX_RAW_ALIGN,
        "the elements of raw memory may be aligned to at most 64 bytes; take a `Vec` instead"
    );
}
