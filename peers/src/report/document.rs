//! The document: first where WitRPC is not ahead, then every figure.

use std::fmt::Write;

use super::machine::{Machine, version};
use super::table::{Kind, Series, Table, three_digits};
use super::verdict::{Goal, Standing, Verdict, verdicts};

/// Returns the document in Markdown. The plot lies beside it, under the name `plot`.
pub(crate) fn document(machine: &Machine, tables: &[Table], goals: &[Goal], plot: &str) -> String {
    let verdicts: Vec<Verdict> = tables.iter().flat_map(verdicts).collect();
    let mut parts = vec![INTRODUCTION.to_owned()];
    parts.extend(machine.is_busy().then(|| busy(machine)));
    parts.push(standings(&verdicts, goals));
    parts.push(format!("![Calls, clients and messages]({plot})"));
    parts.push(conditions(machine));
    parts.extend(tables.iter().map(table));
    parts.push(METHOD.to_owned());
    parts.join("\n\n") + "\n"
}

const INTRODUCTION: &str = "\
# WitRPC beside its peers

<!-- Written by the program in `peers/`; do not edit. -->

One run, in which WitRPC, other ways to call another process, and the floor of the machine take turns.
To repeat it, on a machine that does nothing else:

    cargo run --release --manifest-path peers/Cargo.toml";

const METHOD: &str = "\
## How it is measured

- **Two processes.** Each server is a process of its own. It is stopped while others have their turn. Where no
  other number is given, one client calls, and each process is pinned to a core of its own.
- **Turns.** In each round everything runs once, in an order that shifts. A median is that of the rounds'
  medians. Only rounds with about the same floor count: a virtual machine's cores may be near or far for a
  while.
- **The floor** is what two processes can do over bare shared memory: a word bounced over two cache lines. Both
  sides look without a pause, or sleep in a futex where calls are parked.
- **Percentiles** are of calls timed one by one, less the time to read the clock.
- **Waiting.** Polled: both sides look without a pause (WitRPC: `WaitPolicy::Spin`; sockets and channels: reads
  that do not block). Parked: both sleep in the kernel (WitRPC: `WaitPolicy::Park`; iceoryx2: with events).
  tarpc and tonic wait as tokio does; they stand in both tables.
- **As documented for speed.** iceoryx2: ports for one thread, fixed-size requests, loaned slices. tarpc:
  bincode, length-delimited frames, a spawned dispatch. tonic: prost, `bytes` messages, HTTP/2 windows as large as
  a message. ipc-channel: bytes up to 32 KiB, its shared memory above. Those on tokio run on one thread a
  side. The socket's server answers all requests of a read by one write.
- **Best of ours.** A verdict compares the best of WitRPC's rows with the best of the others'. Figures
  within 2 % are level.";

fn busy(machine: &Machine) -> String {
    format!(
        "> **The machine was busy**: {} processes wanted to run on {} cores when the run began. These \
         figures show that the comparison runs. They are no result.",
        three_digits(machine.load),
        machine.cores
    )
}

/// Where WitRPC is behind comes first.
fn standings(verdicts: &[Verdict], goals: &[Goal]) -> String {
    let mut text = String::new();
    let of = |standing| verdicts.iter().filter(move |verdict| verdict.standing == standing);
    let missed: Vec<&Goal> = goals.iter().filter(|goal| !goal.met).collect();
    if of(Standing::Behind).next().is_some() || !missed.is_empty() {
        text += "## Where WitRPC is not ahead\n\n";
        for goal in missed {
            line(&mut text, format_args!("- **Missed.** {}", goal.text));
        }
        for Verdict { figure, ours, rival, factor, .. } in of(Standing::Behind) {
            let factor = three_digits(1.0 / factor);
            line(
                &mut text,
                format_args!("- **{figure}**: {ours}; {rival}, {factor} times as good."),
            );
        }
        text += "\n";
    }
    if of(Standing::Level).next().is_some() {
        text += "## Where it is level\n\n";
        for Verdict { figure, ours, rival, .. } in of(Standing::Level) {
            line(&mut text, format_args!("- {figure}: {ours}; {rival}."));
        }
        text += "\n";
    }
    let count = of(Standing::Ahead).count();
    let all = verdicts.len();
    line(&mut text, format_args!("## Where it is ahead\n\nIn {count} of {all} figures.\n"));
    for goal in goals.iter().filter(|goal| goal.met) {
        line(&mut text, format_args!("- {}", goal.text));
    }
    for Verdict { figure, rival, factor, .. } in of(Standing::Ahead) {
        let factor = three_digits(*factor);
        line(&mut text, format_args!("- {figure}: {factor} times as good as {rival}."));
    }
    text.trim_end().to_owned()
}

