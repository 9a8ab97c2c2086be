//! What a view asks: its axes cut into bins, and the question over them.
//!
//! An axis without a range covers every finite value, so its extent is a question of its own, asked of
//! all rows whatever the filters: filters must not move an axis.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float32Type};

use super::{AxisSpec, Grouping, KEY_BINS, ViewKind, ViewSpec};
use crate::aggregate::{Aggregate, Bins, Scale, nice_bins, to_f64};
use crate::data::{Kind, kind, per_second};
use crate::dataset::Dataset;
use crate::expr::Expr;
use crate::query::{Answer, Ask, Axis, Key, Listing, Measure, Question};
use crate::select::{Clause, Selection};

/// Bins of a histogram unless the view says otherwise.
pub const HISTOGRAM_BINS: usize = 50;
/// Bins along each axis of a heatmap unless the view says otherwise.
pub const HEATMAP_BINS: usize = 80;

/// Asks for the least and the greatest finite value of an axis over all rows; of a logarithmic one,
/// over those above zero.
pub fn extent(dataset: &Arc<Dataset>, expr: &Expr, scale: Scale) -> Option<Question> {
    let measure = |name| Measure::new(Aggregate::named(name)?, Some(expr.clone())).ok();
    let measures = vec![measure("finite_min")?, measure("finite_max")?];
    let selection = match scale {
        Scale::Linear => Selection::all(),
        Scale::Log => {
            let positive = Expr::parse(&format!("({expr}) > 0"), dataset.schema()).ok()?;
            Selection::all().with(Clause::filter(positive))
        }
    };
    Some(Question::new(dataset.clone(), selection, Ask::Grid { axes: Vec::new(), measures }))
}

/// The extent in an answer to [`extent`]; `None` where there is no finite value.
pub fn extent_of(answer: &Answer) -> Option<[f64; 2]> {
    let grid = answer.grid()?;
    let end = |m: usize| as_written(grid.measures.get(m)?, 0);
    Some([end(0)?, end(1)?])
}

/// A finite value as `f64`. Of a `float32` the number it is written as: edges are compared with it as
/// `float32` ([`crate::kernel::edge`]), so that the stored 0.7 (0.699999988) lies at the edge 0.7, and bins
/// that are to hold it must reach beyond 0.7.
pub fn as_written(values: &ArrayRef, row: usize) -> Option<f64> {
    let value = match values.data_type() {
        DataType::Float32 if values.is_valid(row) => {
            values.as_primitive::<Float32Type>().value(row).to_string().parse().ok()?
        }
        _ => to_f64(&values.slice(row, 1))[0],
    };
    value.is_finite().then_some(value)
}

/// The least edge above `value`, the largest of its type that is to lie below it.
pub fn edge_above(value: f64, data_type: &DataType) -> f64 {
    match data_type {
        DataType::Float32 | DataType::Float16 => f64::from((value as f32).next_up()),
        other if kind(other) == Kind::Float => value.next_up(),
        _ => (value + 1.0).max(value.next_up()),
    }
}

/// The bins of an axis. Their edges are round numbers and hold the range, or the extent without one.
pub fn bins(spec: &AxisSpec, expr: &Expr, extent: Option<[f64; 2]>, target: usize) -> Bins {
    let target = spec.bins.unwrap_or(target);
    // The upper end of a range is an edge and need not lie inside.
    let range = spec.range.map(|[lo, hi]| [lo, hi.next_down().max(lo)]);
    match spec.scale() {
        Scale::Log => {
            let [lo, hi] = range.or(extent).filter(|[lo, _]| *lo > 0.0).unwrap_or([1.0, 10.0]);
            log_bins(lo, hi.max(lo), target)
        }
        Scale::Linear => {
            let data_type = expr.data_type();
            // Of no value at all: a day, or from 0 to 1.
            let length = if kind(data_type) == Kind::Time { 86_400.0 * per_second(data_type) } else { 1.0 };
            let [lo, hi] = range.or(extent).unwrap_or([0.0, length]);
            if let Some(bins) = spec.width.and_then(|width| multiples(lo, hi, width)) {
                return bins;
            }
            let nice = |lo, hi| nice_bins(lo, hi, target, kind(data_type), per_second(data_type));
            let bins = nice(lo, hi);
            let is_single = range.is_none() && matches!(data_type, DataType::Float32 | DataType::Float16);
            if is_single && bins.hi() as f32 <= hi as f32 {
                // Nearly equal values: edges that differ as float64 are the same float32.
                let margin = 1e-6 * lo.abs().max(hi.abs());
                return nice(lo - margin, hi + margin);
            }
            bins
        }
    }
}

