//! Colours of pictures: the light and the dark palette, perceptually uniform colour maps.

use serde::{Deserialize, Serialize};

use crate::data::{si, ticks};

/// A colour in sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

const fn rgb(hex: u32) -> Rgb {
    Rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// What each colour of a picture means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// Behind everything.
    pub background: Rgb,
    /// Behind the cells of a heatmap, and so the colour of an empty cell.
    pub empty: Rgb,
    /// Titles and values.
    pub text: Rgb,
    /// Labels and notes.
    pub muted: Rgb,
    /// Axes and separators.
    pub hairline: Rgb,
    /// Grid lines behind bars.
    pub grid: Rgb,
    /// All rows, filtered or not.
    pub all: Rgb,
    /// The rows selected, and the brush that selects.
    pub selected: Rgb,
    /// What keeps a brush visible on any colour map.
    pub halo: Rgb,
}

impl Palette {
    /// Dark on white.
    pub const LIGHT: Palette = Palette {
        background: rgb(0xffffff),
        empty: rgb(0xf3f5f7),
        text: rgb(0x16191d),
        muted: rgb(0x525c66),
        hairline: rgb(0xc4ccd4),
        grid: rgb(0xe9edf0),
        all: rgb(0xb4c3d2),
        selected: rgb(0xd9570b),
        halo: rgb(0xffffff),
    };

    /// Light on near black.
    pub const DARK: Palette = Palette {
        background: rgb(0x16191d),
        empty: rgb(0x22272d),
        text: rgb(0xf0f3f6),
        muted: rgb(0xa7b1bb),
        hairline: rgb(0x454d56),
        grid: rgb(0x262c32),
        all: rgb(0x566778),
        selected: rgb(0xff8b3d),
        halo: rgb(0x16191d),
    };
}

/// A perceptually uniform colour map: equal steps of value are equal steps of lightness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColorMap {
    /// Violet, teal, yellow.
    #[default]
    Viridis,
    /// Blue, grey, yellow; the same to nearly all kinds of colour vision.
    Cividis,
    /// Black, magenta, cream.
    Magma,
}

// Anchors of the maps of matplotlib (CC0), evenly spaced.
const VIRIDIS: [u32; 11] = [
    0x440154, 0x482475, 0x414487, 0x355f8d, 0x2a788e, 0x21918c, 0x22a884, 0x44bf70, 0x7ad151, 0xbddf26,
    0xfde725,
];
const CIVIDIS: [u32; 10] =
    [0x00224e, 0x123570, 0x3b496c, 0x575d6d, 0x707173, 0x8a8678, 0xa59c74, 0xc3b369, 0xe1cc55, 0xfee838];
const MAGMA: [u32; 11] = [
    0x000004, 0x140e36, 0x3b0f70, 0x641a80, 0x8c2981, 0xb73779, 0xde4968, 0xf7705c, 0xfe9f6d, 0xfecf92,
    0xfcfdbf,
];

