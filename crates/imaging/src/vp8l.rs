//! How many groups of Huffman codes a lossless WebP declares, before the decoder makes them.
//!
//! The largest number in an image of numbers is how many there are, so that a single pixel can ask for
//! 65,536 groups of five codes with tables of 70 KB. Whatever is not a pixel's own value repeats an earlier
//! one, so what is repeated need not be known to find the largest.

/// Symbols of green with lengths, of red, blue and alpha, and of distances.
const ALPHABETS: [u16; 5] = [256 + LENGTHS, 256, 256, 256, 40];
const LENGTHS: u16 = 24;

/// The order in which the lengths of the code of lengths are stored.
const ORDER: [usize; 19] = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// Lengths of a code are up to 15.
const LONGEST: usize = 16;

/// The groups of an image that begins with its header, if it can be read so far.
pub(crate) fn groups(bytes: &[u8]) -> Option<u32> {
    let mut bits = Bits { bytes, at: 0 };
    let (_signature, width) = (bits.take(8)?, bits.take(14)?);
    let (height, _alpha_and_version) = (bits.take(14)?, bits.take(4)?);
    bits.groups(width.saturating_add(1), height.saturating_add(1))
}

/// As [`groups`], of an alpha channel, which has no header.
pub(crate) fn alpha_groups(bytes: &[u8], width: u32, height: u32) -> Option<u32> {
    Bits { bytes, at: 0 }.groups(width, height)
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// The next bits, of which the first is the lowest.
    fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for place in 0..count {
            let byte = u32::from(*self.bytes.get(self.at.div_euclid(8))?);
            let inside = u32::try_from(self.at.rem_euclid(8)).ok()?;
            value |= (byte.wrapping_shr(inside) & 1).wrapping_shl(place);
            self.at = self.at.checked_add(1)?;
        }
        Some(value)
    }

    fn groups(&mut self, width: u32, height: u32) -> Option<u32> {
        let width = self.transforms(width, height)?;
        let _cache = self.cache()?;
        if self.take(1)? == 0 {
            return Some(1);
        }
        let largest = self.scaled_image(width, height)?;
        largest.checked_add(1)
    }

    /// Passes over the transforms, and gives the width that is left.
    fn transforms(&mut self, mut width: u32, height: u32) -> Option<u32> {
        let mut seen = [false; 4];
        while self.take(1)? == 1 {
            let kind = self.take(2)?;
            let seen = seen.get_mut(usize::try_from(kind).ok()?)?;
            if std::mem::replace(seen, true) {
                return None;
            }
            match kind {
                0 | 1 => {
                    self.scaled_image(width, height)?;
                }
                2 => (),
                _ => {
                    let colours = self.take(8)?.saturating_add(1);
                    self.image(colours, 1)?;
                    width = width.div_ceil(match colours {
                        0..=2 => 8,
                        3..=4 => 4,
                        5..=16 => 2,
                        _ => 1,
                    });
                }
            }
        }
        Some(width)
    }

    /// As [`Bits::image`], of a pixel for each block of this image.
    fn scaled_image(&mut self, width: u32, height: u32) -> Option<u32> {
        let side = 1_u32.wrapping_shl(self.take(3)?.saturating_add(2));
        self.image(width.div_ceil(side), height.div_ceil(side))
    }

    /// Passes over an image, and gives the largest number that red and green of a pixel are together.
    fn image(&mut self, width: u32, height: u32) -> Option<u32> {
        let cache = self.cache()?;
        let mut alphabets = ALPHABETS.into_iter();
        let green = Code::read(self, alphabets.next()?.saturating_add(cache))?;
        let others: Vec<_> =
            alphabets.map(|symbols| Code::read(self, symbols)).collect::<Option<_>>()?;
        let [red, blue, alpha, distance] = others.as_slice() else { return None };
        let mut left = width.checked_mul(height)?;
        let mut largest = 0;
        while left > 0 {
            let before = self.at;
            let symbol = u32::from(green.symbol(self)?);
            let (length, from) = (symbol.checked_sub(256), u32::from(LENGTHS));
            let taken = match length {
                None => {
                    let high = u32::from(red.symbol(self)?);
                    blue.symbol(self)?;
                    alpha.symbol(self)?;
                    largest = largest.max(high.wrapping_shl(8) | symbol);
                    1
                }
                Some(prefix) if prefix < from => {
                    let length = self.distance(prefix)?;
                    let prefix = u32::from(distance.symbol(self)?);
                    self.distance(prefix)?;
                    length
                }
                Some(_) => 1,
            };
            left = left.checked_sub(taken)?;
            if self.at == before {
                // What takes no bits is repeated to the end.
                break;
            }
        }
        Some(largest)
    }

    /// Colours of a cache, each of which is a symbol too.
    fn cache(&mut self) -> Option<u16> {
        if self.take(1)? == 0 {
            return Some(0);
        }
        let bits = self.take(4)?;
        (1..=11).contains(&bits).then(|| 1_u16.wrapping_shl(bits))
    }

    /// A length or distance of which the prefix is known.
    fn distance(&mut self, prefix: u32) -> Option<u32> {
        let Some(more) = prefix.checked_sub(4) else { return prefix.checked_add(1) };
        let extra = more.div_euclid(2).saturating_add(1);
        let least = (2 | (prefix & 1)).wrapping_shl(extra);
        least.checked_add(self.take(extra)?)?.checked_add(1)
    }
}

/// A Huffman code.
#[derive(Debug, Default)]
struct Code {
    /// How many symbols have a code of each length.
    counts: [u32; LONGEST],
    /// In the order of their codes.
    symbols: Vec<u16>,
}

