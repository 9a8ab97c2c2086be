//! Pictures: what they show, at which pixel. Each test leaves its picture in `target/tmp`.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use outcrop::export::{
    AxisKind, AxisLabel, Bars, Body, Chart, ColorMap, ColorScale, Dashboard, DashboardColumn, Heatmap,
    Histogram, OffAxis, Palette, Picture, PictureOptions, Raster, Rgb, RowsTable, png, raster, save_picture,
    svg,
};

fn axis(label: &str, unit: Option<&str>, kind: AxisKind) -> AxisLabel {
    AxisLabel { label: label.to_owned(), unit: unit.map(str::to_owned), kind }
}

fn bell(x: f64, center: f64, width: f64) -> f64 {
    (-((x - center) / width).powi(2) / 2.0).exp()
}

fn linear_edges(lo: f64, hi: f64, count: usize) -> Vec<f64> {
    (0..=count).map(|i| lo + (hi - lo) * i as f64 / count as f64).collect()
}

fn distances() -> Histogram {
    let edges = linear_edges(0.0, 20.0, 64);
    let all: Vec<f64> = edges[..64]
        .iter()
        .map(|x| (3.2e7 * bell(*x, 2.0, 1.6) + 4e6 * bell(*x, 10.0, 3.0)).round())
        .collect();
    let selected =
        all.iter().enumerate().map(|(i, v)| if (10..32).contains(&i) { (v * 0.4).round() } else { 0.0 });
    Histogram {
        selected: selected.collect(),
        all: Some(all),
        edges,
        x: axis("trip_distance", Some("mi"), AxisKind::Number),
        y: "rows".to_owned(),
        y_max: None,
        off_axis: OffAxis { missing: 1_234_567, below: 3_400_000, above: 9_120_000 },
        brushes: vec![[3.125, 10.0]],
    }
}

fn pickups() -> Histogram {
    let day = 86_400.0;
    let start = 1_420_070_400.0;
    let edges: Vec<f64> = (0..=52).map(|week| start + 7.0 * day * f64::from(week)).collect();
    let selected = (0..52).map(|w| 1e6 + 4e5 * (f64::from(w) / 6.0).sin() + 1e5 * f64::from(w % 3)).collect();
    Histogram {
        edges,
        selected,
        all: None,
        x: axis("pickup_at", None, AxisKind::Time { unit_ns: 1_000_000_000 }),
        y: "rows".to_owned(),
        y_max: None,
        off_axis: OffAxis::default(),
        brushes: Vec::new(),
    }
}

fn fares() -> Histogram {
    let edges: Vec<f64> = (0..=60).map(|i| 10_f64.powf(f64::from(i) / 20.0)).collect();
    let all: Vec<f64> = (0..60).map(|i| (9e6 * bell(f64::from(i), 22.0, 9.0)).round()).collect();
    Histogram {
        selected: all.iter().map(|v| (v * 0.083).round()).collect(),
        all: Some(all),
        edges,
        x: axis("fare_amount", Some("USD"), AxisKind::Log),
        y: "rows".to_owned(),
        y_max: None,
        off_axis: OffAxis { missing: 12, ..OffAxis::default() },
        brushes: Vec::new(),
    }
}

fn map(scale: ColorScale, map: ColorMap) -> Heatmap {
    let x_edges = linear_edges(0.0, 24.0, 96);
    let y_edges = linear_edges(0.0, 60.0, 80);
    let mut values = Vec::new();
    for y in &y_edges[..80] {
        for x in &x_edges[..96] {
            let v = 2e5 * bell(*x, 18.0, 3.0) * bell(*y, 12.0, 6.0)
                + 9e4 * bell(*x, 8.0, 2.0) * bell(*y, 22.0, 8.0)
                + 2e3 * bell(*x, 13.0, 6.0) * bell(*y, 40.0, 10.0);
            values.push(if v < 3.0 { f64::NAN } else { v.round() });
        }
    }
    Heatmap {
        x_edges,
        y_edges,
        values,
        x: axis("hour", Some("h"), AxisKind::Number),
        y: axis("total_amount", Some("USD"), AxisKind::Number),
        value: "rows".to_owned(),
        scale,
        map,
        reversed: false,
        range: None,
        x_off_axis: OffAxis { missing: 77, ..OffAxis::default() },
        y_off_axis: OffAxis { above: 120_331, ..OffAxis::default() },
        brushes: vec![[15.0, 21.0, 4.5, 24.0]],
        lassos: Vec::new(),
    }
}

