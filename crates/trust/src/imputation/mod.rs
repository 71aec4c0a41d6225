//! ROAD's imputation: removed pixels become what their neighbours say.
//!
//! A removed pixel is the mean of its neighbours, removed or not, weighted 1/6 along an edge and
//! 1/12 across a corner; at the image's borders by the weights that are there. These equations are
//! solved exactly, by conjugate gradients with a modified incomplete Cholesky factorisation that
//! has the matrix's own numbers outside the diagonal. Source: Rong et al., "A consistent and
//! efficient evaluation strategy for attribution methods", ICML 2022; Gustafsson, "A class of
//! first order factorization methods", BIT 18, 1978.

mod lanes;

use lanes::{LANES, Lanes, add, advance, combine, divide, dot, gather};

/// The squared norm of what is left of the equations over that of their right side.
const RESIDUAL: f64 = 1e-16;

/// How much of the fill outside the factor's pattern is added to its diagonal; 1 may break down.
const MODIFIED: f64 = 0.999;

/// The weights of the neighbours to the right, to the right below, below, and to the left below,
/// and of those opposite, times 12.
const WEIGHTS: [f64; 4] = [2.0, 1.0, 2.0, 1.0];

/// Fills the removed pixels, `[height, width]`, of a copy, `[channels, height, width]`, of which at
/// least one pixel is kept.
pub(crate) fn impute(copy: &mut [f32], size: [usize; 2], removed: &[bool]) {
    let system = System::new(size, removed);
    if system.places.is_empty() {
        return;
    }
    for channels in copy.chunks_mut(LANES * removed.len()) {
        let (right, mean) = system.right_side(channels, removed);
        let mut values = vec![mean; system.places.len()];
        values.push([0.0; LANES]);
        system.solve(right, &mut values);
        for (lane, channel) in channels.chunks_exact_mut(removed.len()).enumerate() {
            for (&place, value) in system.places.iter().zip(&values) {
                channel[place] = value[lane] as f32;
            }
        }
    }
}

/// The equations, times 12: an unknown for each removed pixel, row by row.
struct System {
    /// In the image.
    places: Vec<usize>,
    /// In the image with a border of one pixel.
    bordered: Vec<usize>,
    /// The image's width, and 2.
    row: usize,
    /// The unknowns before each one that are its neighbours, in the order of `WEIGHTS`. Where there
    /// is none, the index behind all unknowns.
    before: Vec<[u32; 4]>,
    /// Those after each one.
    after: Vec<[u32; 4]>,
    diagonal: Vec<f64>,
    /// 1 over the factor's diagonal.
    factor: Vec<f64>,
}

impl System {
    fn new([height, width]: [usize; 2], removed: &[bool]) -> Self {
        let row = width + 2;
        let places: Vec<usize> = (0..removed.len()).filter(|&place| removed[place]).collect();
        let bordered: Vec<usize> = places.iter().map(|&place| border(place, width)).collect();
        let mut unknowns = vec![places.len() as u32; (height + 2) * row];
        for (unknown, &place) in (0..).zip(&bordered) {
            unknowns[place] = unknown;
        }
        let steps = steps(row);
        let before: Vec<[u32; 4]> =
            bordered.iter().map(|place| steps.map(|step| unknowns[place - step])).collect();
        let after: Vec<[u32; 4]> =
            bordered.iter().map(|place| steps.map(|step| unknowns[place + step])).collect();
        let inside = |place: usize, side: usize| {
            f64::from(u8::from(place > 0)) + f64::from(u8::from(place + 1 < side))
        };
        let weights = |&place: &usize| {
            let (down, across) = (inside(place / width, height), inside(place % width, width));
            2.0 * (down + across) + down * across
        };
        let diagonal: Vec<f64> = places.iter().map(weights).collect();
        let factor = factorised(&before, &after, &diagonal);
        Self { places, bordered, row, before, after, diagonal, factor }
    }

