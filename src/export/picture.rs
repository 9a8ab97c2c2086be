//! Charts and dashboards as PNG and SVG.

use std::sync::LazyLock;

use plotters_backend::DrawingBackend;
use regex::{Captures, Regex};

use super::ExportError;
use super::canvas::{Canvas, Rect};
use super::chart::{AxisKind, AxisLabel, Body, Chart, Dashboard};
use super::colors::Palette;
use super::{dashboard, plot};

/// Largest side of a picture, in pixels.
const LARGEST_SIDE: f32 = 16_384.0;
/// Smallest side in which anything can be read, in logical pixels.
const SMALLEST_SIDE: u32 = 120;

/// Size and colours of a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PictureOptions {
    /// Width in logical pixels.
    pub width: u32,
    /// Height in logical pixels.
    pub height: u32,
    /// Pixels per logical pixel: 2 for a fine screen or print.
    pub scale: f32,
    /// The colours.
    pub palette: Palette,
}

impl Default for PictureOptions {
    fn default() -> PictureOptions {
        PictureOptions { width: 1280, height: 800, scale: 1.0, palette: Palette::LIGHT }
    }
}

/// What is drawn.
#[derive(Debug, Clone, Copy)]
pub enum Picture<'a> {
    /// One chart.
    Chart(&'a Chart),
    /// Everything the window shows.
    Dashboard(&'a Dashboard),
}

/// Pixels, row by row from the upper left, three bytes each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raster {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Red, green, blue.
    pub pixels: Vec<u8>,
}

/// Draws a picture into pixels.
///
/// # Errors
/// [`ExportError::Picture`]: a size out of bounds, or edges and values that do not fit each other.
pub fn raster(picture: Picture<'_>, options: PictureOptions) -> Result<Raster, ExportError> {
    let (width, height) = check(picture, options)?;
    let mut pixels = vec![0; width as usize * height as usize * 3];
    let mut backend = plotters::prelude::BitMapBackend::with_buffer(&mut pixels, (width, height));
    paint(&mut backend, picture, options)?;
    backend.present().map_err(|error| ExportError::Picture(error.to_string()))?;
    drop(backend);
    Ok(Raster { width, height, pixels })
}

/// Draws a picture as a PNG file; `notes` become its text entries.
///
/// # Errors
/// As [`raster`].
pub fn png(
    picture: Picture<'_>,
    options: PictureOptions,
    notes: &[(String, String)],
) -> Result<Vec<u8>, ExportError> {
    let raster = raster(picture, options)?;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, raster.width, raster.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let failed = |error: png::EncodingError| ExportError::Picture(error.to_string());
    for (key, value) in notes {
        encoder.add_itxt_chunk(key.clone(), value.clone()).map_err(failed)?;
    }
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(&raster.pixels).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(bytes)
}

/// Draws a picture as an SVG file with `notes` in its description. Heatmaps are one bitmap each; text
/// is text.
///
/// # Errors
/// As [`raster`].
pub fn svg(
    picture: Picture<'_>,
    options: PictureOptions,
    notes: &[(String, String)],
) -> Result<String, ExportError> {
    let size = check(picture, options)?;
    let mut text = String::new();
    let mut backend = plotters::prelude::SVGBackend::with_string(&mut text, size);
    paint(&mut backend, picture, options)?;
    backend.present().map_err(|error| ExportError::Picture(error.to_string()))?;
    drop(backend);
    let mut text = made_plain(&text);
    if let Some(at) = text.find('>').filter(|_| !notes.is_empty()) {
        let lines: Vec<String> = notes.iter().map(|(key, value)| format!("{key}: {value}")).collect();
        text.insert_str(at + 1, &format!("\n<desc>{}</desc>", escape(&lines.join("\n"))));
    }
    Ok(text)
}