fn payments() -> Bars {
    let labels = [
        "credit card",
        "cash",
        "no charge",
        "dispute",
        "unknown",
        "voided trip",
        "gift card, long name of it",
    ];
    let all = vec![612_345_678.0, 371_000_123.0, 9_120_000.0, 4_001_000.0, 120_331.0, 77.0, 0.0];
    Bars {
        labels: labels.map(str::to_owned).to_vec(),
        selected: all.iter().map(|v| f64::floor(v * 0.31)).collect(),
        all: Some(all),
        value: "rows".to_owned(),
        more: 3,
        missing: 3_412_999,
        brushed: vec![0, 1],
    }
}

fn chart(title: &str, subtitle: &str, body: Body) -> Chart {
    Chart { title: title.to_owned(), subtitle: subtitle.to_owned(), body }
}

fn dashboard() -> Dashboard {
    let filters = "3.125 ≤ trip_distance < 10 · payment: card, cash";
    let histogram = |title: &str, h: Histogram| chart(title, "", Body::Histogram(h));
    let text = |value: &str| (!value.is_empty()).then(|| value.to_owned());
    let row = |cells: [&str; 6]| cells.map(text).to_vec();
    let rows = RowsTable {
        header: [
            ("row", true),
            ("pickup_at", false),
            ("vendor", false),
            ("trip_distance", true),
            ("fare_amount", true),
            ("note", false),
        ]
        .map(|(name, right)| (name.to_owned(), right))
        .to_vec(),
        rows: vec![
            row(["12", "2015-03-14T09:26:53", "VTS", "3.5", "12.25", ""]),
            row(["1\u{2009}048\u{2009}576", "2015-03-14T09:27:01", "CMT", "9.87", "31", "日本語 ≈ ok"]),
            row(["999\u{2009}999\u{2009}999", "2015-12-31T23:59:59", "VTS", "", "4.5", ""]),
            row(["12", "2015-03-14T09:26:53", "VTS", "3.5", "12.25", ""]),
        ],
    };
    Dashboard {
        title: "taxi-1e9.hdf5".to_owned(),
        count: "82\u{2009}803\u{2009}554 of 1\u{2009}000\u{2009}000\u{2009}000 rows (8.3\u{2009}%)"
            .to_owned(),
        share: Some(0.083),
        chips: [
            "trip_distance 3.125 .. 10",
            "payment: card, cash",
            "NOT zone 132",
            "fare_amount / trip_distance < 12",
        ]
        .map(str::to_owned)
        .to_vec(),
        columns: vec![
            DashboardColumn {
                weight: 1.0,
                charts: vec![
                    (1.0, histogram("trip_distance", distances())),
                    (1.0, histogram("fare_amount", fares())),
                    (1.0, histogram("pickup_at", pickups())),
                ],
            },
            DashboardColumn {
                weight: 1.35,
                charts: vec![
                    (
                        2.0,
                        chart(
                            "total_amount × hour",
                            filters,
                            Body::Heatmap(map(ColorScale::Log, ColorMap::Viridis)),
                        ),
                    ),
                    (1.0, chart("payment_type", filters, Body::Bars(payments()))),
                    (1.0, chart("rows", "", Body::Rows(rows))),
                ],
            },
        ],
        footer: "exact · 2026-11-21 · outcrop 0.1.0".to_owned(),
    }
}

fn leave(name: &str, bytes: &[u8]) {
    std::fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name), bytes).unwrap();
}

fn draw(name: &str, picture: Picture<'_>, options: PictureOptions) -> Raster {
    leave(&format!("{name}.png"), &png(picture, options, &[]).unwrap());
    raster(picture, options).unwrap()
}

fn options(width: u32, height: u32, palette: Palette) -> PictureOptions {
    PictureOptions { width, height, scale: 1.0, palette }
}

fn count(raster: &Raster, color: Rgb) -> usize {
    raster.pixels.chunks_exact(3).filter(|p| **p == [color.0, color.1, color.2]).count()
}

