use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread;

use crate::memory::words::Mapped;

use super::*;

#[test]
fn what_is_laid_is_taken_once_or_dropped() {
    let shelf = Shelf::<Mapped, Arc<()>>::new();
    let work_signal = WorkSignal::new(AtomicU64::new(1));
    let value = Arc::new(());
    assert!(shelf.take().is_none());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..1_000 {
                    shelf.lay(Box::new(Arc::clone(&value)), 1, &work_signal);
                    drop(shelf.take());
                }
            });
        }
    });
    shelf.lay(Box::new(Arc::clone(&value)), 1, &work_signal);
    assert_eq!(Arc::strong_count(&value), 2);
    shelf.lay(Box::new(Arc::clone(&value)), 1, &work_signal);
    drop(shelf);
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn nothing_stays_that_is_older_than_the_news() {
    let shelf = Shelf::<Mapped, u32>::new();
    let work_signal = WorkSignal::new(AtomicU64::new(1));
    shelf.lay(Box::new(7), 1, &work_signal);
    assert_eq!(shelf.take().as_deref(), Some(&7));
    shelf.lay(Box::new(8), 1, &work_signal);
    shelf.clear(&work_signal);
    assert!(shelf.take().is_none());
    shelf.lay(Box::new(9), 1, &work_signal);
    assert!(shelf.take().is_none());
}
