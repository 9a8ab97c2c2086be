//! Series of colours in which equal steps look equal.
//!
//! A map is a path through Oklab (Björn Ottosson, 2020) from dark to light with a turning hue, cut
//! into 256 pieces of equal length, so that equal differences of value are equal differences to the eye.

use std::sync::OnceLock;

use egui::Color32;

use crate::session::{ColorMap, ColorScale};

/// Colours of a map.
const STEPS: usize = 256;

/// A path: lightness and hue (degrees) at its ends, and the most chroma on the way.
struct Path {
    lightness: [f64; 2],
    hue: [f64; 2],
    chroma: fn(f64) -> f64,
}

const PATHS: [(ColorMap, Path); 3] = [
    (ColorMap::Viridis, Path { lightness: [0.28, 0.92], hue: [305.0, 104.0], chroma: |_| 0.17 }),
    (
        ColorMap::Magma,
        Path {
            lightness: [0.22, 0.94],
            hue: [285.0, 440.0],
            chroma: |t| 0.06 + 0.14 * (t * 3.0).min(1.0) * (3.2 - 3.0 * t).min(1.0),
        },
    ),
    // Hue turns only between blue and yellow, which every kind of colour vision tells apart.
    (
        ColorMap::Cividis,
        Path { lightness: [0.26, 0.92], hue: [255.0, 100.0], chroma: |t| 0.02 + 0.24 * (t - 0.5).abs() },
    ),
];

/// The 256 colours of a map, from the least to the most.
pub fn colors(map: ColorMap) -> &'static [Color32; STEPS] {
    static TABLES: OnceLock<Vec<(ColorMap, [Color32; STEPS])>> = OnceLock::new();
    let tables = TABLES.get_or_init(|| PATHS.iter().map(|(map, path)| (*map, path.table())).collect());
    let found = tables.iter().find(|(known, _)| *known == map);
    &found.unwrap_or(&tables[0]).1
}

/// The map on a ground: pale values must be nearest to the ground, so a light theme turns it round.
pub fn color(map: ColorMap, dark: bool, position: f64) -> Color32 {
    let position = if dark { position } else { 1.0 - position };
    colors(map)[(position.clamp(0.0, 1.0) * (STEPS - 1) as f64).round() as usize]
}

/// Where `value` lies between the least and the greatest, in `0..=1`, under a colour scale.
pub fn position(value: f64, least: f64, greatest: f64, scale: ColorScale) -> f64 {
    let bend = |v: f64| match scale {
        ColorScale::Linear => v,
        ColorScale::Sqrt => v.max(0.0).sqrt(),
        ColorScale::Log => v.max(f64::MIN_POSITIVE).ln(),
    };
    // A logarithm needs positive ends; without them the scale is a straight one.
    if scale == ColorScale::Log && least <= 0.0 {
        return position(value, least, greatest, ColorScale::Linear);
    }
    if greatest <= least {
        return 1.0;
    }
    ((bend(value) - bend(least)) / (bend(greatest) - bend(least))).clamp(0.0, 1.0)
}

impl Path {
    fn at(&self, t: f64) -> [f64; 3] {
        let mix = |ends: [f64; 2]| ends[0] + (ends[1] - ends[0]) * t;
        let (lightness, hue) = (mix(self.lightness), mix(self.hue).to_radians());
        // The most chroma that the screen can show here, up to what the path wants.
        let (mut low, mut high) = (0.0, (self.chroma)(t));
        for _ in 0..24 {
            let middle = (low + high) / 2.0;
            let lab = [lightness, middle * hue.cos(), middle * hue.sin()];
            if oklab_to_linear(lab).iter().all(|c| (-1e-4..=1.0001).contains(c)) {
                low = middle
            } else {
                high = middle
            }
        }
        [lightness, low * hue.cos(), low * hue.sin()]
    }

    fn table(&self) -> [Color32; STEPS] {
        const FINE: usize = 2048;
        let points: Vec<[f64; 3]> = (0..=FINE).map(|i| self.at(i as f64 / FINE as f64)).collect();
        let mut lengths = vec![0.0];
        for pair in points.windows(2) {
            let step = (0..3).map(|i| (pair[1][i] - pair[0][i]).powi(2)).sum::<f64>().sqrt();
            lengths.push(lengths[lengths.len() - 1] + step);
        }
        let whole = lengths[FINE];
        std::array::from_fn(|i| {
            let wanted = whole * i as f64 / (STEPS - 1) as f64;
            let at = lengths.partition_point(|&length| length < wanted).min(FINE);
            let [r, g, b] = oklab_to_linear(points[at]).map(encode);
            Color32::from_rgba_unmultiplied(r, g, b, 255)
        })
    }
}

/// Ottosson's matrices: Oklab to linear sRGB.
fn oklab_to_linear([l, a, b]: [f64; 3]) -> [f64; 3] {
    let long = (l + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let medium = (l - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let short = (l - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
    [
        4.076_741_662_1 * long - 3.307_711_591_3 * medium + 0.230_969_929_2 * short,
        -1.268_438_004_6 * long + 2.609_757_401_1 * medium - 0.341_319_396_5 * short,
        -0.004_196_086_3 * long - 0.703_418_614_7 * medium + 1.707_614_701_0 * short,
    ]
}

/// The sRGB transfer function, to eight bits.
fn encode(linear: f64) -> u8 {
    let linear = linear.clamp(0.0, 1.0);
    let encoded = if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 };
    (encoded * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(color: Color32) -> f32 {
        let [r, g, b, _] = egui::Rgba::from(color).to_array();
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    #[test]
    fn every_map_grows_lighter_all_the_way() {
        for (map, _) in &PATHS {
            let colors = colors(*map);
            for i in (8..STEPS).step_by(8) {
                assert!(luminance(colors[i]) > luminance(colors[i - 8]), "{map:?} at {i}");
            }
        }
    }

    #[test]
    fn positions_keep_order_on_every_scale() {
        for scale in [ColorScale::Linear, ColorScale::Log, ColorScale::Sqrt] {
            let of = |v| position(v, 1.0, 1000.0, scale);
            assert_eq!((of(1.0), of(1000.0)), (0.0, 1.0));
            assert!(of(10.0) < of(100.0));
            assert_eq!(position(7.0, 7.0, 7.0, scale), 1.0);
        }
        assert!(position(0.0, -5.0, 5.0, ColorScale::Log) > 0.4);
    }
}
