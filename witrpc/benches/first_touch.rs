//! What it costs to touch shared memory for the first time, and what could be done about it: by a
//! connection as it is, and by bare memory mapped in all the ways there are.

mod support;

use std::fs::File;
use std::hint::black_box;
use std::io;
use std::time::Instant;

use memmap2::{Advice, MmapMut, MmapOptions};
use rustix::fs::{FallocateFlags, MemfdFlags, fallocate, ftruncate, memfd_create};
use support::peer::{self, Parts};
use support::race::median;
use support::report::Report;
use support::service::Serving;
use support::studio::{StudioClient, draw, sum, sum_of_pieces};

fn main() {
    peer::run(|options| {
        let report = Report::new(options);
        let rounds = if options.quick { 2 } else { 15 };
        leases(report, rounds);
        bare(report, rounds);
    });
}

const MIB: usize = 1 << 20;

/// Half of a direction's region is touched, and all of the bare memory.
const LEN: usize = 16 * MIB;
const SAMPLES: usize = LEN / size_of::<u64>();

/// Microseconds a MiB.
fn time(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e6 / (LEN / MIB) as f64
}

/// On connections just made: writing what is sent, and reading what came, the first time and the
/// second.
fn leases(report: Report, rounds: usize) {
    let serving = Serving { size: 4 * LEN, ..Serving::new() };
    let _peer = Parts::default().service(&serving).start();
    let mut times: [Vec<f64>; 4] = Default::default();
    for _ in 0..rounds {
        let studio: StudioClient =
            serving.connect().connection().client().expect("it is served too");
        let mut to_send = studio.connection().alloc::<u64>(SAMPLES).expect("it fits");
        let received = studio.drawn(SAMPLES as u64, 1).expect("it fits");
        for (write, read) in [(0, 1), (2, 3)] {
            times[write].push(time(|| draw(&mut to_send, 1)));
            times[read].push(time(|| {
                black_box(sum_of_pieces(&received));
            }));
        }
    }
    let names = ["first_write", "first_read", "second_write", "second_read"];
    for (name, times) in names.iter().zip(times) {
        report.figure(&format!("lease_{name}"), median(times), "us/MiB");
    }
}

/// A way to have memory.
struct Way {
    name: &'static str,
    flags: MemfdFlags,
    /// Whether it is allocated before it is mapped, as regions are.
    allocated: bool,
    map: fn(&File) -> io::Result<MmapMut>,
}

fn plainly(file: &File) -> io::Result<MmapMut> {
    map(file, MmapOptions::new().len(LEN))
}

fn map(file: &File, options: &MmapOptions) -> io::Result<MmapMut> {
    // SAFETY: no other process has the file.
    unsafe { options.map_mut(file) }
}

fn bare(report: Report, rounds: usize) {
    let ways = [
        Way { name: "as_regions_are", flags: MemfdFlags::empty(), allocated: true, map: plainly },
        Way {
            name: "map_populate",
            flags: MemfdFlags::empty(),
            allocated: true,
            map: |file| map(file, MmapOptions::new().len(LEN).populate()),
        },
        Way {
            name: "populate_write",
            flags: MemfdFlags::empty(),
            allocated: true,
            map: |file| plainly(file).and_then(|map| advised(map, &[Advice::PopulateWrite])),
        },
        Way {
            name: "huge_pages_advised",
            flags: MemfdFlags::empty(),
            allocated: false,
            map: |file| {
                let advice = [Advice::HugePage, Advice::PopulateWrite];
                plainly(file).and_then(|map| advised(map, &advice))
            },
        },
        Way { name: "hugetlb", flags: MemfdFlags::HUGETLB, allocated: true, map: plainly },
    ];
    for way in ways {
        if let Err(error) =
            (0..rounds).map(|_| touched(&way)).collect::<io::Result<Vec<_>>>().map(|times| {
                let steps = ["made", "mapped", "first_write", "second_write", "second_read"];
                for (index, step) in steps.iter().enumerate() {
                    let times = times.iter().map(|times| times[index]).collect();
                    report.figure(&format!("{}_{step}", way.name), median(times), "us/MiB");
                }
            })
        {
            eprintln!("{}: this machine has none: {error}", way.name);
        }
    }
}

fn advised(map: MmapMut, advice: &[Advice]) -> io::Result<MmapMut> {
    advice.iter().try_for_each(|advice| map.advise(*advice))?;
    Ok(map)
}

/// Making, mapping, writing, writing again, reading.
fn touched(way: &Way) -> io::Result<[f64; 5]> {
    let file = File::from(memfd_create("first_touch", MemfdFlags::CLOEXEC | way.flags)?);
    let mut done = Ok(());
    let made = time(|| {
        done = ftruncate(&file, LEN as u64);
        if way.allocated && done.is_ok() {
            done = fallocate(&file, FallocateFlags::empty(), 0, LEN as u64);
        }
    });
    done?;
    let mut mapped = None;
    let mapping = time(|| mapped = Some((way.map)(&file)));
    let mut memory = mapped.expect("it was mapped, or not")?;
    let samples: &mut [u64] = bytemuck::cast_slice_mut(&mut memory);
    let first = time(|| draw(samples, 1));
    let second = time(|| draw(samples, 2));
    let read = time(|| {
        black_box(sum(samples));
    });
    Ok([made, mapping, first, second, read])
}