    /// What the kept neighbours add to each equation, with a 0 behind all, and the kept pixels'
    /// mean.
    fn right_side(&self, channels: &[f32], removed: &[bool]) -> (Vec<Lanes>, Lanes) {
        let width = self.row - 2;
        let mut kept = vec![[0.0; LANES]; (removed.len() / width + 2) * self.row];
        let mut sums = [0.0; LANES];
        for place in (0..removed.len()).filter(|&place| !removed[place]) {
            let kept = &mut kept[border(place, width)];
            for (lane, &value) in channels[place..].iter().step_by(removed.len()).enumerate() {
                kept[lane] = f64::from(value);
                sums[lane] += f64::from(value);
            }
        }
        let steps = steps(self.row);
        let around = |&place: &usize| {
            let [left, above @ ..] = steps.map(|step| place - step);
            let [right, below @ ..] = steps.map(|step| place + step);
            let rows = add(gather(&kept, above), gather(&kept, below));
            combine(2.0, add(kept[left], kept[right]), 1.0, rows)
        };
        let right = self.bordered.iter().map(around).chain([[0.0; LANES]]).collect();
        (right, sums.map(|sum| sum / (removed.len() - self.places.len()) as f64))
    }

    /// From starting values, with a 0 behind them, to the solution.
    fn solve(&self, mut residual: Vec<Lanes>, values: &mut [Lanes]) {
        let count = self.places.len();
        let goal = dot(&residual, &residual).map(|square| square * RESIDUAL);
        let [mut product, mut direction] = [(); 2].map(|()| vec![[0.0; LANES]; count + 1]);
        self.multiply(values, &mut product);
        advance(&mut residual, [-1.0; LANES], &product);
        let mut before = [0.0; LANES];
        // In exact arithmetic as many steps are enough as there are unknowns.
        for _ in 0..count.max(50) {
            // What is not a number is not worth another step.
            if !dot(&residual, &residual).iter().zip(goal).any(|(&square, goal)| square > goal) {
                break;
            }
            self.precondition(&residual, &mut product);
            let now = dot(&residual, &product);
            let turn = divide(now, before);
            before = now;
            for (direction, product) in direction.iter_mut().zip(&product) {
                for lane in 0..LANES {
                    direction[lane] = product[lane] + turn[lane] * direction[lane];
                }
            }
            self.multiply(&direction, &mut product);
            let length = divide(now, dot(&direction, &product));
            advance(values, length, &direction);
            advance(&mut residual, length.map(|length| -length), &product);
        }
    }

    fn multiply(&self, values: &[Lanes], product: &mut [Lanes]) {
        for (index, product) in product[..self.places.len()].iter_mut().enumerate() {
            let [left, above @ ..] = self.before[index].map(widen);
            let [right, below @ ..] = self.after[index].map(widen);
            let row = add(values[left], values[right]);
            let rows = add(gather(values, above), gather(values, below));
            let around = combine(2.0, row, 1.0, rows);
            *product = combine(self.diagonal[index], values[index], -1.0, around);
        }
    }

    /// What the factorised matrix makes the residual of. The value before stays at hand, since each
    /// one waits for it.
    fn precondition(&self, residual: &[Lanes], product: &mut [Lanes]) {
        let (none, mut value) = (self.places.len() as u32, [0.0; LANES]);
        let next = |neighbour: u32, inverse| if neighbour == none { 0.0 } else { 2.0 * inverse };
        for (index, &inverse) in self.factor.iter().enumerate() {
            let [left, above @ ..] = self.before[index];
            let sum = add(residual[index], gather(product, above.map(widen)));
            value = combine(inverse, sum, next(left, inverse), value);
            product[index] = value;
        }
        value = [0.0; LANES];
        for (index, &inverse) in self.factor.iter().enumerate().rev() {
            let [right, below @ ..] = self.after[index];
            let sum = combine(1.0, product[index], inverse, gather(product, below.map(widen)));
            value = combine(1.0, sum, next(right, inverse), value);
            product[index] = value;
        }
    }
}

