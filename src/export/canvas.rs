//! Rectangles, text and bitmaps on either backend of plotters.
//!
//! Everything but a lasso is drawn from filled rectangles on whole pixels, which stay crisp in a bitmap and in
//! SVG alike. Text is set here, not by plotters, whose glyphs sit on whole pixels only.

use std::convert::Infallible;
use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, GlyphId, PxScale, ScaleFont, point};
use plotters_backend::text_anchor::{HPos, Pos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, FontFamily, FontStyle,
    FontTransform,
};

use super::colors::{Palette, Rgb};
use crate::data::shorten;

/// Fonts in the order they are asked for a glyph.
static FONTS: LazyLock<Vec<FontRef<'static>>> = LazyLock::new(|| {
    [epaint_default_fonts::UBUNTU_LIGHT, epaint_default_fonts::HACK_REGULAR]
        .into_iter()
        .filter_map(|bytes| FontRef::try_from_slice(bytes).ok())
        .collect()
});
const FAMILY: &str = "Ubuntu, Inter, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif";
/// Where the baseline lies below the top of a text, in em: what the SVG backend writes.
const BASELINE: f32 = 0.76;
/// What the SVG backend divides a font size by.
const SVG_SIZE: f64 = 1.24;
/// How far the second stroke of bold text lies from the first, in em.
const BOLD: f32 = 0.035;
/// The face is light: coverage is bent up a little so that small text keeps its contrast.
const CONTRAST: f32 = 0.72;

/// A rectangle in logical pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rect {
    pub(super) left: f32,
    pub(super) top: f32,
    pub(super) right: f32,
    pub(super) bottom: f32,
}

impl Rect {
    pub(super) fn new(left: f32, top: f32, right: f32, bottom: f32) -> Rect {
        Rect { left, top, right: right.max(left), bottom: bottom.max(top) }
    }

    pub(super) fn width(self) -> f32 {
        self.right - self.left
    }

    pub(super) fn height(self) -> f32 {
        self.bottom - self.top
    }

    pub(super) fn shrink(self, by: f32) -> Rect {
        Rect::new(self.left + by, self.top + by, self.right - by, self.bottom - by)
    }
}

/// Which end of a text lies at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Center,
    Right,
}

/// Size, weight and colour of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ink {
    pub(super) size: f32,
    pub(super) bold: bool,
    pub(super) color: Rgb,
}

/// What a canvas needs of a backend.
trait Surface {
    fn rect(&mut self, from: (i32, i32), to: (i32, i32), color: BackendColor) -> Result<(), String>;
    fn text(&mut self, text: &str, style: &TextStyle, at: (i32, i32)) -> Result<(), String>;
    fn bitmap(&mut self, at: (i32, i32), size: (u32, u32), pixels: &[u8]) -> Result<(), String>;
    fn path(&mut self, points: &[(i32, i32)], pen: Pen) -> Result<(), String>;
}

/// A line of some width in pixels.
#[derive(Clone, Copy)]
struct Pen {
    color: BackendColor,
    width: u32,
}

impl BackendStyle for Pen {
    fn color(&self) -> BackendColor {
        self.color
    }

    fn stroke_width(&self) -> u32 {
        self.width
    }
}

impl<B: DrawingBackend> Surface for B {
    fn rect(&mut self, from: (i32, i32), to: (i32, i32), color: BackendColor) -> Result<(), String> {
        self.draw_rect(from, to, &color, true).map_err(|error| error.to_string())
    }

    fn text(&mut self, text: &str, style: &TextStyle, at: (i32, i32)) -> Result<(), String> {
        self.draw_text(text, style, at).map_err(|error| error.to_string())
    }

    fn bitmap(&mut self, at: (i32, i32), size: (u32, u32), pixels: &[u8]) -> Result<(), String> {
        self.blit_bitmap(at, size, pixels).map_err(|error| error.to_string())
    }

    fn path(&mut self, points: &[(i32, i32)], pen: Pen) -> Result<(), String> {
        self.draw_path(points.iter().copied(), &pen).map_err(|error| error.to_string())
    }
}

/// A surface to draw on, in logical pixels; the first error is kept and ends the drawing.
pub(super) struct Canvas<'a> {
    surface: &'a mut dyn Surface,
    scale: f32,
    pub(super) palette: Palette,
    error: Option<String>,
}

