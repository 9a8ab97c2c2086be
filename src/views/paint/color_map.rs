//! The colours of a heatmap, the same in the window as in a picture written to a file.

use egui::Color32;

use crate::export::Rgb;
use crate::session::ViewSpec;
use crate::views::Theme;

/// The colour of a view at `position` in `0..=1`; the least values are nearest to the canvas, unless its
/// colours are reversed.
pub fn color(view: &ViewSpec, theme: &Theme, position: f64) -> Color32 {
    let position = if view.reversed { 1.0 - position } else { position };
    let [r, g, b, _] = theme.canvas.to_array();
    let Rgb(r, g, b) = view.color_map.color_on(Rgb(r, g, b), position);
    Color32::from_rgba_unmultiplied(r, g, b, 255)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{ViewId, ViewKind};

    #[test]
    fn the_least_values_are_nearest_to_the_canvas() {
        let view = ViewSpec::new(ViewId(1), ViewKind::Heatmap, None, None);
        let distance = |theme: &Theme, position| {
            let [r, g, b, _] = color(&view, theme, position).to_array();
            let [x, y, z, _] = theme.canvas.to_array();
            r.abs_diff(x) as u32 + g.abs_diff(y) as u32 + b.abs_diff(z) as u32
        };
        for theme in [Theme::of(false), Theme::of(true)] {
            assert!(distance(theme, 0.0) < distance(theme, 1.0));
        }
    }
}
