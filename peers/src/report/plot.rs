//! The plot: calls, clients and messages, on logarithmic scales.

use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::*;

use super::table::{Kind, Series, Table, Unit};

type Panel<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

const SIZE: (u32, u32) = (1_200, 420);
const FONT: (&str, i32) = ("sans-serif", 13);
const TITLE: (&str, i32) = ("sans-serif", 16);

/// What it shows.
pub(crate) struct Plotted<'a> {
    pub(crate) polled: &'a Table,
    pub(crate) parked: &'a Table,
    pub(crate) clients: &'a Table,
    pub(crate) payload: &'a Table,
}

/// Writes the plot.
pub(crate) fn plot(path: &Path, plotted: &Plotted<'_>) -> Drawn {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let panels = root.split_evenly((1, 3));
    bars(&panels[0], "A call (p50): polled, and pale: parked", plotted.polled, plotted.parked)?;
    lines(&panels[1], "Calls a second of 1 to 32 clients", plotted.clients)?;
    lines(&panels[2], "A call with 64 B to 16 MiB", plotted.payload)?;
    root.present()?;
    Ok(())
}

/// Returns the color of a label, the same in each panel; paler if it stands there once more.
fn color(series: &Series) -> RGBAColor {
    const PEERS: [(&str, RGBColor); 5] = [
        ("iceoryx2", RGBColor(31, 119, 180)),
        ("ipc-channel", RGBColor(148, 103, 189)),
        ("tarpc", RGBColor(44, 130, 44)),
        ("tonic", RGBColor(180, 110, 20)),
        ("Unix socket", RGBColor(60, 160, 170)),
    ];
    let opaque = match series.kind {
        Kind::Floor => RGBColor(120, 120, 120),
        Kind::Ours if series.label == "WitRPC" => RGBColor(214, 39, 40),
        Kind::Ours => RGBColor(240, 120, 110),
        Kind::Peer => {
            let known = PEERS.iter().find(|(label, _)| series.label.starts_with(label));
            known.map_or(BLACK, |(_, color)| *color)
        }
    };
    opaque.mix(if series.label.ends_with(", parked") { 0.5 } else { 1.0 })
}

/// The powers of ten around all figures.
fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (least, most) = values
        .fold((f64::INFINITY, 0.0_f64), |(least, most), value| (least.min(value), most.max(value)));
    (10_f64.powf(least.log10().floor()), 10_f64.powf(most.log10().ceil()))
}

fn figures(table: &Table) -> impl Iterator<Item = f64> {
    table.series.iter().flat_map(|series| series.values.iter().copied()).filter(|v| v.is_finite())
}

/// Two bars for each row.
fn bars(area: &Panel<'_>, title: &str, polled: &Table, parked: &Table) -> Drawn {
    let p50 = |table: &Table, label: &str| {
        table.series.iter().find(|series| series.label == label).and_then(|series| series.value(0))
    };
    let shown: Vec<&Series> = polled.series.iter().collect();
    let all = shown.iter().flat_map(|series| [series.value(0), p50(parked, &series.label)]);
    let (least, most) = bounds(all.flatten());
    let mut chart = ChartBuilder::on(area)
        .caption(title, TITLE)
        .margin(8)
        .x_label_area_size(28)
        .y_label_area_size(110)
        .build_cartesian_2d(
            (least..most).log_scale(),
            Rows(shown.iter().map(|s| s.label.clone()).collect()),
        )?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .light_line_style(TRANSPARENT)
        .label_style(FONT)
        .x_label_formatter(&|value| polled.unit.show(*value))
        .y_labels(shown.len())
        .draw()?;
    for (row, series) in shown.iter().enumerate() {
        let top = (shown.len() - row) as f64;
        let (color, label) = (color(series), &series.label);
        let values =
            [(p50(parked, label), 0.1, color.mix(0.35)), (series.value(0), 0.45, color.mix(1.0))];
        for (value, offset, color) in values {
            let Some(value) = value else { continue };
            let low = top - 1.0 + offset;
            let bar = [(least, low), (value, low + 0.35)];
            chart.draw_series([Rectangle::new(bar, color.filled())])?;
        }
    }
    Ok(())
}

/// A line for each row, over the columns.
fn lines(area: &Panel<'_>, title: &str, table: &Table) -> Drawn {
    let (least, most) = bounds(figures(table));
    // Room for the legend below the lines.
    let least = least / 10.0;
    let last = table.columns.len() - 1;
    let mut chart = ChartBuilder::on(area)
        .caption(title, TITLE)
        .margin(8)
        .x_label_area_size(28)
        .y_label_area_size(64)
        .build_cartesian_2d(Columns(table.columns.clone()), (least..most).log_scale())?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .label_style(FONT)
        .x_labels(last + 1)
        .y_label_formatter(&|value| table.unit.show(*value))
        .draw()?;
    for series in &table.series {
        let color = color(series);
        let points: Vec<(f64, f64)> =
            (0..=last).filter_map(|column| Some((column as f64, series.value(column)?))).collect();
        let width = if series.kind == Kind::Ours { 3 } else { 2 };
        let style = color.stroke_width(width);
        chart
            .draw_series(LineSeries::new(points.iter().copied(), style))?
            .label(series.label.clone())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 14, y)], style));
        chart.draw_series(points.into_iter().map(|point| Circle::new(point, 3, color.filled())))?;
    }
    let place = if table.unit == Unit::PerSecond {
        SeriesLabelPosition::LowerLeft
    } else {
        SeriesLabelPosition::LowerRight
    };
    chart
        .configure_series_labels()
        .position(place)
        .background_style(WHITE.mix(0.8))
        .label_font(FONT)
        .draw()?;
    Ok(())
}

/// An axis with a name in the middle of each row, the first at the top.
struct Rows(Vec<String>);

impl Ranged for Rows {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        place(*value / self.0.len() as f64, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        (0..self.0.len()).map(|row| row as f64 + 0.5).collect()
    }

    fn range(&self) -> std::ops::Range<f64> {
        0.0..self.0.len() as f64
    }
}

impl ValueFormatter<f64> for Rows {
    fn format_ext(&self, value: &f64) -> String {
        self.0[self.0.len() - 1 - *value as usize].clone()
    }
}

/// An axis with a name at each whole number.
struct Columns(Vec<String>);

impl Ranged for Columns {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        place((*value + 0.3) / (self.0.len() as f64 - 0.4), limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        (0..self.0.len()).map(|column| column as f64).collect()
    }

    fn range(&self) -> std::ops::Range<f64> {
        -0.3..self.0.len() as f64 - 0.7
    }
}

impl ValueFormatter<f64> for Columns {
    fn format_ext(&self, value: &f64) -> String {
        self.0[*value as usize].clone()
    }
}

fn place(part: f64, (begin, end): (i32, i32)) -> i32 {
    begin + (part * f64::from(end - begin)).round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_powers_of_ten_around_all() {
        let (least, most) = bounds([120.0, 7_000.0, 45.0].into_iter());
        assert!((least - 10.0).abs() < 1e-6 && (most - 10_000.0).abs() < 1e-6);
    }

    #[test]
    fn names_stand_at_their_rows() {
        let rows = Rows(vec!["first".into(), "second".into()]);
        assert_eq!(rows.format_ext(&1.5), "first");
        assert_eq!(rows.map(&1.0, (100, 0)), 50);
    }
}
