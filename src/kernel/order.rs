//! Numbers as whole numbers in the same order.

/// The sign bit.
const SIGN: u64 = 1 << 63;
const SIGN_OF_SINGLE: u32 = 1 << 31;

/// A whole number of at most 64 bits as `u64` in the same order.
#[inline]
pub fn of_signed<T: Into<i64>>(v: T) -> u64 {
    v.into() as u64 ^ SIGN
}

/// The number that [`of_signed`] was of.
#[inline]
pub fn signed(code: u64) -> i64 {
    (code ^ SIGN) as i64
}

/// `f64` as `u64` in the same order, -0.0 as 0.0. NaN lies beyond the infinities.
#[inline]
pub fn of_float(v: f64) -> u64 {
    let bits = (v + 0.0).to_bits();
    // Negative numbers have their order reversed; the arithmetic shift makes a mask of the sign.
    bits ^ (((bits as i64 >> 63) as u64) | SIGN)
}

/// The number that [`of_float`] was of.
#[inline]
pub fn float(code: u64) -> f64 {
    f64::from_bits(code ^ (((!code as i64 >> 63) as u64) | SIGN))
}

/// A number of 32 bits as `u64` in the same order, -0.0 as 0.0, of 32 bits too. NaN lies beyond the
/// infinities.
#[inline]
pub fn of_single(v: f32) -> u64 {
    let bits = (v + 0.0).to_bits();
    u64::from(bits ^ (((bits as i32 >> 31) as u32) | SIGN_OF_SINGLE))
}

/// The number that [`of_single`] was of.
#[inline]
pub fn single(code: u64) -> f32 {
    let code = code as u32;
    f32::from_bits(code ^ (((!code as i32 >> 31) as u32) | SIGN_OF_SINGLE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_the_order_of_their_numbers_and_lead_back_to_them() {
        let floats = [f64::NEG_INFINITY, -1e300, -1.0, -5e-324, 0.0, 5e-324, 1.0, 1e300, f64::INFINITY];
        assert!(floats.windows(2).all(|pair| of_float(pair[0]) < of_float(pair[1])));
        assert!(floats.iter().all(|&v| float(of_float(v)) == v));
        assert_eq!(of_float(-0.0), of_float(0.0));
        let singles = [f32::NEG_INFINITY, -1e30, -1.0, -1e-45, 0.0, 1e-45, 1.0, 1e30, f32::INFINITY];
        assert!(singles.windows(2).all(|pair| of_single(pair[0]) < of_single(pair[1])));
        assert!(singles.iter().all(|&v| single(of_single(v)) == v));
        assert_eq!(of_single(-0.0), of_single(0.0));
        let wholes = [i64::MIN, -1, 0, 1, i64::MAX];
        assert!(wholes.windows(2).all(|pair| of_signed(pair[0]) < of_signed(pair[1])));
        assert!(wholes.iter().all(|&v| signed(of_signed(v)) == v));
    }
}