/// Bins whose edges are the multiples of `width` around `lo..=hi`; `None` where there would be too many.
pub fn multiples(lo: f64, hi: f64, width: f64) -> Option<Bins> {
    const MOST: f64 = 4096.0;
    let (first, last) = ((lo / width).floor(), (hi / width).floor() + 1.0);
    if !(width > 0.0 && last - first <= MOST) {
        return None;
    }
    // The multiples of 0.1 are the quotients by 10, which round to the decimals a person reads.
    let per_one = (1.0 / width).round();
    let is_fraction = per_one > 1.0 && (per_one * width - 1.0).abs() < 1e-12;
    let edge = |k: f64| if is_fraction { k / per_one } else { k * width };
    let edges = (0..=(last - first) as usize).map(|i| edge(first + i as f64)).collect();
    Bins::from_edges(edges, Scale::Linear)
}

/// Bins of equal ratio over `lo..=hi`, a whole number of them to a decade.
fn log_bins(lo: f64, hi: f64, target: usize) -> Bins {
    let decades = (hi / lo).log10().max(0.1);
    let per_decade = (target as f64 / decades).round().clamp(1.0, 1000.0);
    let first = (lo.log10() * per_decade + 1e-9).floor();
    let last = (hi.log10() * per_decade + 1e-9).floor() + 1.0;
    let edge = |k: f64| 10f64.powf(k / per_decade);
    let low = edge(first).min(lo);
    let high = edge(last).max(hi.next_up());
    Bins::new(low, high, (last - first).max(1.0) as usize, Scale::Log)
        .unwrap_or_else(|_| nice_bins(lo, hi, target, Kind::Float, 1.0))
}

/// The axes a view is cut along, and how many bins each has unless it says otherwise; `None` for one that
/// is not chosen yet.
pub fn cut_axes(view: &ViewSpec) -> Vec<(Option<&AxisSpec>, usize)> {
    match view.kind {
        ViewKind::Histogram => vec![(view.x.as_ref(), HISTOGRAM_BINS)],
        ViewKind::Heatmap => [&view.x, &view.y].map(|axis| (axis.as_ref(), HEATMAP_BINS)).to_vec(),
        ViewKind::Groups => {
            let keys = view.grouping.iter().flat_map(Grouping::cut_keys);
            keys.map(|key| (Some(key), KEY_BINS)).collect()
        }
        ViewKind::Bars | ViewKind::Number | ViewKind::Rows => Vec::new(),
    }
}

/// What a table of groups lists.
///
/// # Errors
/// A sentence: it has no keys yet.
pub fn grouping(view: &ViewSpec) -> Result<&Grouping, String> {
    view.grouping.as_ref().ok_or_else(|| "Drop a column here to group by it.".to_owned())
}

