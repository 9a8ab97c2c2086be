//! Places on a sphere and in the plane, in double precision throughout.
//!
//! Angles are in degrees where a function takes longitudes and latitudes.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::datatypes::{DataType, Float64Type};
use arrow::error::ArrowError;

use super::super::literal::Literal;
use super::super::tree::Expr;
use super::super::typing::{Mistake, Typing, expect_numbers, list_of};
use super::{Arguments, BASE, Family, Function, booleans, bounds};
use crate::data::Domain;

const GEOMETRY: Function =
    Function { family: Family::Geometry, keeps_weak: false, types: double_types, ..BASE };

macro_rules! formula {
    ($name:literal, $signature:literal, $doc:literal, $example:literal, |$($x:ident),+| $body:expr) => {
        formula!($name, $signature, $doc, $example, bounds::all, |$($x),+| $body)
    };
    ($name:literal, $signature:literal, $doc:literal, $example:literal, $domain:expr, |$($x:ident),+| $body:expr) => {
        Function {
            name: $name,
            aliases: &[concat!("geo_", $name)],
            arity: (count!($($x)+), count!($($x)+)),
            signature: $signature,
            doc: $doc,
            example: $example,
            domain: $domain,
            kernel: |a| rows(a, |[$($x),+]: [f64; count!($($x)+)]| $body),
            ..GEOMETRY
        }
    };
}

macro_rules! count {
    () => { 0 };
    ($x:ident $($rest:ident)*) => { 1 + count!($($rest)*) };
}

/// Mean radius of the Earth in km (IUGG: (2a + b) / 3 of the WGS 84 ellipsoid).
const EARTH: f64 = 6371.0088;