impl ColorMap {
    /// All maps, with the names a person picks them by.
    pub const ALL: [(&'static str, ColorMap); 3] =
        [("viridis", ColorMap::Viridis), ("cividis", ColorMap::Cividis), ("magma", ColorMap::Magma)];

    /// The colour at `position` on a ground: the map is turned round where the ground is light, so that
    /// the least values are always those nearest to it, and begins where it can be told from the ground.
    pub fn color_on(self, ground: Rgb, position: f64) -> Rgb {
        let is_light = u32::from(ground.0) + u32::from(ground.1) + u32::from(ground.2) > 384;
        let from = if is_light { 0.05 } else { 0.2 };
        let position = from + (1.0 - from) * position.clamp(0.0, 1.0);
        self.color(if is_light { 1.0 - position } else { position })
    }

    /// The colour at `position` in `0.0..=1.0`; outside it the nearer end.
    pub fn color(self, position: f64) -> Rgb {
        let anchors: &[u32] = match self {
            ColorMap::Viridis => &VIRIDIS,
            ColorMap::Cividis => &CIVIDIS,
            ColorMap::Magma => &MAGMA,
        };
        let at = position.clamp(0.0, 1.0) * (anchors.len() - 1) as f64;
        let below = (at.floor() as usize).min(anchors.len() - 2);
        let share = at - below as f64;
        let (a, b) = (rgb(anchors[below]), rgb(anchors[below + 1]));
        let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * share).round() as u8;
        Rgb(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
    }
}

/// How values are spread over a colour map or an axis of counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColorScale {
    /// In proportion.
    Linear,
    /// By the square root: faint cells show.
    Sqrt,
    /// By the logarithm; values of zero and below lie at the lower end.
    #[default]
    Log,
    /// By the logarithm on either side of zero, in proportion near it.
    Symlog,
    /// By rank: as many cells have one colour as another.
    Equalised,
}

impl ColorScale {
    /// All scales, with the names a person picks them by.
    pub const ALL: [(&'static str, ColorScale); 5] = [
        ("logarithmic", ColorScale::Log),
        ("square root", ColorScale::Sqrt),
        ("linear", ColorScale::Linear),
        ("symmetric log", ColorScale::Symlog),
        ("equalised", ColorScale::Equalised),
    ];

    /// Where `value` lies between `lo` and `hi`, 0 to 1 and beyond; NaN stays NaN. What is equalised lies by
    /// its rank: [`Spread::position`].
    pub fn position(self, value: f64, lo: f64, hi: f64) -> f64 {
        let bend = |x: f64| match self {
            ColorScale::Linear | ColorScale::Equalised => x,
            ColorScale::Sqrt => x.abs().sqrt().copysign(x),
            ColorScale::Log => x.max(f64::MIN_POSITIVE).ln(),
            ColorScale::Symlog => (x.abs() / near_zero(lo, hi)).ln_1p().copysign(x),
        };
        if value.is_nan() {
            return value;
        }
        let (value, lo, hi) = (bend(value), bend(lo), bend(hi));
        if hi > lo { (value - lo) / (hi - lo) } else { 0.5 }
    }

    /// The word said beside a colour bar; none for the plain scale.
    pub fn word(self) -> Option<&'static str> {
        match self {
            ColorScale::Linear => None,
            ColorScale::Sqrt => Some("square root"),
            ColorScale::Log => Some("log"),
            ColorScale::Symlog => Some("symmetric log"),
            ColorScale::Equalised => Some("equalised"),
        }
    }
}

/// Below what size values are spread in proportion on a symmetric logarithmic scale.
fn near_zero(lo: f64, hi: f64) -> f64 {
    lo.abs().max(hi.abs()).max(f64::MIN_POSITIVE) * 1e-3
}

/// How the values of one picture are spread over its colours.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    scale: ColorScale,
    lo: f64,
    hi: f64,
    /// The values, ascending, where their rank counts.
    ranks: Vec<f64>,
}

impl Spread {
    /// From `lo` to `hi`; `values` are those of the cells. A logarithm needs positive ends: without them the
    /// scale is a straight one.
    pub fn new(scale: ColorScale, lo: f64, hi: f64, values: impl Iterator<Item = f64>) -> Spread {
        let scale = if scale == ColorScale::Log && lo <= 0.0 { ColorScale::Linear } else { scale };
        let mut ranks: Vec<f64> = match scale {
            ColorScale::Equalised => values.filter(|value| *value >= lo && *value <= hi).collect(),
            _ => Vec::new(),
        };
        ranks.sort_by(f64::total_cmp);
        Spread { scale, lo, hi, ranks }
    }