/// The question of a view under a selection, over axes already cut.
///
/// # Errors
/// A sentence: the view has no such measure, or its key is no expression.
pub fn question(
    dataset: &Arc<Dataset>,
    view: &ViewSpec,
    axes: &[Axis],
    selection: Selection,
) -> Result<Question, String> {
    let measures = vec![Measure::parse(&view.measure, dataset)?];
    let ask = match view.kind {
        ViewKind::Histogram | ViewKind::Heatmap => Ask::Grid { axes: axes.to_vec(), measures },
        ViewKind::Bars => {
            let text = view.x.as_ref().map(|axis| axis.expr.as_str()).unwrap_or_default();
            let key = Expr::parse(text, dataset.schema()).map_err(|error| error.to_string())?;
            Ask::Groups { keys: vec![Key::Value(key)], measures, listing: Listing::default() }
        }
        ViewKind::Groups => grouping(view)?.ask(dataset, axes)?,
        ViewKind::Number => Ask::Grid { axes: Vec::new(), measures },
        ViewKind::Rows => Ask::Index,
    };
    Ok(Question::new(dataset.clone(), selection, ask))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::within;
    use crate::data::{Field, Schema};
    use arrow::datatypes::DataType;

    fn expr(data_type: DataType) -> Expr {
        Expr::parse("x", &Schema::new(vec![Field::new("x", data_type)])).unwrap()
    }

    #[test]
    fn a_range_of_round_ends_is_kept_as_it_is() {
        let spec = AxisSpec { range: Some([0.0, 100.0]), ..AxisSpec::of("x") };
        let bins = bins(&spec, &expr(DataType::Float64), None, 50);
        assert_eq!((bins.lo(), bins.hi(), bins.count()), (0.0, 100.0, 50));
    }

    #[test]
    fn bins_of_a_given_width_are_its_multiples() {
        let of = |width, range: [f64; 2]| {
            let spec = AxisSpec { width: Some(width), ..AxisSpec::of("x") };
            bins(&spec, &expr(DataType::Float64), Some(range), 50)
        };
        assert_eq!(of(0.1, [0.25, 0.58]).edges(), [0.2, 0.3, 0.4, 0.5, 0.6]);
        assert_eq!(of(2.5, [-1.0, 5.0]).edges(), [-2.5, 0.0, 2.5, 5.0, 7.5]);
        for impossible in [0.0, -1.0, f64::NAN, 1e-9] {
            assert!(of(impossible, [0.0, 100.0]).count() < 100, "{impossible}");
        }
    }

    #[test]
    fn an_extent_lies_inside_its_bins() {
        for (lo, hi) in [(0.0, 1.0), (-3.2, 8.0), (5.0, 5.0), (1e-9, 1e12)] {
            for log in [false, true] {
                let spec = AxisSpec { log, ..AxisSpec::of("x") };
                let bins = bins(&spec, &expr(DataType::Float64), Some([lo, hi]), 40);
                if !log || lo > 0.0 {
                    assert!(bins.bin_of(lo).is_some(), "{lo} of {bins}");
                    assert!(bins.bin_of(hi).is_some(), "{hi} of {bins}");
                }
            }
        }
    }

    #[test]
    fn a_float32_lies_inside_bins_that_end_at_its_number() {
        for value in [0.7f32, 0.1, 17.2, 1e30, -0.3] {
            let values: ArrayRef = std::sync::Arc::new(arrow::array::Float32Array::from(vec![value]));
            let written = as_written(&values, 0).unwrap();
            assert_eq!(written.to_string().parse::<f32>().unwrap(), value);
            let bins = bins(&AxisSpec::of("x"), &expr(DataType::Float32), Some([written - 1.0, written]), 40);
            assert!(within(&values, bins.lo(), bins.hi()).value(0), "{value} on {bins}");
            let above = Bins::new(written - 1.0, edge_above(written, &DataType::Float32), 7, Scale::Linear);
            let above = above.unwrap();
            assert!(within(&values, above.lo(), above.hi()).value(0), "{value} on {above}");
        }
    }

    #[test]
    fn without_any_finite_value_there_is_still_an_axis() {
        assert_eq!(bins(&AxisSpec::of("x"), &expr(DataType::Float32), None, 10).lo(), 0.0);
    }
}