fn conditions(machine: &Machine) -> String {
    let Machine { processor, cores, system, compiler, date, load } = machine;
    let packages = ["witrpc", "iceoryx2", "ipc-channel", "tarpc", "tonic", "tokio"];
    let versions = packages.map(|package| format!("{package} {}", version(package).unwrap_or("?")));
    format!(
        "## The run\n\n{processor}, {cores} cores, {system}, {compiler}, {date}, load {} when it \
         began. {}.",
        three_digits(*load),
        versions.join(", ")
    )
}

fn table(table: &Table) -> String {
    let mut text = format!("## {}\n\n{}\n\n|  |", table.title, table.note);
    for column in &table.columns {
        write!(text, " {column} |").expect("a string takes everything");
    }
    text += "\n| - |";
    text += &" -: |".repeat(table.columns.len());
    for series in &table.series {
        text += "\n";
        text += &row(table, series);
    }
    text
}

fn row(table: &Table, series: &Series) -> String {
    let label = &series.label;
    let mut text =
        if series.kind == Kind::Ours { format!("| **{label}** |") } else { format!("| {label} |") };
    for column in 0..table.columns.len() {
        let shown = series.value(column).map_or("–".to_owned(), |value| table.unit.show(value));
        write!(text, " {shown} |").expect("a string takes everything");
    }
    text
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    writeln!(text, "{arguments}").expect("a string takes everything");
}

#[cfg(test)]
mod tests {
    use super::super::table::{Better, Unit};
    use super::*;

    fn sample(ours: f64) -> Table {
        let series = |label: &str, kind, values| Series { label: label.into(), kind, values };
        Table {
            title: "A call".into(),
            note: "Noted.".into(),
            unit: Unit::Nanoseconds,
            better: Better::Lower,
            negligible: 0.0,
            columns: vec!["p50".into(), "p99".into()],
            series: vec![
                series("WitRPC", Kind::Ours, vec![ours, 300.0]),
                series("other", Kind::Peer, vec![200.0, f64::NAN]),
            ],
        }
    }

    fn machine(load: f64) -> Machine {
        Machine {
            processor: "EPYC".into(),
            cores: 2,
            system: "Linux 6".into(),
            compiler: "rustc 1".into(),
            date: "2026-01-02".into(),
            load,
        }
    }

    #[test]
    fn what_is_behind_stands_first() {
        let text = document(&machine(0.0), &[sample(400.0), sample(100.0)], &[], "plot.svg");
        let behind = text.find("**A call: p50**: WitRPC 400 ns; other 200 ns, 2 times as good.");
        let ahead = text.find("- A call: p50: 2 times as good as other 200 ns.");
        assert!(behind.unwrap() < ahead.unwrap(), "{text}");
        assert!(text.contains("In 1 of 2 figures."), "{text}");
        assert!(!text.contains("busy"), "{text}");
    }

    #[test]
    fn missed_goal_counts_as_behind() {
        let goals = [Goal { text: "Much.".into(), met: false }];
        let text = document(&machine(0.0), &[sample(100.0)], &goals, "plot.svg");
        assert!(text.contains("## Where WitRPC is not ahead\n\n- **Missed.** Much."), "{text}");
    }

    #[test]
    fn figures_of_a_busy_machine_are_marked() {
        let text = document(&machine(9.3), &[sample(100.0)], &[], "plot.svg");
        assert!(text.contains("**The machine was busy**: 9.3 processes"), "{text}");
    }

    #[test]
    fn table_has_a_row_for_each() {
        let text = table(&sample(100.0));
        let rows: Vec<&str> = text.lines().skip(4).collect();
        assert_eq!(
            rows,
            [
                "|  | p50 | p99 |",
                "| - | -: | -: |",
                "| **WitRPC** | 100 ns | 300 ns |",
                "| other | 200 ns | – |",
            ]
        );
    }
}
