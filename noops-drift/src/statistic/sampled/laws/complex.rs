use std::ops::{Add, Mul, Sub};

/// A complex number, with the few operations that a contour integral needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Complex {
    pub(crate) re: f64,
    pub(crate) im: f64,
}

impl Complex {
    pub(crate) const I: Self = Self { re: 0.0, im: 1.0 };

    pub(crate) fn new(re: f64, im: f64) -> Self {
        Self { re, im }
    }

    pub(crate) fn scale(self, factor: f64) -> Self {
        Self::new(self.re * factor, self.im * factor)
    }

    pub(crate) fn size(self) -> f64 {
        self.re.hypot(self.im)
    }

    pub(crate) fn exp(self) -> Self {
        let size = self.re.exp();
        Self::new(size * self.im.cos(), size * self.im.sin())
    }

    /// The principal logarithm.
    pub(crate) fn ln(self) -> Self {
        Self::new(self.size().ln(), self.im.atan2(self.re))
    }

    /// The principal square root, for an imaginary part that is not negative.
    pub(crate) fn upper_sqrt(self) -> Self {
        let size = self.size();
        let re = ((size + self.re) / 2.0).max(0.0).sqrt();
        let im = ((size - self.re) / 2.0).max(0.0).sqrt();
        // The smaller part by division, because its own difference cancels.
        if re >= im {
            let im = if re > 0.0 { self.im / (2.0 * re) } else { 0.0 };
            Self::new(re, im)
        } else {
            Self::new(self.im / (2.0 * im), im)
        }
    }

    pub(crate) fn over(self, other: Self) -> Self {
        let square = other.re * other.re + other.im * other.im;
        Self::new(
            (self.re * other.re + self.im * other.im) / square,
            (self.im * other.re - self.re * other.im) / square,
        )
    }
}

impl Add for Complex {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::new(self.re + other.re, self.im + other.im)
    }
}

impl Sub for Complex {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self::new(self.re - other.re, self.im - other.im)
    }
}

impl Mul for Complex {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self::new(
            self.re * other.re - self.im * other.im,
            self.re * other.im + self.im * other.re,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Complex;

    #[test]
    fn roots_logarithms_and_quotients_undo_squares_exponentials_and_products() {
        for (re, im) in [(1.0, 2.0), (-3.0, 0.25), (0.0, 1.0), (5.0, 0.0)] {
            let z = Complex::new(re, im);
            let root = z.upper_sqrt();
            assert!((root * root - z).size() < 1e-14, "{z:?}");
            assert!((z.ln().exp() - z).size() < 1e-14, "{z:?}");
            assert!(((z * root).over(root) - z).size() < 1e-14, "{z:?}");
        }
    }
}