#[test]
fn a_histogram_shows_selected_before_all() {
    let one = chart("trip_distance", "payment: card, cash", Body::Histogram(distances()));
    for (name, palette) in [("histogram-light", Palette::LIGHT), ("histogram-dark", Palette::DARK)] {
        let drawn = draw(name, Picture::Chart(&one), options(560, 360, palette));
        assert!(count(&drawn, palette.all) > 5000);
        assert!(count(&drawn, palette.selected) > 2000);
        // Nothing is drawn over the edge.
        for x in 0..drawn.width as usize {
            assert_eq!(
                drawn.pixels[x * 3..x * 3 + 3],
                [palette.background.0, palette.background.1, palette.background.2]
            );
        }
    }
    for (name, h) in [("times", pickups()), ("log", fares())] {
        let one = chart(name, "", Body::Histogram(h));
        draw(&format!("histogram-{name}"), Picture::Chart(&one), options(560, 320, Palette::LIGHT));
    }
}

#[test]
fn an_empty_cell_is_never_a_colour_of_the_map() {
    for (name, map_of) in ColorMap::ALL {
        let heatmap = map(ColorScale::Log, map_of);
        let empty =
            heatmap.values.iter().filter(|value| value.is_nan()).count() as f64 / heatmap.values.len() as f64;
        let one = chart("total_amount × hour", "no filter", Body::Heatmap(heatmap));
        let palette = Palette::LIGHT;
        let drawn = draw(&format!("heatmap-{name}"), Picture::Chart(&one), options(640, 480, palette));
        let background = count(&drawn, palette.empty) as f64;
        let plot = (640.0 - 120.0) * (480.0 - 140.0);
        assert!(background > empty * plot * 0.6, "{name}: {background} of {}", empty * plot);
        for step in 0..=1000 {
            let color = map_of.color(f64::from(step) / 1000.0);
            assert_ne!(color, Palette::LIGHT.empty);
            assert_ne!(color, Palette::DARK.empty);
        }
    }
}

#[test]
fn colour_maps_grow_steadily_lighter() {
    // CIE lightness of sRGB (IEC 61966-2-1).
    let lightness = |Rgb(r, g, b): Rgb| {
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        let y = 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
        if y > 0.008856 { 116.0 * y.cbrt() - 16.0 } else { 903.3 * y }
    };
    for (name, map) in ColorMap::ALL {
        let steps: Vec<f64> = (0..=20).map(|i| lightness(map.color(f64::from(i) / 20.0))).collect();
        let even = (steps[20] - steps[0]) / 20.0;
        for pair in steps.windows(2) {
            let step = pair[1] - pair[0];
            assert!(step > 0.4 * even && step < 1.7 * even, "{name}: {step} where {even} is even");
        }
    }
    assert_eq!(ColorMap::Viridis.color(f64::NEG_INFINITY), Rgb(0x44, 0x01, 0x54));
    assert_eq!(ColorMap::Viridis.color(2.0), Rgb(0xfd, 0xe7, 0x25));
}

#[test]
fn a_heatmap_cell_has_the_colour_of_its_value() {
    let heatmap = Heatmap {
        x_edges: vec![0.0, 1.0, 10.0],
        y_edges: vec![0.0, 1.0, 2.0],
        values: vec![0.0, 50.0, 100.0, f64::NAN],
        x: axis("x", None, AxisKind::Number),
        y: axis("y", None, AxisKind::Number),
        value: "rows".to_owned(),
        scale: ColorScale::Linear,
        map: ColorMap::Viridis,
        reversed: false,
        range: None,
        x_off_axis: OffAxis::default(),
        y_off_axis: OffAxis::default(),
        brushes: Vec::new(),
        lassos: Vec::new(),
    };
    let one = chart("cells", "", Body::Heatmap(heatmap));
    let drawn = draw("heatmap-cells", Picture::Chart(&one), options(400, 400, Palette::DARK));
    let counts = [0.0, 0.5, 1.0]
        .map(|position| count(&drawn, ColorMap::Viridis.color_on(Palette::DARK.empty, position)));
    // The columns are 1 and 9 wide, the rows equal; the colour bar adds a row of each colour.
    let ratio = counts[1] as f64 / counts[0] as f64;
    assert!((7.5..10.5).contains(&ratio), "{counts:?}");
    assert!((0.85..1.15).contains(&(counts[2] as f64 / counts[0] as f64)), "{counts:?}");
    assert!(count(&drawn, Palette::DARK.empty) as f64 > counts[1] as f64 * 0.9);
}

