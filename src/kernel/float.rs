//! Functions of real numbers over slices of equal length.

use super::edge::EdgeValue;
use super::wide::widest;

/// A loop over one slice.
pub type Unary<T> = fn(&[T], &mut [T]);
/// A loop over two slices.
pub type Binary<T> = fn(&[T], &[T], &mut [T]);

/// A function of one or two reals, in both widths. The slices are of equal length.
#[derive(Debug, Clone, Copy)]
pub enum Float {
    /// Of one number.
    Unary(Unary<f32>, Unary<f64>),
    /// Of two numbers.
    Binary(Binary<f32>, Binary<f64>),
}

/// A [`Float`] of one number from an expression that both widths have.
#[macro_export]
macro_rules! unary {
    (|$x:ident| $body:expr) => {
        $crate::kernel::float::Float::Unary(
            |a: &[f32], out: &mut [f32]| {
                for (out, &$x) in out.iter_mut().zip(a) {
                    *out = $body;
                }
            },
            |a: &[f64], out: &mut [f64]| {
                for (out, &$x) in out.iter_mut().zip(a) {
                    *out = $body;
                }
            },
        )
    };
}

/// A [`Float`] of two numbers from an expression that both widths have.
#[macro_export]
macro_rules! binary {
    (|$x:ident, $y:ident| $body:expr) => {
        $crate::kernel::float::Float::Binary(
            |a: &[f32], b: &[f32], out: &mut [f32]| {
                for ((out, &$x), &$y) in out.iter_mut().zip(a).zip(b) {
                    *out = $body;
                }
            },
            |a: &[f64], b: &[f64], out: &mut [f64]| {
                for ((out, &$x), &$y) in out.iter_mut().zip(a).zip(b) {
                    *out = $body;
                }
            },
        )
    };
}

/// A loop over slices, compiled for the widest vectors, where rounding is one instruction instead of a call.
macro_rules! wide {
    ($name:ident, $t:ty, |$($x:ident),+| $body:expr) => {
        widest! {
            fn $name($($x: &[$t],)+ out: &mut [$t]) {
                let rows = out.len();
                $(let $x = &$x[..rows];)+
                for i in 0..rows {
                    $(let $x = $x[i];)+
                    out[i] = $body;
                }
            }
        }
    };
}

macro_rules! vectorised {
    ($(#[doc = $doc:literal] $constant:ident: $variant:ident = |$($x:ident),+| $body:expr;)+) => {
        $(
            #[doc = $doc]
            pub const $constant: Float = {
                wide!(narrow, f32, |$($x),+| $body);
                wide!(double, f64, |$($x),+| $body);
                Float::$variant(narrow, double)
            };
        )+
    };
}

vectorised! {
    /// `a + b`.
    ADD: Binary = |a, b| a + b;
    /// `a - b`.
    SUBTRACT: Binary = |a, b| a - b;
    /// `a * b`.
    MULTIPLY: Binary = |a, b| a * b;
    /// `a / b`.
    DIVIDE: Binary = |a, b| a / b;
    /// The square of `a + b`.
    ADD_SQUARED: Binary = |a, b| (a + b) * (a + b);
    /// The square of `a - b`.
    SUBTRACT_SQUARED: Binary = |a, b| (a - b) * (a - b);
    /// The square of `a * b`.
    MULTIPLY_SQUARED: Binary = |a, b| (a * b) * (a * b);
    /// The square of `a / b`.
    DIVIDE_SQUARED: Binary = |a, b| (a / b) * (a / b);
    /// The square root of `a + b`.
    ADD_ROOT: Binary = |a, b| (a + b).sqrt();
    /// The square root of `a - b`.
    SUBTRACT_ROOT: Binary = |a, b| (a - b).sqrt();
    /// The square root of `a * b`.
    MULTIPLY_ROOT: Binary = |a, b| (a * b).sqrt();
    /// The square root of `a / b`.
    DIVIDE_ROOT: Binary = |a, b| (a / b).sqrt();
    /// `-a`.
    NEGATE: Unary = |a| -a;
    /// The value without its sign.
    ABS: Unary = |a| a.abs();
    /// The square root.
    SQRT: Unary = |a| a.sqrt();
    /// Rounded down.
    FLOOR: Unary = |a| a.floor();
    /// Rounded up.
    CEIL: Unary = |a| a.ceil();
    /// Rounded towards zero.
    TRUNC: Unary = |a| a.trunc();
    /// Rounded to the nearest, halves to even.
    ROUND: Unary = |a| a.round_ties_even();
}

widest! {
    /// Rounds numbers of any type to `f32`. The slices are of equal length.
    pub fn to_f32<T: EdgeValue>(from: &[T], to: &mut [f32]) {
        for (to, from) in to.iter_mut().zip(from) {
            *to = from.to_f32();
        }
    }
}

widest! {
    /// Rounds numbers of any type to `f64`. The slices are of equal length.
    pub fn to_f64<T: EdgeValue>(from: &[T], to: &mut [f64]) {
        for (to, from) in to.iter_mut().zip(from) {
            *to = from.to_f64();
        }
    }
}

/// Reals with a remainder.
pub trait Real: Copy {
    /// The remainder of the quotient rounded down, with the divisor's sign, as in Python.
    fn floor_remainder(self, divisor: Self) -> Self;
    /// The quotient rounded down, consistent with the remainder, as in Python; by zero as `/`.
    fn floor_quotient(self, divisor: Self) -> Self;
}

macro_rules! real {
    ($t:ty) => {
        impl Real for $t {
            fn floor_remainder(self, divisor: $t) -> $t {
                let remainder = self % divisor;
                if remainder == 0.0 {
                    (0.0 as $t).copysign(divisor)
                } else if (remainder < 0.0) != (divisor < 0.0) {
                    remainder + divisor
                } else {
                    remainder
                }
            }

            fn floor_quotient(self, divisor: $t) -> $t {
                if divisor == 0.0 {
                    return self / divisor;
                }
                let remainder = self % divisor;
                let towards_zero = (self - remainder) / divisor;
                let is_above = remainder != 0.0 && (remainder < 0.0) != (divisor < 0.0);
                let quotient = if is_above { towards_zero - 1.0 } else { towards_zero };
                if quotient == 0.0 {
                    return (0.0 as $t).copysign(self / divisor);
                }
                let floor = quotient.floor();
                if quotient - floor > 0.5 { floor + 1.0 } else { floor }
            }
        }
    };
}
real!(f32);
real!(f64);