/// The entries of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "haversine",
        aliases: &["geo_haversine", "great_circle"],
        arity: (4, 5),
        signature: "haversine(lon1, lat1, lon2, lat2, radius = 6371.0088)",
        doc: "The distance along the sphere between two places in degrees: km on Earth, or in the radius's unit.",
        example: "round(haversine(0, 0, 0, 90)) = 10008.0",
        domain: |d, _| match d {
            [_, _, _, _] => Domain { nan: true, ..Domain::new(0.0, 20_016.0) },
            _ => Domain::ALL,
        },
        kernel: |a| match a.values.len() {
            4 => rows(a, |[lon1, lat1, lon2, lat2]: [f64; 4]| haversine(lon1, lat1, lon2, lat2, EARTH)),
            _ => rows(a, |[lon1, lat1, lon2, lat2, radius]: [f64; 5]| {
                haversine(lon1, lat1, lon2, lat2, radius)
            }),
        },
        ..GEOMETRY
    },
    formula!(
        "bearing",
        "bearing(lon1, lat1, lon2, lat2)",
        "The direction from the first place to the second in degrees from north over east, 0 to 360.",
        "bearing(0, 0, 90, 0) = 90.0",
        |_, _| Domain { nan: true, ..Domain::new(0.0, 360.0) },
        |lon1, lat1, lon2, lat2| {
            let (lat1, lat2, across) = (lat1.to_radians(), lat2.to_radians(), (lon2 - lon1).to_radians());
            let east = across.sin() * lat2.cos();
            let north = lat1.cos() * lat2.sin() - lat1.sin() * lat2.cos() * across.cos();
            east.atan2(north).to_degrees().rem_euclid(360.0)
        }
    ),
    formula!(
        "spherical_x",
        "spherical_x(lon, lat, distance)",
        "The x of a place given by two angles in degrees and a distance.",
        "spherical_x(0, 0, 2) = 2.0",
        |lon, lat, distance| { distance * lon.to_radians().cos() * lat.to_radians().cos() }
    ),
    formula!(
        "spherical_y",
        "spherical_y(lon, lat, distance)",
        "The y of a place given by two angles in degrees and a distance.",
        "spherical_y(90, 0, 2) = 2.0",
        |lon, lat, distance| { distance * lon.to_radians().sin() * lat.to_radians().cos() }
    ),
    formula!(
        "spherical_z",
        "spherical_z(lat, distance)",
        "The z of a place given by two angles in degrees and a distance.",
        "spherical_z(90, 2) = 2.0",
        |lat, distance| { distance * lat.to_radians().sin() }
    ),
    formula!(
        "cartesian_lon",
        "cartesian_lon(x, y)",
        "The longitude of (x, y, z) in degrees, -180 to 180.",
        "cartesian_lon(0, 1) = 90.0",
        |_, _| Domain { nan: true, ..Domain::new(-181.0, 181.0) },
        |x, y| y.atan2(x).to_degrees()
    ),
    formula!(
        "cartesian_lat",
        "cartesian_lat(x, y, z)",
        "The latitude of (x, y, z) in degrees, -90 to 90.",
        "cartesian_lat(0, 0, 1) = 90.0",
        |_, _| Domain { nan: true, ..Domain::new(-91.0, 91.0) },
        |x, y, z| z.atan2(x.hypot(y)).to_degrees()
    ),
    formula!(
        "distance3",
        "distance3(x, y, z)",
        "The distance of (x, y, z) from the origin.",
        "distance3(1, 2, 2) = 3.0",
        |_, _| Domain { nan: true, ..Domain::new(0.0, f64::INFINITY) },
        |x, y, z| x.hypot(y).hypot(z)
    ),
    formula!(
        "rotate_x",
        "rotate_x(x, y, degrees)",
        "The x of (x, y) turned counter-clockwise about the origin.",
        "rotate_x(2, 5, 0) = 2.0",
        |x, y, degrees| {
            let (sin, cos) = degrees.to_radians().sin_cos();
            x * cos - y * sin
        }
    ),
    formula!(
        "rotate_y",
        "rotate_y(x, y, degrees)",
        "The y of (x, y) turned counter-clockwise about the origin.",
        "rotate_y(2, 5, 0) = 5.0",
        |x, y, degrees| {
            let (sin, cos) = degrees.to_radians().sin_cos();
            x * sin + y * cos
        }
    ),
    formula!(
        "aitoff_x",
        "aitoff_x(lon, lat)",
        "The x of a place in degrees in Aitoff's projection.",
        "aitoff_x(0, 0) = 0.0",
        |lon, lat| aitoff(lon, lat).0
    ),
    formula!(
        "aitoff_y",
        "aitoff_y(lon, lat)",
        "The y of a place in degrees in Aitoff's projection.",
        "aitoff_y(0, 0) = 0.0",
        |lon, lat| aitoff(lon, lat).1
    ),
    formula!(
        "gnomic_x",
        "gnomic_x(lon, lat, lon0, lat0)",
        "The x of a place in the gnomonic projection about another; beyond the horizon, NaN.",
        "gnomic_x(0, 0, 0, 0) = 0.0",
        |lon, lat, lon0, lat0| gnomic(lon, lat, lon0, lat0).0
    ),
    formula!(
        "gnomic_y",
        "gnomic_y(lon, lat, lon0, lat0)",
        "The y of a place in the gnomonic projection about another; beyond the horizon, NaN.",
        "gnomic_y(0, 0, 0, 0) = 0.0",
        |lon, lat, lon0, lat0| gnomic(lon, lat, lon0, lat0).1
    ),
    formula!(
        "mercator_y",
        "mercator_y(lat)",
        "The y of a latitude in degrees in the Mercator projection, in radians.",
        "mercator_y(0) = 0.0",
        |lat| lat.to_radians().tan().asinh()
    ),
    Function {
        name: "inside_polygon",
        aliases: &["geo_inside_polygon"],
        arity: (4, 4),
        signature: "inside_polygon(x, y, [xs], [ys])",
        doc: "Whether the point lies in the polygon with these corners, by the even-odd rule.",
        example: "inside_polygon(1, 1, [0, 3, 0], [0, 0, 3]) = true",
        types: |arguments| polygon_types(arguments, DataType::Boolean),
        kernel: inside,
        domain: bounds::bool,
        ..GEOMETRY
    },
    Function {
        name: "inside_polygons",
        aliases: &["geo_inside_polygons"],
        arity: (4, 4),
        signature: "inside_polygons(x, y, [xs], [ys])",
        doc: "Whether the point lies in one of several polygons, whose corners are divided by nan.",
        example: "inside_polygons(1, 1, [5, 6, 5, nan, 0, 3, 0], [0, 0, 3, nan, 0, 0, 3]) = true",
        types: |arguments| polygon_types(arguments, DataType::Boolean),
        kernel: inside,
        domain: bounds::bool,
        ..GEOMETRY
    },
    Function {
        name: "inside_which_polygon",
        aliases: &["geo_inside_which_polygon", "inside_which_polygons", "geo_inside_which_polygons"],
        arity: (4, 4),
        signature: "inside_which_polygon(x, y, [xs], [ys])",
        doc: "The number, from 0, of the first polygon the point lies in, corners divided by nan; missing if in none.",
        example: "inside_which_polygon(1, 1, [5, 6, 5, nan, 0, 3, 0], [0, 0, 3, nan, 0, 0, 3]) = 1",
        types: |arguments| polygon_types(arguments, DataType::Int64),
        kernel: |a| {
            let polygons = polygons(a);
            let (x, y) = (a.full(0)?, a.full(1)?);
            let (x, y) = (x.as_primitive::<Float64Type>(), y.as_primitive::<Float64Type>());
            let which = |(x, y): (Option<f64>, Option<f64>)| {
                let (x, y) = (x?, y?);
                polygons.iter().position(|p| p.holds(x, y)).and_then(|i| i64::try_from(i).ok())
            };
            Ok(Arc::new(x.iter().zip(y.iter()).map(which).collect::<Int64Array>()))
        },
        ..GEOMETRY
    },
];

