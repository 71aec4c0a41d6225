//! Which kinds of numbers an HDF5 file may hold.

use burncam_hdf5::{Element as Stored, FloatLayout};

use crate::store::BoxError;
use crate::tensors::floats;
use crate::torch::pickle_value::Element;

const HINT: &str = "hint: save the model again with weights of float32";

/// How the numbers of a dataset are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// IEEE 754 binary16.
    F16 {
        /// The byte order.
        big_endian: bool,
    },
    /// IEEE 754 binary32.
    F32 {
        /// The byte order.
        big_endian: bool,
    },
    /// IEEE 754 binary64.
    F64 {
        /// The byte order.
        big_endian: bool,
    },
    /// Whole numbers.
    Integer {
        /// Bytes, at most 8.
        size: u32,
        /// In two's complement.
        signed: bool,
        /// The byte order.
        big_endian: bool,
    },
}

impl Numbers {
    /// How many bytes each takes.
    pub(crate) fn size(self) -> u64 {
        match self {
            Self::F16 { .. } => 2,
            Self::F32 { .. } => 4,
            Self::F64 { .. } => 8,
            Self::Integer { size, .. } => size.into(),
        }
    }

    /// Those of a datatype. HDF5 lets a file describe floats of any kind.
    ///
    /// # Errors
    ///
    /// If they are neither whole numbers nor floats of IEEE 754, of half, single or double precision.
    pub(crate) fn read(stored: Stored) -> Result<Self, BoxError> {
        match stored {
            Stored::Integer { size: size @ 1..=8, signed, big_endian } => {
                Ok(Self::Integer { size, signed, big_endian })
            }
            Stored::Float { big_endian, layout } => match layout {
                FloatLayout::BINARY16 => Ok(Self::F16 { big_endian }),
                FloatLayout::BINARY32 => Ok(Self::F32 { big_endian }),
                FloatLayout::BINARY64 => Ok(Self::F64 { big_endian }),
                _ => Err(foreign(layout).into()),
            },
            Stored::VaxFloat => Err(format!("its floats are in VAX byte order\n{HINT}").into()),
            _ => Err(format!("its values are no numbers\n{HINT}").into()),
        }
    }

    /// The values of such numbers, rounded to nearest where they have more digits.
    pub(crate) fn values(self, mut bytes: Vec<u8>) -> Result<Vec<f32>, BoxError> {
        let (element, big_endian) = match self {
            Self::F16 { big_endian } => (Element::F16, big_endian),
            Self::F32 { big_endian } => (Element::F32, big_endian),
            Self::F64 { big_endian } => (Element::F64, big_endian),
            Self::Integer { size, signed, big_endian } => {
                let each = bytes.chunks_exact(usize::try_from(size)?.max(1));
                return Ok(each.map(|bytes| integer(bytes, signed, big_endian)).collect());
            }
        };
        if big_endian {
            let size = usize::try_from(self.size())?;
            bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
        }
        floats(element, &bytes)
    }
}

fn foreign(layout: FloatLayout) -> String {
    let FloatLayout { size, precision, exponent_size, exponent_bias, mantissa_size, .. } = layout;
    format!(
        "its floats are none of IEEE 754's (float16, float32, float64): {precision} bits in {size} \
         bytes, with an exponent of {exponent_size} bits and a bias of {exponent_bias}, and a fraction \
         of {mantissa_size} bits\n{HINT}"
    )
}

/// A whole number of up to 8 bytes.
fn integer(bytes: &[u8], signed: bool, big_endian: bool) -> f32 {
    let next = |value: u64, byte: &u8| (value << 8) | u64::from(*byte);
    let value = match big_endian {
        true => bytes.iter().fold(0, next),
        false => bytes.iter().rev().fold(0, next),
    };
    // Its sign is its highest bit.
    let above = 64_u32.saturating_sub((bytes.len() as u32).saturating_mul(8)).min(63);
    if signed { ((value << above).cast_signed() >> above) as f32 } else { value as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_of_another_layout_are_refused() {
        let float = |layout| Stored::Float { big_endian: false, layout };
        let single = Numbers::read(float(FloatLayout::BINARY32)).expect("numbers");
        assert_eq!(single, Numbers::F32 { big_endian: false });
        let altered = |change: fn(&mut FloatLayout)| {
            let mut layout = FloatLayout::BINARY32;
            change(&mut layout);
            float(layout)
        };
        let bfloat16 = |layout: &mut FloatLayout| {
            (layout.size, layout.precision) = (2, 16);
            (layout.exponent_location, layout.mantissa_size) = (7, 7);
        };
        for (stored, words) in [
            (altered(|layout| layout.exponent_bias = 100), "a bias of 100"),
            (altered(|layout| layout.precision = 20), "20 bits in 4 bytes"),
            (altered(|layout| layout.bit_offset = 1), "none of IEEE 754's"),
            (altered(|layout| layout.exponent_location = 24), "none of IEEE 754's"),
            (altered(|layout| layout.mantissa_location = 1), "none of IEEE 754's"),
            (altered(|layout| layout.size = 8), "32 bits in 8 bytes"),
            (altered(bfloat16), "8 bits and"),
            (Stored::VaxFloat, "VAX"),
            (Stored::Other, "no numbers"),
        ] {
            let error = Numbers::read(stored).expect_err("no numbers of IEEE's").to_string();
            assert!(error.contains(words), "{stored:?}: {error}");
        }
    }

    #[test]
    fn numbers_are_read_in_both_orders() {
        let halves = vec![0x00, 0x3c, 0x01, 0x00, 0xff, 0xfb];
        let swapped = vec![0x3c, 0x00, 0x00, 0x01, 0xfb, 0xff];
        let values = [1.0, 2.0_f32.powi(-24), -65_504.0];
        let half = |big_endian| Numbers::F16 { big_endian };
        assert_eq!(half(false).values(halves).expect("halves"), values);
        assert_eq!(half(true).values(swapped).expect("halves"), values);
        let double = 0.1_f64;
        let of = |big_endian| Numbers::F64 { big_endian };
        assert_eq!(of(true).values(double.to_be_bytes().to_vec()).expect("doubles"), [0.1]);
        assert_eq!(of(false).values(double.to_le_bytes().to_vec()).expect("doubles"), [0.1]);
    }

    #[test]
    fn whole_numbers_have_their_sign() {
        let of = |size, signed, big_endian| Numbers::Integer { size, signed, big_endian };
        let read =
            |numbers: Numbers, bytes: &[u8]| numbers.values(bytes.to_vec()).expect("numbers");
        assert_eq!(read(of(1, true, false), &[0xff, 0x7f]), [-1.0, 127.0]);
        assert_eq!(read(of(1, false, false), &[0xff]), [255.0]);
        assert_eq!(read(of(2, true, true), &[0xff, 0xfe]), [-2.0]);
        assert_eq!(read(of(3, true, false), &[0xfe, 0xff, 0xff]), [-2.0]);
        assert_eq!(read(of(8, true, false), &i64::MIN.to_le_bytes()), [i64::MIN as f32]);
        assert_eq!(read(of(8, false, true), &u64::MAX.to_be_bytes()), [u64::MAX as f32]);
    }
}
