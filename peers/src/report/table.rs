//! Figures, and how they are written.

/// What was measured of all that were compared.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) note: String,
    pub(crate) unit: Unit,
    pub(crate) better: Better,
    /// Figures up to this one are too small to be told apart.
    pub(crate) negligible: f64,
    pub(crate) columns: Vec<String>,
    pub(crate) series: Vec<Series>,
}

/// The figures of one of them, a column each. One that was not measured is not a number.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) label: String,
    pub(crate) kind: Kind,
    pub(crate) values: Vec<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What two processes can do at best.
    Floor,
    /// WitRPC.
    Ours,
    Peer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Nanoseconds,
    PerSecond,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    Lower,
    Higher,
}

impl Series {
    pub(crate) fn unmeasured(label: &str, kind: Kind, columns: usize) -> Self {
        Self { label: label.to_owned(), kind, values: vec![f64::NAN; columns] }
    }

    /// Sets a figure of the series of that label, which is added if there is none.
    pub(crate) fn set(all: &mut Vec<Self>, label: &str, kind: Kind, column: usize, value: f64) {
        let index = all.iter().position(|series| series.label == label).unwrap_or_else(|| {
            all.push(Self::unmeasured(label, kind, 0));
            all.len() - 1
        });
        let values = &mut all[index].values;
        values.resize(values.len().max(column + 1), f64::NAN);
        values[column] = value;
    }

    /// Returns a figure, unless it was not measured.
    pub(crate) fn value(&self, column: usize) -> Option<f64> {
        self.values.get(column).copied().filter(|value| value.is_finite())
    }
}

impl Unit {
    /// Writes a figure with three significant digits, as in `1.25 µs`.
    pub(crate) fn show(self, value: f64) -> String {
        let names = match self {
            Self::Nanoseconds => ["ns", "µs", "ms", "s"],
            Self::PerSecond => ["/s", "k/s", "M/s", "G/s"],
        };
        let mut value = value;
        let mut names = names.into_iter();
        let mut name = names.next().expect("four");
        for larger in names {
            // What three digits would show as 1000.
            if value < 999.5 {
                break;
            }
            value /= 1_000.0;
            name = larger;
        }
        format!("{} {name}", three_digits(value))
    }
}

/// Three significant digits, fewer if zeros would follow the point.
pub(crate) fn three_digits(value: f64) -> String {
    let magnitude = if value.abs() < 1.0 { 0 } else { value.abs().log10().floor() as i32 };
    let digits = usize::try_from(2 - magnitude).unwrap_or(0);
    let shown = format!("{value:.digits$}");
    match shown.split_once('.') {
        Some(_) => shown.trim_end_matches('0').trim_end_matches('.').to_owned(),
        None => shown,
    }
}

/// As in `4 KiB`.
pub(crate) fn size_name(len: usize) -> String {
    match len {
        0..1_024 => format!("{len} B"),
        1_024..1_048_576 => format!("{} KiB", len >> 10),
        _ => format!("{} MiB", len >> 20),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits() {
        for (value, shown) in [
            (0.0, "0 ns"),
            (7.0, "7 ns"),
            (105.4, "105 ns"),
            (999.4, "999 ns"),
            (999.6, "1 µs"),
            (1_254.0, "1.25 µs"),
            (53_000_000.0, "53 ms"),
            (1.5e12, "1500 s"),
        ] {
            assert_eq!(Unit::Nanoseconds.show(value), shown);
        }
        assert_eq!(Unit::PerSecond.show(9_134_000.0), "9.13 M/s");
    }

    #[test]
    fn sizes_have_names() {
        assert_eq!([64, 4 << 10, 16 << 20].map(size_name), ["64 B", "4 KiB", "16 MiB"]);
    }

    #[test]
    fn what_was_not_measured_has_no_value() {
        let mut all = Vec::new();
        Series::set(&mut all, "a", Kind::Peer, 1, 2.0);
        Series::set(&mut all, "a", Kind::Peer, 2, 3.0);
        assert_eq!(
            [0, 1, 2, 3].map(|column| all[0].value(column)),
            [None, Some(2.0), Some(3.0), None]
        );
    }
}