fn double_types(arguments: &[Expr]) -> Result<Typing, Mistake> {
    expect_numbers(arguments, 0)?;
    Typing::new(vec![DataType::Float64; arguments.len()], DataType::Float64)
}

/// A formula of `N` numbers for each row.
fn rows<const N: usize>(a: &Arguments, f: impl Fn([f64; N]) -> f64) -> Result<ArrayRef, ArrowError> {
    let slices: Vec<(&[f64], usize)> = a
        .values
        .iter()
        .map(|v| (&v.array.as_primitive::<Float64Type>().values()[..], usize::from(!v.scalar)))
        .collect();
    if slices.len() != N {
        return Err(ArrowError::InvalidArgumentError(format!("{N} numbers are wanted")));
    }
    let values: Vec<f64> =
        (0..a.rows).map(|row| f(std::array::from_fn(|i| slices[i].0[row * slices[i].1]))).collect();
    Ok(Arc::new(Float64Array::new(values.into(), a.nulls())))
}

/// Sinnott, "Virtues of the Haversine", Sky and Telescope 68 (1984) 159.
fn haversine(lon1: f64, lat1: f64, lon2: f64, lat2: f64, radius: f64) -> f64 {
    let (lat1, lat2, across) = (lat1.to_radians(), lat2.to_radians(), (lon2 - lon1).to_radians());
    let h = ((lat2 - lat1) / 2.0).sin().powi(2) + lat1.cos() * lat2.cos() * (across / 2.0).sin().powi(2);
    2.0 * radius * h.min(1.0).sqrt().asin()
}

/// Snyder, "Map Projections: A Working Manual" (1987), p. 265 for the formula's parts.
fn aitoff(lon: f64, lat: f64) -> (f64, f64) {
    let (half, lat) = (lon.to_radians() / 2.0, lat.to_radians());
    let angle = (lat.cos() * half.cos()).clamp(-1.0, 1.0).acos();
    let stretch = if angle == 0.0 { 1.0 } else { angle / angle.sin() };
    (2.0 * lat.cos() * half.sin() * stretch, lat.sin() * stretch)
}

