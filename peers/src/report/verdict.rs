//! Where WitRPC stands: the best of its figures beside the best of the others.

use super::table::{Better, Kind, Series, Table, three_digits};

/// Within this factor two figures are level.
const LEVEL: f64 = 1.02;

/// How one column of a table stands.
#[derive(Debug, PartialEq)]
pub(crate) struct Verdict {
    /// The table and the column.
    pub(crate) figure: String,
    pub(crate) standing: Standing,
    pub(crate) ours: String,
    pub(crate) rival: String,
    /// How many times as good as the best of the others.
    pub(crate) factor: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Ahead,
    Level,
    Behind,
}

/// Returns a verdict for each column that WitRPC and another share.
pub(crate) fn verdicts(table: &Table) -> Vec<Verdict> {
    (0..table.columns.len()).filter_map(|column| verdict(table, column)).collect()
}

fn verdict(table: &Table, column: usize) -> Option<Verdict> {
    let (our_series, ours) = best(table, Kind::Ours, column)?;
    let (series, rival) = best(table, Kind::Peer, column)?;
    let factor = gain(table.better, ours, rival);
    let standing = if ours.max(rival) <= table.negligible || (1.0 / LEVEL..=LEVEL).contains(&factor)
    {
        Standing::Level
    } else if factor > 1.0 {
        Standing::Ahead
    } else {
        Standing::Behind
    };
    Some(Verdict {
        figure: format!("{}: {}", table.title, table.columns[column]),
        standing,
        ours: format!("{} {}", our_series.label, table.unit.show(ours)),
        rival: format!("{} {}", series.label, table.unit.show(rival)),
        factor,
    })
}

/// How many times as good as the other.
fn gain(better: Better, ours: f64, other: f64) -> f64 {
    match better {
        Better::Lower => other / ours,
        Better::Higher => ours / other,
    }
}

fn best(table: &Table, kind: Kind, column: usize) -> Option<(&Series, f64)> {
    let all = table.series.iter().filter(|series| series.kind == kind);
    let measured = all.filter_map(|series| Some((series, series.value(column)?)));
    measured.reduce(|best, next| if gain(table.better, best.1, next.1) < 1.0 { next } else { best })
}

/// A promise, and whether it was kept.
#[derive(Debug, PartialEq)]
pub(crate) struct Goal {
    pub(crate) text: String,
    pub(crate) met: bool,
}

/// Compares the polled call with what is wanted of it.
pub(crate) fn goals(polled: &Table) -> Vec<Goal> {
    let Some((_, ours)) = best(polled, Kind::Ours, 0) else { return Vec::new() };
    let wanted = [("iceoryx2", 6.0), ("tarpc", 200.0)];
    let goals = wanted.into_iter().filter_map(|(label, least)| {
        let rival = polled.series.iter().find(|series| series.label == label)?;
        let factor = gain(polled.better, ours, rival.value(0)?);
        let text = format!(
            "A polled call is {} times as fast as one of {label}; at least {least} are wanted.",
            three_digits(factor)
        );
        Some(Goal { text, met: factor >= least })
    });
    goals.collect()
}

#[cfg(test)]
mod tests {
    use super::super::table::Unit;
    use super::*;

    fn table(better: Better, figures: &[(&str, Kind, f64)]) -> Table {
        let series = figures.iter().map(|(label, kind, value)| Series {
            label: (*label).into(),
            kind: *kind,
            values: vec![*value],
        });
        Table {
            title: "A call".into(),
            note: String::new(),
            unit: Unit::Nanoseconds,
            better,
            negligible: 5.0,
            columns: vec!["p50".into()],
            series: series.collect(),
        }
    }

    fn standing(better: Better, ours: f64, other: f64) -> Standing {
        let figures =
            [("floor", Kind::Floor, 1.0), ("us", Kind::Ours, ours), ("b", Kind::Peer, other)];
        verdicts(&table(better, &figures))[0].standing
    }

    #[test]
    fn less_is_ahead_where_lower_is_better() {
        assert_eq!(standing(Better::Lower, 100.0, 200.0), Standing::Ahead);
        assert_eq!(standing(Better::Lower, 200.0, 100.0), Standing::Behind);
        assert_eq!(standing(Better::Higher, 200.0, 100.0), Standing::Ahead);
        assert_eq!(standing(Better::Higher, 100.0, 200.0), Standing::Behind);
    }

    #[test]
    fn nearly_equal_and_negligible_figures_are_level() {
        assert_eq!(standing(Better::Lower, 100.0, 101.0), Standing::Level);
        assert_eq!(standing(Better::Lower, 101.0, 100.0), Standing::Level);
        assert_eq!(standing(Better::Lower, 5.0, 1.0), Standing::Level);
        assert_eq!(standing(Better::Lower, 6.0, 1.0), Standing::Behind);
    }

    #[test]
    fn best_of_ours_stands_against_best_of_the_others() {
        let figures = [
            ("slow", Kind::Ours, 300.0),
            ("quick", Kind::Ours, 100.0),
            ("b", Kind::Peer, 900.0),
            ("c", Kind::Peer, 400.0),
            ("d", Kind::Peer, f64::NAN),
        ];
        let [verdict] = verdicts(&table(Better::Lower, &figures)).try_into().unwrap();
        assert_eq!(verdict.ours, "quick 100 ns");
        assert_eq!(verdict.rival, "c 400 ns");
        assert_eq!(verdict.factor, 4.0);
    }

    #[test]
    fn column_without_a_rival_has_no_verdict() {
        let figures = [("us", Kind::Ours, 1.0), ("b", Kind::Peer, f64::NAN)];
        assert!(verdicts(&table(Better::Lower, &figures)).is_empty());
    }

    #[test]
    fn goals_tell_what_was_reached() {
        let figures = [
            ("us", Kind::Ours, 100.0),
            ("iceoryx2", Kind::Peer, 600.0),
            ("tarpc", Kind::Peer, 19_000.0),
        ];
        let goals = goals(&table(Better::Lower, &figures));
        assert_eq!([goals[0].met, goals[1].met], [true, false]);
        assert!(goals[1].text.contains("190 times as fast as one of tarpc; at least 200"));
    }
}