#[test]
fn bars_say_what_they_leave_out() {
    let one = chart("payment_type", "payment: card, cash", Body::Bars(payments()));
    draw("bars", Picture::Chart(&one), options(420, 300, Palette::LIGHT));
    let text = svg(Picture::Chart(&one), options(420, 300, Palette::LIGHT), &[]).unwrap();
    assert!(text.contains("3 more · missing 3\u{2009}412\u{2009}999"), "{text}");
    // Too low for all: the hidden ones are counted.
    let text = svg(Picture::Chart(&one), options(420, 160, Palette::LIGHT), &[]).unwrap();
    assert!(text.contains(" more · missing") && !text.contains(">\n3 more"), "{text}");
}

#[test]
fn a_lasso_is_drawn_where_it_was_drawn_by_hand() {
    let lasso = vec![[6.0, 20.0], [12.0, 20.0], [9.0, 60.0]];
    let mut heatmap = Heatmap { brushes: Vec::new(), ..map(ColorScale::Log, ColorMap::Viridis) };
    let before = draw(
        "no-lasso.png",
        Picture::Chart(&chart("", "", Body::Heatmap(heatmap.clone()))),
        options(640, 480, Palette::LIGHT),
    );
    heatmap.lassos = vec![lasso];
    let one = chart("", "", Body::Heatmap(heatmap));
    let after = draw("lasso.png", Picture::Chart(&one), options(640, 480, Palette::LIGHT));
    assert_eq!(count(&before, Palette::LIGHT.selected), 0);
    assert!(count(&after, Palette::LIGHT.selected) > 200);
    let text = svg(Picture::Chart(&one), options(640, 480, Palette::LIGHT), &[]).unwrap();
    assert_eq!(text.matches("<polyline").count(), 2, "a halo and the line");
}