/// Snyder, "Map Projections: A Working Manual" (1987), eq. 22-4 and 22-5.
fn gnomic(lon: f64, lat: f64, lon0: f64, lat0: f64) -> (f64, f64) {
    let (lat, lat0, across) = (lat.to_radians(), lat0.to_radians(), (lon - lon0).to_radians());
    let height = lat0.sin() * lat.sin() + lat0.cos() * lat.cos() * across.cos();
    if height <= 0.0 {
        return (f64::NAN, f64::NAN);
    }
    (
        lat.cos() * across.sin() / height,
        (lat0.cos() * lat.sin() - lat0.sin() * lat.cos() * across.cos()) / height,
    )
}

fn polygon_types(arguments: &[Expr], output: DataType) -> Result<Typing, Mistake> {
    expect_numbers(&arguments[..2], 0)?;
    let mut lengths = [0; 2];
    for (i, length) in [2, 3].into_iter().zip(&mut lengths) {
        match arguments[i].as_literal() {
            Some(Literal::List(items))
                if items.iter().all(|c| matches!(c, Literal::Int(_) | Literal::Float(_))) =>
            {
                *length = items.len();
            }
            _ => return Err(Mistake::at(i, "a list of numbers is expected here: [0, 3, 0]")),
        }
    }
    if lengths[0] != lengths[1] {
        return Err(Mistake::at(
            3,
            format!("{} numbers are expected here, as many as before, not {}", lengths[0], lengths[1]),
        ));
    }
    let list = list_of(DataType::Float64);
    Typing::new(vec![DataType::Float64, DataType::Float64, list.clone(), list], output)
}

/// A closed line of corners, and the box around it.
struct Polygon {
    corners: Vec<(f64, f64)>,
    low: (f64, f64),
    high: (f64, f64),
}

impl Polygon {
    /// Whether a ray from the point crosses the line an odd number of times.
    fn holds(&self, x: f64, y: f64) -> bool {
        if !(x >= self.low.0 && x <= self.high.0 && y >= self.low.1 && y <= self.high.1) {
            return false;
        }
        let mut inside = false;
        let before = self.corners.iter().cycle().skip(self.corners.len() - 1);
        for (&(x1, y1), &(x0, y0)) in self.corners.iter().zip(before) {
            if (y1 > y) != (y0 > y) && x < (x0 - x1) * (y - y1) / (y0 - y1) + x1 {
                inside = !inside;
            }
        }
        inside
    }
}

fn polygons(a: &Arguments) -> Vec<Polygon> {
    let list = |i: usize| a.array(i).as_list::<i32>().value(0);
    let (xs, ys) = (list(2), list(3));
    let corners =
        xs.as_primitive::<Float64Type>().values().iter().zip(ys.as_primitive::<Float64Type>().values());
    let corners: Vec<(f64, f64)> = corners.map(|(x, y)| (*x, *y)).collect();
    corners
        .split(|(x, y)| x.is_nan() || y.is_nan())
        .filter(|corners| !corners.is_empty())
        .map(|corners| {
            let far = |f: fn(f64, f64) -> f64, start: f64| {
                corners.iter().fold((start, start), |(a, b), (x, y)| (f(a, *x), f(b, *y)))
            };
            Polygon {
                corners: corners.to_vec(),
                low: far(f64::min, f64::INFINITY),
                high: far(f64::max, f64::NEG_INFINITY),
            }
        })
        .collect()
}

fn inside(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    let polygons = polygons(a);
    let (x, y) = (a.full(0)?, a.full(1)?);
    let (x, y) = (x.as_primitive::<Float64Type>().values(), y.as_primitive::<Float64Type>().values());
    let bits = crate::kernel::compare::bits2(x, y, |x, y| polygons.iter().any(|p| p.holds(x, y)));
    Ok(booleans(bits, a.rows, a.nulls()))
}