/// The SVG without what some viewers do not know: a media type of the backend's own, baselines shifted
/// in em.
fn made_plain(svg: &str) -> String {
    static SHIFTED: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"y="(-?\d+)" dy="([\d.]+)em"([^>]*?) font-size="([\d.]+)""#).ok());
    let svg = svg.replace("data:png;base64,", "data:image/png;base64,");
    let Some(shifted) = SHIFTED.as_ref() else { return svg };
    let placed = shifted.replace_all(&svg, |found: &Captures<'_>| {
        let number = |i: usize| found[i].parse::<f64>().unwrap_or(0.0);
        let (y, size) = (number(1) + number(2) * number(4), number(4));
        format!(r#"y="{y:.1}"{} font-size="{size:.1}""#, &found[3])
    });
    placed.into_owned()
}

/// Text as it may stand in XML, which has no control characters.
fn escape(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control() || *c == '\n').collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn paint<B: DrawingBackend>(
    backend: &mut B,
    picture: Picture<'_>,
    options: PictureOptions,
) -> Result<(), ExportError> {
    let mut canvas = Canvas::new(backend, options.scale, options.palette);
    let whole = Rect::new(0.0, 0.0, options.width as f32, options.height as f32);
    canvas.fill(whole, options.palette.background);
    match picture {
        Picture::Chart(chart) => plot::chart(&mut canvas, whole, chart),
        Picture::Dashboard(dashboard) => dashboard::draw(&mut canvas, whole, dashboard),
    }
    canvas.finish().map_err(ExportError::Picture)
}

/// Checks everything a drawing relies on; returns the size in pixels.
fn check(picture: Picture<'_>, options: PictureOptions) -> Result<(u32, u32), ExportError> {
    let pixels = |side: u32| (side as f32 * options.scale).round();
    let (width, height) = (pixels(options.width), pixels(options.height));
    let too_large = !(width <= LARGEST_SIDE && height <= LARGEST_SIDE);
    if too_large
        || options.width < SMALLEST_SIDE
        || options.height < SMALLEST_SIDE
        || width < 1.0
        || height < 1.0
    {
        return Err(ExportError::Picture(format!(
            "a size of {width} by {height} pixels is out of bounds ({SMALLEST_SIDE} to {LARGEST_SIDE})"
        )));
    }
    match picture {
        Picture::Chart(chart) => check_chart(chart)?,
        Picture::Dashboard(dashboard) => {
            for (_, chart) in dashboard.columns.iter().flat_map(|column| &column.charts) {
                check_chart(chart)?;
            }
        }
    }
    Ok((width as u32, height as u32))
}

fn check_chart(chart: &Chart) -> Result<(), ExportError> {
    let wrong = |what: &str| Err(ExportError::Picture(format!("chart `{}`: {what}", chart.title)));
    let good = |axis: &AxisLabel, edges: &[f64]| {
        edges.len() >= 2
            && edges.iter().all(|edge| edge.is_finite())
            && edges.windows(2).all(|pair| pair[0] < pair[1])
            && (axis.kind != AxisKind::Log || edges[0] > 0.0)
    };
    match &chart.body {
        Body::Histogram(h) => {
            if !good(&h.x, &h.edges) {
                return wrong("its edges do not ascend");
            }
            let bins = h.edges.len() - 1;
            if h.selected.len() != bins || h.all.as_ref().is_some_and(|all| all.len() != bins) {
                return wrong("it has not one value per bin");
            }
        }
        Body::Heatmap(h) => {
            if !good(&h.x, &h.x_edges) || !good(&h.y, &h.y_edges) {
                return wrong("its edges do not ascend");
            }
            if h.values.len() != (h.x_edges.len() - 1) * (h.y_edges.len() - 1) {
                return wrong("it has not one value per cell");
            }
        }
        Body::Bars(b) => {
            let count = b.labels.len();
            if b.selected.len() != count || b.all.as_ref().is_some_and(|all| all.len() != count) {
                return wrong("it has not one value per category");
            }
        }
        Body::Rows(_) => {}
    }
    Ok(())
}
