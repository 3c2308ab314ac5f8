//! The service of the worker process.

use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use serde::{Deserialize, Serialize};
use witrpc::{CallContext, wit_service};
use witrpc_examples::fractal::View;

use crate::picture::area;

/// Renders pictures in tiles.
#[wit_service]
pub(crate) trait Renderer {
    /// Renders these tiles, and sends each as soon as it is done.
    fn render(
        &self,
        view: View,
        tiles: Vec<u32>,
        #[wit(ctx)] cx: &CallContext,
    ) -> impl Iterator<Item = Tile>;

    /// Reports how many rows of a stream's tiles have been rendered so far.
    #[wit(event)]
    fn progress(&self, rows: u64);
}

/// A part of a picture.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Tile {
    pub(crate) number: u32,
    /// Red, green and blue of each pixel, row by row.
    pub(crate) pixels: Vec<u8>,
}

/// A renderer on all cores.
pub(crate) struct Painter {
    events: RendererEvents,
}

impl Painter {
    pub(crate) fn new(events: RendererEvents) -> Self {
        Self { events }
    }
}

impl Renderer for Painter {
    fn render(&self, view: View, tiles: Vec<u32>, cx: &CallContext) -> impl Iterator<Item = Tile> {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let tiles = Arc::new(Mutex::new(tiles.into_iter()));
        let rows = Arc::new(AtomicU64::new(0));
        let (done, stream) = mpsc::sync_channel(threads);
        for _ in 0..threads {
            let (tiles, rows, done) = (Arc::clone(&tiles), Arc::clone(&rows), done.clone());
            let caller = self.events.to(cx.client_id());
            thread::spawn(move || {
                let next = || tiles.lock().expect("nothing panics with the lock held").next();
                while let Some(number) = next() {
                    let tile = paint(&view, number, || {
                        // A lost event does not matter: the next one says more.
                        let _ = caller.progress(rows.fetch_add(1, Relaxed) + 1);
                    });
                    if done.send(tile).is_err() {
                        // The client has dropped the stream, or has died.
                        break;
                    }
                }
            });
        }
        stream.into_iter()
    }
}

fn paint(view: &View, number: u32, row_is_done: impl Fn()) -> Tile {
    let (columns, rows) = area(view, number);
    let mut pixels = Vec::with_capacity(columns.len() * rows.len() * 3);
    for y in rows {
        pixels.extend(columns.clone().flat_map(|x| view.colour(x, y)));
        row_is_done();
    }
    Tile { number, pixels }
}

#[cfg(test)]
mod tests {
    use super::*;
    use witrpc::{InProcess, WitServer};

    #[test]
    fn tiles_come_each_once_and_progress_reaches_the_last_row() {
        let place = InProcess::new();
        let service = RendererServer::with_events(Painter::new);
        let _server = WitServer::builder().listen(place.clone()).service(service).start().unwrap();
        let renderer = RendererClient::connect(place).unwrap();
        let mut progress = renderer.progress().unwrap();

        let view = View::of_seahorses(130, 70);
        let tiles = renderer.render(view, vec![5, 0, 2]).unwrap().collect::<Result<Vec<_>, _>>();
        let mut numbers: Vec<u32> = tiles.unwrap().iter().map(|tile| tile.number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [0, 2, 5]);

        let rows: u64 = [0, 2, 5].map(|tile| area(&view, tile).1.len() as u64).iter().sum();
        assert!(progress.any(|event| event.unwrap().rows == rows));
    }
}