    /// Where a value lies, in `0.0..=1.0`; NaN stays NaN.
    pub fn position(&self, value: f64) -> f64 {
        if value.is_nan() {
            return value;
        }
        if self.hi <= self.lo {
            return 1.0;
        }
        if self.ranks.len() > 1 {
            let below = self.ranks.partition_point(|rank| *rank < value);
            let through = self.ranks.partition_point(|rank| *rank <= value);
            let middle = (below + through.saturating_sub(1).max(below)) as f64 / 2.0;
            // A value above all lies where the greatest does.
            return (middle / (self.ranks.len() - 1) as f64).min(1.0);
        }
        self.scale.position(value, self.lo, self.hi).clamp(0.0, 1.0)
    }

    /// Values to be named beside a colour bar, ascending, about `target` of them, and their names.
    pub fn marks(&self, target: usize) -> Vec<(f64, String)> {
        let places = match self.scale {
            ColorScale::Log => {
                let places = ticks::log_ticks(self.lo, self.hi, target);
                let labels = ticks::log_labels(&places);
                return places.into_iter().zip(labels).collect();
            }
            ColorScale::Equalised if self.ranks.len() > 1 => {
                let last = self.ranks.len() - 1;
                let mut places: Vec<f64> = (0..=4).map(|i| self.ranks[last * i / 4]).collect();
                places.dedup();
                return places.into_iter().map(|place| (place, si(place))).collect();
            }
            ColorScale::Symlog => {
                let least = near_zero(self.lo, self.hi);
                let side = |end: f64| match end > least {
                    true => ticks::log_ticks(least, end, target.div_ceil(2)),
                    false => Vec::new(),
                };
                let below = side(-self.lo).into_iter().rev().map(|place| -place);
                let all = below.chain([0.0]).chain(side(self.hi));
                all.filter(|place| *place >= self.lo && *place <= self.hi).collect()
            }
            ColorScale::Linear | ColorScale::Sqrt | ColorScale::Equalised => {
                ticks::ticks(self.lo, self.hi, target)
            }
        };
        match self.scale {
            ColorScale::Symlog => places.into_iter().map(|place| (place, si(place))).collect(),
            _ => {
                let labels = ticks::labels(&places);
                places.into_iter().zip(labels).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_keep_order_on_every_scale() {
        let values = [1.0, 2.0, 2.0, 3.0, 10.0, 100.0, 1000.0];
        for (_, scale) in ColorScale::ALL {
            let spread = Spread::new(scale, 1.0, 1000.0, values.into_iter());
            let positions: Vec<f64> = values.iter().map(|value| spread.position(*value)).collect();
            assert!(positions.is_sorted(), "{scale:?}: {positions:?}");
            assert!((0.0..0.15).contains(&positions[0]) && positions[6] == 1.0, "{scale:?}: {positions:?}");
            assert!(spread.position(f64::NAN).is_nan());
            assert!(spread.marks(5).is_sorted_by(|a, b| a.0 < b.0), "{scale:?}");
            assert_eq!(Spread::new(scale, 7.0, 7.0, [7.0].into_iter()).position(7.0), 1.0);
        }
        let straight = Spread::new(ColorScale::Log, -5.0, 5.0, std::iter::empty());
        assert_eq!(straight.position(0.0), 0.5);
    }

    #[test]
    fn a_symmetric_scale_has_zero_in_its_middle_and_an_equalised_one_the_median() {
        let symmetric = Spread::new(ColorScale::Symlog, -100.0, 100.0, std::iter::empty());
        assert_eq!(symmetric.position(0.0), 0.5);
        assert_eq!(symmetric.position(-1.0) + symmetric.position(1.0), 1.0);
        assert!(
            symmetric.position(1.0) > 0.65,
            "small values are told apart: a straight scale has it at 0.505"
        );
        let equalised = Spread::new(ColorScale::Equalised, 0.0, 1e6, [0.0, 1.0, 5.0, 1e3, 1e6].into_iter());
        assert_eq!(equalised.position(5.0), 0.5);
        assert_eq!(equalised.position(1e9), 1.0);
    }
}