#[test]
fn an_svg_has_text_as_text_and_a_heatmap_as_one_bitmap() {
    let one = chart("a < b & \"c\"", "filter", Body::Heatmap(map(ColorScale::Sqrt, ColorMap::Cividis)));
    let text = svg(Picture::Chart(&one), options(640, 480, Palette::LIGHT), &[]).unwrap();
    leave("heatmap.svg", text.as_bytes());
    assert!(text.starts_with("<svg"));
    assert_eq!(text.matches("data:image/png;base64,").count(), 2, "the map and its colour bar");
    assert!(text.contains("total_amount [USD]") && text.contains("above 120\u{2009}331"));
    assert!(text.contains("a &lt; b"));
    assert!(!text.contains(" dy=") && text.contains(r#" font-size="13.5""#));
    assert!(text.len() < 400_000, "{} bytes", text.len());
}

#[test]
fn charts_without_rows_say_so() {
    let mut histogram = distances();
    histogram.selected = vec![0.0; 64];
    histogram.all = None;
    let mut heatmap = map(ColorScale::Log, ColorMap::Magma);
    heatmap.values.fill(f64::NAN);
    let bars =
        Bars { labels: Vec::new(), selected: Vec::new(), all: None, brushed: Vec::new(), ..payments() };
    for (name, body) in [
        ("histogram", Body::Histogram(histogram)),
        ("heatmap", Body::Heatmap(heatmap)),
        ("bars", Body::Bars(bars)),
    ] {
        let one = chart(name, "", body);
        draw(&format!("empty-{name}"), Picture::Chart(&one), options(400, 260, Palette::LIGHT));
        let text = svg(Picture::Chart(&one), options(400, 260, Palette::LIGHT), &[]).unwrap();
        assert!(text.contains("no rows"), "{name}");
    }
}

#[test]
fn odd_values_never_panic() {
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, -1e300, 1e300, 5e-324, 0.0];
    for (_, scale) in ColorScale::ALL {
        for kind in [AxisKind::Number, AxisKind::Time { unit_ns: i64::MAX }, AxisKind::Time { unit_ns: 0 }] {
            for lo in [-1e300_f64, 0.0, 1e18] {
                let edges = vec![lo, lo + 1.0 + lo.abs() * 0.5, lo + 2.0 + lo.abs()];
                let mut h = distances();
                h.selected = odd[..2].to_vec();
                h.all = Some(odd[2..4].to_vec());
                h.edges = edges.clone();
                h.x.kind = kind;
                h.brushes = vec![[f64::NAN, f64::INFINITY], [f64::NEG_INFINITY, 0.0]];
                let mut m = map(scale, ColorMap::Viridis);
                m.values = odd[4..].to_vec();
                m.x_edges = edges.clone();
                m.y_edges = edges;
                m.y.kind = kind;
                m.brushes = vec![[f64::NAN, 1.0, f64::INFINITY, -1.0]];
                for size in [(120, 120), (333, 777)] {
                    for body in [Body::Histogram(h.clone()), Body::Heatmap(m.clone())] {
                        let one = chart("odd \u{202e}\u{0} 🦀", &"long ".repeat(200), body);
                        raster(Picture::Chart(&one), options(size.0, size.1, Palette::DARK)).unwrap();
                        let text =
                            svg(Picture::Chart(&one), options(size.0, size.1, Palette::DARK), &[]).unwrap();
                        assert!(!text.contains(['\u{0}', '\u{202e}']));
                    }
                }
            }
        }
    }
}

#[test]
fn edges_that_do_not_fit_are_refused_with_the_title() {
    let mut h = distances();
    h.edges.pop();
    let error = raster(Picture::Chart(&chart("speed", "", Body::Histogram(h))), PictureOptions::default());
    assert!(error.unwrap_err().to_string().contains("chart `speed`: it has not one value per bin"));
    let mut h = fares();
    h.edges[0] = 0.0;
    assert!(
        raster(Picture::Chart(&chart("log", "", Body::Histogram(h))), PictureOptions::default()).is_err()
    );
    let one = chart("speed", "", Body::Histogram(distances()));
    for (width, height, scale) in [(0, 500, 1.0), (500, 500, 100.0), (500, 500, f32::NAN), (500, 500, 0.0)] {
        let options = PictureOptions { width, height, scale, palette: Palette::LIGHT };
        assert!(raster(Picture::Chart(&one), options).is_err());
    }
}

#[test]
fn a_dashboard_has_everything_in_one_picture() {
    let all = dashboard();
    for (name, palette) in [("dashboard-light", Palette::LIGHT), ("dashboard-dark", Palette::DARK)] {
        let drawn = draw(name, Picture::Dashboard(&all), options(1280, 800, palette));
        assert_eq!((drawn.width, drawn.height), (1280, 800));
        assert!(count(&drawn, palette.selected) > 3000);
    }
    draw("dashboard-wide", Picture::Dashboard(&all), options(1920, 1080, Palette::LIGHT));
    let fine = PictureOptions { scale: 2.0, ..options(1280, 800, Palette::LIGHT) };
    assert_eq!(draw("dashboard-fine", Picture::Dashboard(&all), fine).width, 2560);
    let text = svg(Picture::Dashboard(&all), options(1280, 800, Palette::LIGHT), &[]).unwrap();
    leave("dashboard.svg", text.as_bytes());
    for word in [
        "taxi-1e9.hdf5",
        "82\u{2009}803\u{2009}554 of",
        "NOT zone 132",
        "payment_type",
        "999\u{2009}999\u{2009}999",
    ] {
        assert!(text.contains(word), "{word}");
    }
}

#[test]
fn a_picture_carries_its_notes() {
    let one = chart("speed", "", Body::Histogram(distances()));
    let notes = [("Description".to_owned(), "filter: speed > 3 ≈".to_owned())];
    let bytes = png(Picture::Chart(&one), options(400, 300, Palette::LIGHT), &notes).unwrap();
    let reader = png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().unwrap();
    let text = svg(Picture::Chart(&one), options(400, 300, Palette::LIGHT), &notes).unwrap();
    assert!(text.contains("<desc>Description: filter: speed &gt; 3 ≈</desc>"), "{text}");
    let chunk = &reader.info().utf8_text[0];
    assert_eq!(
        (chunk.keyword.as_str(), chunk.get_text().unwrap().as_str()),
        ("Description", "filter: speed > 3 ≈")
    );
}

#[test]
fn a_picture_is_saved_in_the_format_of_its_extension() {
    let dir = tempfile::tempdir().unwrap();
    let one = chart("speed", "", Body::Histogram(distances()));
    let save = |name: &str| {
        let path = dir.path().join(name);
        save_picture(&path, Picture::Chart(&one), options(400, 300, Palette::LIGHT), &[]).map(|_| path)
    };
    assert!(std::fs::read(save("a.png").unwrap()).unwrap().starts_with(b"\x89PNG"));
    assert!(std::fs::read(save("a.SVG").unwrap()).unwrap().starts_with(b"<svg"));
    let error = save("a.gif").unwrap_err().to_string();
    assert!(error.contains("a.gif") && error.contains(".png and .svg"), "{error}");
}