/// 1 over the diagonal of the incomplete factor.
fn factorised(before: &[[u32; 4]], after: &[[u32; 4]], diagonal: &[f64]) -> Vec<f64> {
    let none = diagonal.len() as u32;
    let onward = |index: u32| -> f64 {
        let after = after[index as usize].iter().zip(WEIGHTS);
        after.filter(|&(&other, _)| other != none).map(|(_, weight)| weight).sum()
    };
    let mut factor: Vec<f64> = Vec::with_capacity(diagonal.len());
    for (before, diagonal) in before.iter().zip(diagonal) {
        let fill: f64 = before
            .iter()
            .zip(WEIGHTS)
            .filter(|&(&other, _)| other != none)
            .map(|(&other, weight)| {
                let outside = MODIFIED * (onward(other) - weight);
                weight * (weight + outside) * factor[other as usize]
            })
            .sum();
        factor.push(1.0 / (diagonal - fill));
    }
    factor
}

/// A pixel of an image of a width, in the image with a border of one pixel.
fn border(place: usize, width: usize) -> usize {
    (place / width + 1) * (width + 2) + place % width + 1
}

/// From a pixel to the neighbours after it, in rows of a length, in the order of `WEIGHTS`.
fn steps(row: usize) -> [usize; 4] {
    [1, row + 1, row, row - 1]
}

fn widen(index: u32) -> usize {
    index as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::subset;
    use burncam_evaluation::Random;

    fn neighbours([height, width]: [usize; 2], place: usize) -> Vec<(usize, f64)> {
        let (y, x) = (place / width, place % width);
        let rows = y.saturating_sub(1)..(y + 2).min(height);
        let all = rows.flat_map(|b| (x.saturating_sub(1)..(x + 2).min(width)).map(move |a| (b, a)));
        let weight = |b: usize, a: usize| if b == y || a == x { 1.0 / 6.0 } else { 1.0 / 12.0 };
        all.filter(|&other| other != (y, x)).map(|(b, a)| (b * width + a, weight(b, a))).collect()
    }

    /// The largest difference between a removed pixel and its neighbours' mean.
    fn remainder(copy: &[f32], size: [usize; 2], removed: &[bool]) -> f64 {
        let mut largest = 0.0_f64;
        for channel in copy.chunks_exact(removed.len()) {
            for place in (0..removed.len()).filter(|&place| removed[place]) {
                let [mut sum, mut weights] = [0.0; 2];
                for (other, weight) in neighbours(size, place) {
                    sum += weight * f64::from(channel[other]);
                    weights += weight;
                }
                largest = largest.max((f64::from(channel[place]) - sum / weights).abs());
            }
        }
        largest
    }

    fn image(size: [usize; 2]) -> Vec<f32> {
        let value = |index: usize| (index as f32 * 0.37).sin() + (index / size[1]) as f32 * 0.01;
        (0..3 * size[0] * size[1]).map(value).collect()
    }

    fn scattered(places: usize, share: f64) -> Vec<bool> {
        let mut removed = vec![false; places];
        let count = (places as f64 * share) as usize;
        let chosen = subset(&mut Random::new(5), count, places);
        chosen.into_iter().for_each(|place| removed[place] = true);
        removed
    }

    fn blob(size: [usize; 2], radius: f64) -> Vec<bool> {
        let distance = |place: usize| {
            let (y, x) = (place / size[1], place % size[1]);
            (y as f64 - 0.5 * size[0] as f64).hypot(x as f64 - 0.5 * size[1] as f64)
        };
        (0..size[0] * size[1]).map(|place| distance(place) < radius).collect()
    }

    #[test]
    fn removed_pixels_are_their_neighbours_mean() {
        let size = [40, 31];
        let one = (0..size[0] * size[1]).map(|place| place != 400).collect();
        for removed in [scattered(1240, 0.5), scattered(1240, 0.97), blob(size, 12.0), one] {
            let (before, mut copy) = (image(size), image(size));
            impute(&mut copy, size, &removed);
            assert!(remainder(&copy, size, &removed) < 1e-6);
            for (index, (value, before)) in copy.iter().zip(&before).enumerate() {
                assert!(removed[index % removed.len()] || value == before);
            }
        }
    }
}