impl<'a> Canvas<'a> {
    pub(super) fn new<B: DrawingBackend>(backend: &'a mut B, scale: f32, palette: Palette) -> Canvas<'a> {
        Canvas { surface: backend, scale, palette, error: None }
    }

    pub(super) fn finish(self) -> Result<(), String> {
        self.error.map_or(Ok(()), Err)
    }

    fn keep(&mut self, result: Result<(), String>) {
        if let Err(error) = result {
            self.error.get_or_insert(error);
        }
    }

    /// The nearest whole pixel.
    fn px(&self, at: f32) -> i32 {
        (at * self.scale).round() as i32
    }

    /// The place of the nearest whole pixel.
    pub(super) fn snap(&self, at: f32) -> f32 {
        self.px(at) as f32 / self.scale
    }

    pub(super) fn fill(&mut self, rect: Rect, color: Rgb) {
        let from = (self.px(rect.left), self.px(rect.top));
        let to = (self.px(rect.right), self.px(rect.bottom));
        if self.error.is_none() && to.0 > from.0 && to.1 > from.1 {
            let result = self.surface.rect(from, to, backend_color(color, 1.0));
            self.keep(result);
        }
    }

    /// The colour of a tint on the background: opaque, because not every SVG viewer mixes colours.
    pub(super) fn tint(&self, color: Rgb, share: f64) -> Rgb {
        let mix =
            |over: u8, under: u8| (f64::from(over) * share + f64::from(under) * (1.0 - share)).round() as u8;
        let under = self.palette.background;
        Rgb(mix(color.0, under.0), mix(color.1, under.1), mix(color.2, under.2))
    }

    /// A hairline of one logical pixel whose upper edge is at `y`.
    pub(super) fn horizontal(&mut self, left: f32, right: f32, y: f32, color: Rgb) {
        let y = self.snap(y);
        self.fill(Rect::new(left, y, right, y + 1.0), color);
    }

    /// A hairline of one logical pixel whose left edge is at `x`.
    pub(super) fn vertical(&mut self, x: f32, top: f32, bottom: f32, color: Rgb) {
        let x = self.snap(x);
        self.fill(Rect::new(x, top, x + 1.0, bottom), color);
    }

    /// The outline of a rectangle, inside it.
    pub(super) fn frame(&mut self, rect: Rect, width: f32, color: Rgb) {
        let Rect { left, top, right, bottom } = rect;
        self.fill(Rect::new(left, top, right, top + width), color);
        self.fill(Rect::new(left, bottom - width, right, bottom), color);
        self.fill(Rect::new(left, top + width, left + width, bottom - width), color);
        self.fill(Rect::new(right - width, top + width, right, bottom - width), color);
    }

    /// A closed line through `corners`.
    pub(super) fn outline(&mut self, corners: &[(f32, f32)], width: f32, color: Rgb) {
        let mut points: Vec<(i32, i32)> = corners.iter().map(|&(x, y)| (self.px(x), self.px(y))).collect();
        points.extend(points.first().copied());
        if self.error.is_some() || points.len() < 3 {
            return;
        }
        let width = (width * self.scale).round().max(1.0) as u32;
        let result = self.surface.path(&points, Pen { color: backend_color(color, 1.0), width });
        self.keep(result);
    }

    /// One line of text with its baseline at `baseline`.
    pub(super) fn text(&mut self, text: &str, x: f32, baseline: f32, align: Align, ink: Ink) {
        if self.error.is_some() || text.is_empty() {
            return;
        }
        let text = &shorten(text);
        let em = ink.size * self.scale;
        let style = TextStyle { em, bold: ink.bold, color: ink.color, align };
        let top = (baseline * self.scale - BASELINE * em).round() as i32;
        let result = self.surface.text(text, &style, (self.px(x), top));
        self.keep(result);
    }

    /// Text cut with an ellipsis to `width`; returns the width it took.
    pub(super) fn text_within(
        &mut self,
        text: &str,
        x: f32,
        baseline: f32,
        width: f32,
        align: Align,
        ink: Ink,
    ) -> f32 {
        let text = cut(text, width, ink);
        self.text(&text, x, baseline, align, ink);
        text_width(&text, ink)
    }

    /// A picture that fills `rect`; `color` is asked for each of its pixels, places from 0 to 1 from
    /// the upper left.
    pub(super) fn picture(&mut self, rect: Rect, mut color: impl FnMut(f64, f64) -> Rgb) {
        let (left, top) = (self.px(rect.left), self.px(rect.top));
        let (width, height) = (self.px(rect.right) - left, self.px(rect.bottom) - top);
        let (Ok(width), Ok(height)) = (u32::try_from(width), u32::try_from(height)) else { return };
        if self.error.is_some() || width == 0 || height == 0 {
            return;
        }
        let mut pixels = Vec::with_capacity(width as usize * height as usize * 3);
        for y in 0..height {
            for x in 0..width {
                let Rgb(r, g, b) =
                    color((f64::from(x) + 0.5) / f64::from(width), (f64::from(y) + 0.5) / f64::from(height));
                pixels.extend([r, g, b]);
            }
        }
        let result = self.surface.bitmap((left, top), (width, height), &pixels);
        self.keep(result);
    }
}

fn backend_color(Rgb(r, g, b): Rgb, alpha: f64) -> BackendColor {
    BackendColor { alpha, rgb: (r, g, b) }
}

/// Width of a text in logical pixels.
pub(super) fn text_width(text: &str, ink: Ink) -> f32 {
    let mut width = 0.0;
    set(text, ink.size, |_, _, advance_end| width = advance_end);
    width + if ink.bold { BOLD * ink.size } else { 0.0 }
}

/// Text cut with an ellipsis to a width in logical pixels.
pub(super) fn cut(text: &str, width: f32, ink: Ink) -> String {
    let text = shorten(text);
    if text_width(&text, ink) <= width {
        return text;
    }
    let room = width - text_width("…", ink);
    let mut kept = String::new();
    for c in text.chars() {
        kept.push(c);
        if text_width(&kept, ink) > room {
            kept.pop();
            break;
        }
    }
    if kept.is_empty() && room < 0.0 {
        return String::new();
    }
    format!("{}…", kept.trim_end())
}

/// Sets a line of text: for each glyph its font, id with place, and where the next one begins.
fn set(text: &str, em: f32, mut glyph: impl FnMut(&FontRef<'static>, (GlyphId, PxScale, f32), f32)) {
    let mut x = 0.0;
    let mut previous: Option<(usize, GlyphId)> = None;
    for c in text.chars() {
        let found = FONTS.iter().position(|font| font.glyph_id(c) != GlyphId(0)).unwrap_or(0);
        let Some(font) = FONTS.get(found) else { return };
        let id = font.glyph_id(c);
        let per_em = font.units_per_em().unwrap_or(1000.0);
        let scale = PxScale::from(em * font.height_unscaled() / per_em);
        let scaled = font.as_scaled(scale);
        if let Some((_, before)) = previous.filter(|(same, _)| *same == found) {
            x += scaled.kern(before, id);
        }
        let start = x;
        // Thin spaces are missing from the face and far too wide in the next one.
        x += match c {
            '\u{2009}' | '\u{202f}' => em * 0.16,
            _ => scaled.h_advance(id),
        };
        previous = Some((found, id));
        glyph(font, (id, scale, start), x);
    }
}

/// A text as the backends want it described; sizes in device pixels.
struct TextStyle {
    em: f32,
    bold: bool,
    color: Rgb,
    align: Align,
}

impl BackendTextStyle for TextStyle {
    type FontError = Infallible;

    fn color(&self) -> BackendColor {
        backend_color(self.color, 1.0)
    }

    fn size(&self) -> f64 {
        f64::from(self.em) * SVG_SIZE
    }

    fn transform(&self) -> FontTransform {
        FontTransform::None
    }

    fn style(&self) -> FontStyle {
        if self.bold { FontStyle::Bold } else { FontStyle::Normal }
    }

    fn anchor(&self) -> Pos {
        let h_pos = match self.align {
            Align::Left => HPos::Left,
            Align::Center => HPos::Center,
            Align::Right => HPos::Right,
        };
        Pos::new(h_pos, VPos::Top)
    }

    fn family(&self) -> FontFamily<'_> {
        FontFamily::Name(FAMILY)
    }

    fn layout_box(&self, text: &str) -> Result<((i32, i32), (i32, i32)), Infallible> {
        let ink = Ink { size: self.em, bold: self.bold, color: self.color };
        Ok(((0, 0), (text_width(text, ink).round() as i32, self.em.round() as i32)))
    }

    fn draw<E, DrawFunc: FnMut(i32, i32, BackendColor) -> Result<(), E>>(
        &self,
        text: &str,
        (left, top): BackendCoord,
        mut draw: DrawFunc,
    ) -> Result<Result<(), E>, Infallible> {
        let baseline = (BASELINE * self.em).round();
        let mut result = Ok(());
        let strokes: &[f32] = if self.bold { &[0.0, BOLD] } else { &[0.0] };
        set(text, self.em, |font, (id, scale, x), _| {
            for stroke in strokes {
                let place = point(x + stroke * self.em, baseline);
                let Some(outline) = font.outline_glyph(id.with_scale_and_position(scale, place)) else {
                    continue;
                };
                let bounds = outline.px_bounds();
                let (dx, dy) = (bounds.min.x as i32 + left, bounds.min.y as i32 + top);
                outline.draw(|px, py, coverage| {
                    if coverage > 0.0 && result.is_ok() {
                        let alpha = f64::from(coverage.min(1.0).powf(CONTRAST));
                        result = draw(px as i32 + dx, py as i32 + dy, backend_color(self.color, alpha));
                    }
                });
            }
        });
        Ok(result)
    }
}
