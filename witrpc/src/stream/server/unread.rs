//! Items that have arrived and that no method has taken.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};

use crate::rt::panics::catch;

/// A queue of such items. It drops each item separately, and catches a panic of the drop, which is
/// user code. So the other items are dropped too, and the dropping thread continues.
pub struct Unread<T>(VecDeque<T>);

impl<T> From<Vec<T>> for Unread<T> {
    fn from(items: Vec<T>) -> Self {
        Self(items.into())
    }
}

impl<T> Default for Unread<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> Deref for Unread<T> {
    type Target = VecDeque<T>;

    fn deref(&self) -> &VecDeque<T> {
        &self.0
    }
}

impl<T> DerefMut for Unread<T> {
    fn deref_mut(&mut self) -> &mut VecDeque<T> {
        &mut self.0
    }
}

impl<T> Drop for Unread<T> {
    fn drop(&mut self) {
        while let Some(item) = self.0.pop_front() {
            // The panic hook has reported it.
            let _ = catch(|| drop(item));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;

    struct Panics<'a>(&'a AtomicUsize);

    impl Drop for Panics<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, Relaxed);
            panic!("it panics when it is dropped");
        }
    }

    #[test]
    fn each_item_is_dropped_whatever_the_others_do() {
        let dropped = AtomicUsize::new(0);
        let mut unread = Unread::default();
        unread.extend((0..3).map(|_| Panics(&dropped)));
        drop(unread);
        assert_eq!(dropped.into_inner(), 3);
    }
}
