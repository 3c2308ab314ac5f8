use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread;

use crate::memory::words::Mapped;

use super::*;

#[test]
fn what_is_laid_is_taken_once_or_dropped() {
    let shelf = Shelf::<Mapped, Arc<()>>::new();
    let news = WorkSignal::new(AtomicU64::new(1));
    let value = Arc::new(());
    assert!(shelf.take().is_none());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..1_000 {
                    shelf.lay(Box::new(Arc::clone(&value)), 1, &news);
                    drop(shelf.take());
                }
            });
        }
    });
    shelf.lay(Box::new(Arc::clone(&value)), 1, &news);
    assert_eq!(Arc::strong_count(&value), 2);
    shelf.lay(Box::new(Arc::clone(&value)), 1, &news);
    drop(shelf);
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn nothing_stays_that_is_older_than_the_news() {
    let shelf = Shelf::<Mapped, u32>::new();
    let news = WorkSignal::new(AtomicU64::new(1));
    shelf.lay(Box::new(7), 1, &news);
    assert_eq!(shelf.take().as_deref(), Some(&7));
    shelf.lay(Box::new(8), 1, &news);
    shelf.clear(&news);
    assert!(shelf.take().is_none());
    shelf.lay(Box::new(9), 1, &news);
    assert!(shelf.take().is_none());
}