impl Code {
    fn read(bits: &mut Bits<'_>, alphabet: u16) -> Option<Self> {
        if bits.take(1)? == 0 {
            let lengths = Self::lengths(bits, usize::from(alphabet))?;
            return Some(Self::of(&lengths));
        }
        let two = bits.take(1)? == 1;
        let width = if bits.take(1)? == 1 { 8 } else { 1 };
        let mut symbols = vec![u16::try_from(bits.take(width)?).ok()?];
        if two {
            symbols.push(u16::try_from(bits.take(8)?).ok()?);
        }
        let mut code = Self { symbols, ..Self::default() };
        *code.counts.get_mut(1)? = 2;
        Some(code)
    }

    fn of(lengths: &[u8]) -> Self {
        let mut code = Self::default();
        for (length, count) in (0_u8..).zip(&mut code.counts).skip(1) {
            let before = code.symbols.len();
            let with_length = (0..).zip(lengths).filter(|&(_, &other)| other == length);
            code.symbols.extend(with_length.map(|(symbol, _)| symbol));
            *count = code.symbols.len().abs_diff(before) as u32;
        }
        code
    }

    /// The lengths of the codes of an alphabet, which are compressed themselves.
    fn lengths(bits: &mut Bits<'_>, alphabet: usize) -> Option<Vec<u8>> {
        let mut own = [0; ORDER.len()];
        let count = bits.take(4)?.saturating_add(4);
        for &place in ORDER.iter().take(usize::try_from(count).ok()?) {
            *own.get_mut(place)? = u8::try_from(bits.take(3)?).ok()?;
        }
        let code = Self::of(&own);
        let most = if bits.take(1)? == 1 {
            let width = bits.take(3)?.saturating_mul(2).saturating_add(2);
            usize::try_from(bits.take(width)?).ok()?.saturating_add(2)
        } else {
            alphabet
        };
        let (mut lengths, mut last) = (Vec::with_capacity(alphabet), 8);
        for _ in 0..most {
            if lengths.len() >= alphabet {
                break;
            }
            let (length, least, width) = match code.symbol(bits)? {
                16 => (last, 3, 2),
                17 => (0, 3, 3),
                18 => (0, 11, 7),
                length => (u8::try_from(length).ok()?, 1, 0),
            };
            last = if length == 0 { last } else { length };
            let repeat = usize::try_from(bits.take(width)?).ok()?.saturating_add(least);
            lengths.resize(lengths.len().saturating_add(repeat), length);
        }
        (lengths.len() <= alphabet).then_some(lengths)
    }

    /// The next symbol. A code of only one takes no bits.
    fn symbol(&self, bits: &mut Bits<'_>) -> Option<u16> {
        if let [only] = self.symbols.as_slice() {
            return Some(*only);
        }
        let (mut code, mut first, mut before) = (0_u32, 0_u32, 0_u32);
        for &count in self.counts.iter().skip(1) {
            code = code.wrapping_shl(1) | bits.take(1)?;
            first = first.wrapping_shl(1);
            let inside = code.wrapping_sub(first);
            if inside < count {
                let place = usize::try_from(before.checked_add(inside)?).ok()?;
                return self.symbols.get(place).copied();
            }
            before = before.checked_add(count)?;
            first = first.checked_add(count)?;
        }
        None
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Cursor;

    use image::codecs::webp::WebPEncoder;
    use image::{ExtendedColorType, ImageEncoder};

    use super::*;

    /// An image of 4 × 4 pixels, without its header, that wants so many groups.
    pub(crate) fn wanting(groups: u32) -> Vec<u8> {
        let number = groups - 1;
        let single = |symbol: u32| (0b101 | symbol << 3, 11);
        let fields = [
            // No transform, no cache, an image of numbers for blocks of 4 × 4, no cache.
            (0, 1),
            (0, 1),
            (1, 1),
            (0, 3),
            (0, 1),
            single(number & 0xff),
            single(number >> 8),
            single(0),
            single(0),
            single(0),
        ];
        let bits =
            fields.iter().flat_map(|&(value, width)| (0..width).map(move |at| value >> at & 1));
        let bits: Vec<u32> = bits.collect();
        let byte =
            |bits: &[u32]| (0..).zip(bits).fold(0, |byte, (at, bit)| byte | (bit << at) as u8);
        bits.chunks(8).map(byte).collect()
    }

    #[test]
    fn one_pixel_can_want_any_number_of_groups() {
        for wanted in [1, 2, 256, 257, 65_536] {
            assert_eq!(alpha_groups(&wanting(wanted), 4, 4), Some(wanted));
            let mut whole = vec![0x2f, 3, 0xc0, 0, 0];
            whole.extend(wanting(wanted));
            assert_eq!(groups(&whole), Some(wanted));
        }
    }

    #[test]
    fn an_image_without_numbers_has_one_group() {
        let pixels: Vec<u8> = (0..64 * 64 * 3_u32).map(|at| ((at * at) >> 3) as u8).collect();
        let mut bytes = Cursor::new(Vec::new());
        let encoder = WebPEncoder::new_lossless(&mut bytes);
        encoder.write_image(&pixels, 64, 64, ExtendedColorType::Rgb8).expect("a WebP");
        assert_eq!(groups(&bytes.into_inner()[20..]), Some(1));
    }

    #[test]
    fn what_ends_early_has_no_number() {
        let whole = wanting(300);
        for length in 0..whole.len() {
            assert_eq!(alpha_groups(&whole[..length], 4, 4), None, "{length}");
        }
    }
}
