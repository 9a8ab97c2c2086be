//! Colours of pictures: the light and the dark palette, perceptually uniform colour maps.

use serde::{Deserialize, Serialize};

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
}

impl ColorScale {
    /// All scales, with the names a person picks them by.
    pub const ALL: [(&'static str, ColorScale); 3] =
        [("logarithmic", ColorScale::Log), ("square root", ColorScale::Sqrt), ("linear", ColorScale::Linear)];

    /// Where `value` lies between `lo` and `hi`, 0 to 1 and beyond; NaN stays NaN.
    pub fn position(self, value: f64, lo: f64, hi: f64) -> f64 {
        let bend = |x: f64| match self {
            ColorScale::Linear => x,
            ColorScale::Sqrt => x.abs().sqrt().copysign(x),
            ColorScale::Log => x.max(f64::MIN_POSITIVE).ln(),
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
        }
    }
}
