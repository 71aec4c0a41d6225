//! Pillow's bicubic resize of 8-bit RGB, equal to the last bit.

use image::RgbImage;

/// Fixed-point weights have this many bits after the point: what 32 bits leave next to 8 bits
/// of pixel and 2 bits of head room.
const PRECISION: u32 = 22;

/// Resizes `image` to `width` x `height` pixels as Pillow's `Image.resize` does by default.
///
/// The filter is the cubic with a = -0.5, widened when shrinking. Pixels are filtered along rows
/// first and rounded to 8 bits before columns; an axis of equal size is left alone. Pillow 12
/// always does so; Pillow 13 takes the columns first for some images that lose height, which a
/// map that grows to its frame never does.
///
/// # Panics
///
/// If the image or the wanted size has no pixels.
#[must_use]
pub fn resize_bicubic(image: &RgbImage, width: u32, height: u32) -> RgbImage {
    assert!(width > 0 && height > 0, "an image has at least one pixel");
    assert!(image.width() > 0 && image.height() > 0, "an image has at least one pixel");
    let wide = if image.width() == width { image.clone() } else { across(image, width) };
    if image.height() == height { wide } else { down(&wide, height) }
}

/// The pixels that make one pixel of the result: `weights[k]` belongs to `first + k`.
struct Taps {
    first: usize,
    weights: Vec<i32>,
}

/// The filter's weights for each of `to` positions along an axis of `from` pixels.
fn taps(from: usize, to: usize) -> Vec<Taps> {
    let scale = from as f64 / to as f64;
    let stretch = scale.max(1.0);
    let support = 2.0 * stretch;
    let shrink = 1.0 / stretch;
    (0..to)
        .map(|position| {
            let centre = (position as f64 + 0.5) * scale;
            let first = (centre - support + 0.5).max(0.0) as usize;
            let end = ((centre + support + 0.5) as usize).min(from);
            let raw: Vec<f64> =
                (first..end).map(|index| cubic((index as f64 - centre + 0.5) * shrink)).collect();
            let mut sum = 0.0;
            for weight in &raw {
                sum += weight;
            }
            let weights = raw.iter().map(|weight| fixed_point(weight / sum)).collect();
            Taps { first, weights }
        })
        .collect()
}

/// The cubic convolution kernel with a = -0.5, in the order of operations of Pillow's.
fn cubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

fn fixed_point(weight: f64) -> i32 {
    let scaled = weight * f64::from(1_i32 << PRECISION);
    (if weight < 0.0 { scaled - 0.5 } else { scaled + 0.5 }) as i32
}

const HALF: i32 = 1 << (PRECISION - 1);

fn to_byte(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

fn across(image: &RgbImage, width: u32) -> RgbImage {
    let stride = image.width() as usize * 3;
    let taps = taps(image.width() as usize, width as usize);
    let mut result = RgbImage::new(width, image.height());
    let lines = result.chunks_exact_mut(width as usize * 3);
    for (line, source) in lines.zip(image.as_raw().chunks_exact(stride)) {
        for (target, taps) in line.chunks_exact_mut(3).zip(&taps) {
            let mut sums = [HALF; 3];
            let pixels = source[taps.first * 3..].chunks_exact(3);
            for (weight, pixel) in taps.weights.iter().zip(pixels) {
                for (sum, &value) in sums.iter_mut().zip(pixel) {
                    *sum += i32::from(value) * weight;
                }
            }
            target.copy_from_slice(&sums.map(to_byte));
        }
    }
    result
}

fn down(image: &RgbImage, height: u32) -> RgbImage {
    let stride = image.width() as usize * 3;
    let taps = taps(image.height() as usize, height as usize);
    let mut result = RgbImage::new(image.width(), height);
    let mut sums = vec![0; stride];
    for (line, taps) in result.chunks_exact_mut(stride).zip(&taps) {
        sums.fill(HALF);
        let rows = image.as_raw()[taps.first * stride..].chunks_exact(stride);
        for (&weight, row) in taps.weights.iter().zip(rows) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += i32::from(value) * weight;
            }
        }
        for (target, &sum) in line.iter_mut().zip(&sums) {
            *target = to_byte(sum);
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use image::RgbImage;

    use super::resize_bicubic;

    /// The same pixels as in the script that asked Pillow for the checksums below.
    fn picture(width: u32, height: u32) -> RgbImage {
        let mut state = 12345_u32;
        RgbImage::from_fn(width, height, |_, _| {
            image::Rgb([0; 3].map(|_: u8| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            }))
        })
    }

    #[test]
    fn checksums_are_pillows() {
        // (width, height) before, (width, height) after, CRC-32 of the bytes
        let cases = [
            ((14, 14), (224, 224), 0xa18c_8b11),
            ((7, 7), (224, 224), 0xfc53_ad37),
            ((8, 8), (299, 299), 0x82a9_b0b7),
            ((12, 12), (120, 120), 0xe530_698a),
            ((1, 1), (5, 4), 0xe8d2_a8b3),
            ((1, 3), (2, 9), 0x634d_ce50),
            ((3, 1), (7, 1), 0x90e5_6294),
            ((5, 3), (16, 40), 0x82d1_2049),
            ((16, 40), (16, 3), 0x4324_6c61),
            ((40, 16), (3, 16), 0xecb2_49a5),
            ((33, 17), (8, 50), 0xafc6_c7e7),
            ((50, 60), (1, 1), 0x1e5a_769f),
            ((64, 64), (63, 65), 0x7335_0402),
            ((20, 9), (20, 31), 0x1a76_068f),
            ((20, 9), (31, 9), 0x6c8a_03e6),
            ((100, 80), (7, 13), 0x7ef9_8288),
            ((6, 6), (6, 6), 0x7664_ad10),
        ];
        for ((from_w, from_h), (to_w, to_h), checksum) in cases {
            let resized = resize_bicubic(&picture(from_w, from_h), to_w, to_h);
            assert_eq!(resized.dimensions(), (to_w, to_h));
            let found = crc32fast::hash(resized.as_raw());
            assert_eq!(found, checksum, "{from_w} x {from_h} to {to_w} x {to_h}");
        }
    }

    #[test]
    fn a_constant_image_stays_constant() {
        let grey = RgbImage::from_pixel(5, 3, image::Rgb([0, 128, 255]));
        let resized = resize_bicubic(&grey, 17, 40);
        assert!(resized.pixels().all(|pixel| pixel.0 == [0, 128, 255]));
    }
}
