//! Numbers of several channels, calculated with together.

/// Channels that are solved together.
pub(super) const LANES: usize = 4;

pub(super) type Lanes = [f64; LANES];

/// The sum of three neighbours above or below, the one in the middle twice.
#[inline]
pub(super) fn gather(values: &[Lanes], indices: [usize; 3]) -> Lanes {
    let [a, b, c] = indices.map(|index| values[index]);
    std::array::from_fn(|lane| 2.0 * b[lane] + (a[lane] + c[lane]))
}

#[inline]
pub(super) fn combine(first: f64, a: Lanes, second: f64, b: Lanes) -> Lanes {
    std::array::from_fn(|lane| first * a[lane] + second * b[lane])
}

#[inline]
pub(super) fn add(a: Lanes, b: Lanes) -> Lanes {
    std::array::from_fn(|lane| a[lane] + b[lane])
}

pub(super) fn advance(values: &mut [Lanes], length: Lanes, direction: &[Lanes]) {
    for (value, direction) in values.iter_mut().zip(direction) {
        for lane in 0..LANES {
            value[lane] += length[lane] * direction[lane];
        }
    }
}

pub(super) fn dot(a: &[Lanes], b: &[Lanes]) -> Lanes {
    let mut sum = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sum[lane] += a[lane] * b[lane];
        }
    }
    sum
}

/// 0 where the divisor is 0: that channel is solved.
pub(super) fn divide(a: Lanes, b: Lanes) -> Lanes {
    std::array::from_fn(|lane| if b[lane] == 0.0 { 0.0 } else { a[lane] / b[lane] })
}
