//! Whoever waits for space to share sleeps until there is some.

use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use futures_executor::block_on;
use witrpc::{AllocError, Shared};
use witrpc_tests::gallery::GalleryClient;
use witrpc_tests::site::{Site, Transport};
use witrpc_tests::watchdog::eventually;

fn gallery(site: &Site) -> GalleryClient {
    GalleryClient::connect(site.endpoint()).unwrap()
}

/// All that a client can share at once, in bytes.
fn most(client: &GalleryClient) -> usize {
    match client.connection().try_alloc::<u8>(usize::MAX).unwrap_err() {
        AllocError::TooLarge { max, .. } => max,
        other => panic!("{other}"),
    }
}

/// Has the server keep all that there is.
fn fill(client: &GalleryClient) -> usize {
    let most = most(client);
    let all: Shared<[u8]> = client.connection().alloc(most).unwrap().freeze();
    client.keep(all).unwrap();
    most
}

/// Counts how often it is woken.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn a_future_that_waits_is_woken_when_there_is_space_and_not_before() {
    let site = Site::new(Transport::Mmf);
    let (client, other) = (gallery(&site), gallery(&site));
    let most = fill(&client);
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let mut cx = Context::from_waker(&waker);
    let mut waiting = pin!(client.connection().alloc_async::<u8>(most));
    assert!(waiting.as_mut().poll(&mut cx).is_pending());
    // Nothing of this concerns it.
    for _ in 0..200 {
        other.kept().unwrap();
    }
    assert_eq!(wakes.0.load(SeqCst), 0, "it was woken for nothing");
    other.forget().unwrap();
    eventually("it is woken", || wakes.0.load(SeqCst) > 0);
    match waiting.as_mut().poll(&mut cx) {
        Poll::Ready(Ok(space)) => assert_eq!(space.len(), most),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_short_wish_goes_past_a_long_one_that_waits() {
    let site = Site::new(Transport::Mmf);
    let client = gallery(&site);
    let connection = client.connection();
    let most = most(&client);
    let [first, second] = [0; 2].map(|_| connection.alloc::<u8>(most / 2).unwrap());
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(wakes);
    let mut waiting = pin!(connection.alloc_async::<u8>(most));
    assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop(first);
    // Whoever takes it may need it to give back the rest.
    let short = connection.alloc::<u8>(most / 4).unwrap();
    assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop((short, second));
    assert_eq!(block_on(waiting).map(|space| space.len()), Ok(most));
}

/// How long a thread has run, in nanoseconds.
fn time_run(thread: &Path) -> u64 {
    let text = fs::read_to_string(thread.join("schedstat")).unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

fn is_asleep(thread: &Path) -> bool {
    fs::read_to_string(thread.join("status")).unwrap().contains("State:\tS")
}

#[test]
fn a_thread_that_waits_is_parked() {
    let site = Site::new(Transport::Mmf);
    let (client, other) = (gallery(&site), gallery(&site));
    let most = fill(&client);
    thread::scope(|scope| {
        let (told, tells) = mpsc::channel::<PathBuf>();
        let waiting = scope.spawn(move || {
            told.send(Path::new("/proc").join(fs::read_link("/proc/thread-self").unwrap()))
                .unwrap();
            client.connection().alloc::<u8>(most).map(|space| space.len())
        });
        let thread = tells.recv().unwrap();
        // Where it begins to wait it may run; then it does not any more, however much others do.
        eventually("it sleeps", || {
            let before = time_run(&thread);
            (0..50).for_each(|_| drop(other.kept().unwrap()));
            is_asleep(&thread) && time_run(&thread) == before
        });
        let before = time_run(&thread);
        for _ in 0..500 {
            other.kept().unwrap();
        }
        assert_eq!(time_run(&thread), before, "it has run, with nothing to do");
        other.forget().unwrap();
        assert_eq!(waiting.join().unwrap(), Ok(most));
    });
}
