//! Sums of powers of deviations: central moments of one value up to the fourth, and of pairs.

/// Sums of the first four powers of deviations from a pilot value near the mean. The pilot is moved to
/// the mean of the values so far whenever their number has doubled, so that a first value far from the
/// others costs no digits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Powers {
    /// Values added.
    pub count: u64,
    pilot: f64,
    /// Sums of `(v - pilot)^k` for k = 1 to 4.
    sums: [f64; 4],
}

impl Powers {
    /// No value yet.
    pub const EMPTY: Powers = Powers { count: 0, pilot: 0.0, sums: [0.0; 4] };

    /// Adds a value.
    #[inline]
    pub fn add(&mut self, value: f64) {
        if self.count.is_power_of_two() {
            self.move_by(self.sums[0] / self.count as f64);
        } else if self.count == 0 {
            self.pilot = value;
        }
        let d = value - self.pilot;
        let squared = d * d;
        self.count += 1;
        self.sums[0] += d;
        self.sums[1] += squared;
        self.sums[2] += squared * d;
        self.sums[3] += squared * squared;
    }

    /// Moves the pilot by `step`: binomial expansion of `(d - step)^k` (Pébay, "Formulas for Robust,
    /// One-Pass Parallel Computation of Covariances and Arbitrary-Order Statistical Moments", 2008).
    fn move_by(&mut self, step: f64) {
        let n = self.count as f64;
        let [first, second, third, fourth] = self.sums;
        let squared = step * step;
        self.pilot += step;
        self.sums = [
            first - n * step,
            second - 2.0 * step * first + n * squared,
            third - 3.0 * step * second + 3.0 * squared * first - n * squared * step,
            fourth - 4.0 * step * third + 6.0 * squared * second - 4.0 * squared * step * first
                + n * squared * squared,
        ];
    }

    /// Adds what `other` has added.
    pub fn merge(&mut self, other: &Powers) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        let mut other = *other;
        other.move_by(self.pilot - other.pilot);
        self.count += other.count;
        self.sums.iter_mut().zip(other.sums).for_each(|(sum, more)| *sum += more);
    }

    /// Sums of the second, third and fourth power of deviations from the mean.
    pub fn central(mut self) -> [f64; 3] {
        if self.count > 0 {
            self.move_by(self.sums[0] / self.count as f64);
        }
        [self.sums[1], self.sums[2], self.sums[3]]
    }
}

/// Sums of products of the deviations of two values from pilots near their means, the pilots moved as in
/// [`Powers`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Products {
    /// Pairs added.
    pub count: u64,
    pilots: [f64; 2],
    /// Sums of the deviations.
    firsts: [f64; 2],
    /// Sums of `dx dx`, `dx dy`, `dy dy`.
    seconds: [f64; 3],
}

impl Products {
    /// No pair yet.
    pub const EMPTY: Products = Products { count: 0, pilots: [0.0; 2], firsts: [0.0; 2], seconds: [0.0; 3] };

    /// Adds a pair.
    #[inline]
    pub fn add(&mut self, x: f64, y: f64) {
        if self.count.is_power_of_two() {
            let n = self.count as f64;
            self.move_by(self.firsts.map(|first| first / n));
        } else if self.count == 0 {
            self.pilots = [x, y];
        }
        let (dx, dy) = (x - self.pilots[0], y - self.pilots[1]);
        self.count += 1;
        self.firsts[0] += dx;
        self.firsts[1] += dy;
        self.seconds[0] += dx * dx;
        self.seconds[1] += dx * dy;
        self.seconds[2] += dy * dy;
    }

    fn move_by(&mut self, [x, y]: [f64; 2]) {
        let n = self.count as f64;
        let [sx, sy] = self.firsts;
        self.pilots = [self.pilots[0] + x, self.pilots[1] + y];
        self.firsts = [sx - n * x, sy - n * y];
        self.seconds[0] += n * x * x - 2.0 * x * sx;
        self.seconds[1] += n * x * y - x * sy - y * sx;
        self.seconds[2] += n * y * y - 2.0 * y * sy;
    }

    /// Adds what `other` has added.
    pub fn merge(&mut self, other: &Products) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        let mut other = *other;
        other.move_by([self.pilots[0] - other.pilots[0], self.pilots[1] - other.pilots[1]]);
        self.count += other.count;
        self.firsts.iter_mut().zip(other.firsts).for_each(|(sum, more)| *sum += more);
        self.seconds.iter_mut().zip(other.seconds).for_each(|(sum, more)| *sum += more);
    }

    /// Sums of `dx dx`, `dx dy` and `dy dy` over deviations from the means.
    pub fn central(mut self) -> [f64; 3] {
        if self.count > 0 {
            let n = self.count as f64;
            self.move_by(self.firsts.map(|first| first / n));
        }
        self.seconds
    }
}

/// Adds every value to the powers of its cell.
pub fn powers<T: Copy>(values: &[T], to_f64: impl Fn(T) -> f64, cells: &[u32], powers: &mut [Powers]) {
    for (&v, &cell) in values.iter().zip(cells) {
        powers[cell as usize].add(to_f64(v));
    }
}

/// Adds every pair to the products of its cell.
pub fn products(x: &[f64], y: &[f64], cells: &[u32], products: &mut [Products]) {
    for ((&x, &y), &cell) in x.iter().zip(y).zip(cells) {
        products[cell as usize].add(x, y);
    }
}
