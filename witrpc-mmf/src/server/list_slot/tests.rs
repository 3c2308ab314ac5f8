use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread;

use crate::memory::words::Mapped;

use super::*;

#[test]
fn a_list_is_taken_once_or_dropped() {
    let list_slot = ListSlot::<Mapped, Arc<()>>::new();
    let work_signal = WorkSignal::new(AtomicU64::new(1));
    let value = Arc::new(());
    assert!(list_slot.take().is_none());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..1_000 {
                    list_slot.put(Box::new(Arc::clone(&value)), 1, &work_signal);
                    drop(list_slot.take());
                }
            });
        }
    });
    list_slot.put(Box::new(Arc::clone(&value)), 1, &work_signal);
    assert_eq!(Arc::strong_count(&value), 2);
    list_slot.put(Box::new(Arc::clone(&value)), 1, &work_signal);
    drop(list_slot);
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn no_list_stays_that_is_older_than_the_signal() {
    let list_slot = ListSlot::<Mapped, u32>::new();
    let work_signal = WorkSignal::new(AtomicU64::new(1));
    list_slot.put(Box::new(7), 1, &work_signal);
    assert_eq!(list_slot.take().as_deref(), Some(&7));
    list_slot.put(Box::new(8), 1, &work_signal);
    list_slot.clear(&work_signal);
    assert!(list_slot.take().is_none());
    list_slot.put(Box::new(9), 1, &work_signal);
    assert!(list_slot.take().is_none());
}
