//! The mean of maps on one face.

use super::alignment::Warped;

/// A sum of maps on the mean face.
#[derive(Clone, Debug, PartialEq)]
pub struct MeanFace {
    size: [usize; 2],
    sums: Vec<f64>,
    counts: Vec<usize>,
    images: usize,
}

impl MeanFace {
    /// Of no map yet; `size` is height and width.
    #[must_use]
    pub fn new(size: [usize; 2]) -> Self {
        let pixels = size[0] * size[1];
        Self { size, sums: vec![0.0; pixels], counts: vec![0; pixels], images: 0 }
    }

    /// Adds a map where it is valid.
    ///
    /// # Panics
    ///
    /// If the map is of another size.
    pub fn add(&mut self, map: &Warped) {
        assert_eq!(map.size, self.size, "maps of one size");
        let places = self.sums.iter_mut().zip(&mut self.counts);
        for ((sum, count), (&value, &valid)) in places.zip(map.values.iter().zip(&map.valid)) {
            if valid {
                *sum += f64::from(value);
                *count += 1;
            }
        }
        self.images += 1;
    }

    /// How many maps there are.
    #[must_use]
    pub fn images(&self) -> usize {
        self.images
    }

    /// The mean of the maps that are valid at each place; a place is valid where at least `least` of them are, and
    /// at least one.
    #[must_use]
    pub fn mean(&self, least: usize) -> Warped {
        let valid: Vec<bool> = self.counts.iter().map(|&count| count >= least.max(1)).collect();
        let mean = |((&sum, &count), &valid): ((&f64, &usize), &bool)| {
            if valid { (sum / count as f64) as f32 } else { 0.0 }
        };
        let values = self.sums.iter().zip(&self.counts).zip(&valid).map(mean).collect();
        Warped { values, valid, size: self.size }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regions::{Similarity, warp};

    #[test]
    fn the_mean_face_is_a_mean_where_images_are() {
        let size = [2, 2];
        let still = Similarity { scale: 1.0, rotation: 0.0, shift: [0.0, 0.0] };
        let right = Similarity { shift: [1.0, 0.0], ..still };
        let mut mean = MeanFace::new(size);
        mean.add(&warp(&[1.0, 2.0, 3.0, 4.0], size, &still, size));
        mean.add(&warp(&[5.0, 6.0, 7.0, 8.0], size, &right, size));
        assert_eq!(mean.images(), 2);
        assert_eq!(mean.mean(0).values, [1.0, 3.5, 3.0, 5.5]);
        assert_eq!(mean.mean(2).values, [0.0, 3.5, 0.0, 5.5]);
        assert_eq!(mean.mean(2).valid, [false, true, false, true]);
        assert_eq!(MeanFace::new(size).mean(0).valid, [false; 4]);
    }
}
