//! Which kinds of numbers an HDF5 file may hold.

use hdf5_pure::{Datatype, DatatypeByteOrder, FloatingPointLayout};

use crate::store::BoxError;
use crate::tensors::floats;
use crate::torch::pickle_value::Element;

/// IEEE 754 binary16, which the library does not read.
pub(crate) const BINARY16: FloatingPointLayout = FloatingPointLayout {
    bit_offset: 0,
    bit_precision: 16,
    exponent_location: 10,
    exponent_size: 5,
    mantissa_location: 0,
    mantissa_size: 10,
    exponent_bias: 15,
};

const HINT: &str = "hint: save the model again with weights of float32";

/// How the numbers of a dataset are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// As the library reads them, each of so many bytes.
    OfLibrary(u64),
    /// IEEE 754 binary16.
    Half {
        /// The byte order.
        big_endian: bool,
    },
}

impl Numbers {
    /// How many bytes each takes.
    pub(crate) fn size(self) -> u64 {
        match self {
            Self::OfLibrary(size) => size,
            Self::Half { .. } => 2,
        }
    }

    /// Those of a datatype. HDF5 lets a file describe floats of any kind, and the library takes them all
    /// for IEEE's.
    ///
    /// # Errors
    ///
    /// If they are neither whole numbers nor floats of IEEE 754, of half, single or double precision.
    pub(crate) fn of(datatype: &Datatype) -> Result<Self, BoxError> {
        use DatatypeByteOrder::{BigEndian, LittleEndian};
        match datatype {
            Datatype::FixedPoint {
                size: size @ 1..=8,
                byte_order: LittleEndian | BigEndian,
                ..
            } => Ok(Self::OfLibrary(u64::from(*size))),
            Datatype::FloatingPoint {
                size,
                byte_order: order @ (LittleEndian | BigEndian),
                layout,
            } => match (size, *layout) {
                (2, BINARY16) => Ok(Self::Half { big_endian: *order == BigEndian }),
                (4, FloatingPointLayout::IEEE754_BINARY32)
                | (8, FloatingPointLayout::IEEE754_BINARY64) => {
                    Ok(Self::OfLibrary(u64::from(*size)))
                }
                (_, layout) => Err(foreign(*size, layout).into()),
            },
            Datatype::FloatingPoint { .. } => {
                Err(format!("its floats are in VAX byte order\n{HINT}").into())
            }
            _ => Err(format!("its values are no numbers\n{HINT}").into()),
        }
    }
}

fn foreign(size: u32, layout: FloatingPointLayout) -> String {
    let FloatingPointLayout { bit_precision, exponent_size, mantissa_size, exponent_bias, .. } =
        layout;
    format!(
        "its floats are none of IEEE 754's (float16, float32, float64): {bit_precision} bits in {size} \
         bytes, with an exponent of {exponent_size} bits and a bias of {exponent_bias}, and a fraction of \
         {mantissa_size} bits\n{HINT}"
    )
}

/// Numbers of binary16, exactly.
pub(crate) fn halves(mut bytes: Vec<u8>, big_endian: bool) -> Result<Vec<f32>, BoxError> {
    if big_endian {
        bytes.as_chunks_mut::<2>().0.iter_mut().for_each(|half| half.reverse());
    }
    floats(Element::F16, &bytes)
}

#[cfg(test)]
mod tests {
    use hdf5_pure::{make_f32_type, make_f64_type};

    use super::*;

    /// The type with a change to its layout.
    fn altered(datatype: Datatype, change: impl FnOnce(&mut FloatingPointLayout)) -> Datatype {
        match datatype {
            Datatype::FloatingPoint { size, byte_order, mut layout } => {
                change(&mut layout);
                Datatype::FloatingPoint { size, byte_order, layout }
            }
            other => other,
        }
    }

    fn float(size: u32, byte_order: DatatypeByteOrder, layout: FloatingPointLayout) -> Datatype {
        Datatype::FloatingPoint { size, byte_order, layout }
    }

    #[test]
    fn floats_of_ieee_are_read_in_both_orders() {
        let single = FloatingPointLayout::IEEE754_BINARY32;
        let big = DatatypeByteOrder::BigEndian;
        for (datatype, numbers) in [
            (make_f32_type(), Numbers::OfLibrary(4)),
            (make_f64_type(), Numbers::OfLibrary(8)),
            (float(4, big, single), Numbers::OfLibrary(4)),
            (float(2, big, BINARY16), Numbers::Half { big_endian: true }),
            (
                float(2, DatatypeByteOrder::LittleEndian, BINARY16),
                Numbers::Half { big_endian: false },
            ),
        ] {
            assert_eq!(Numbers::of(&datatype).expect("numbers"), numbers, "{datatype:?}");
        }
    }

    #[test]
    fn other_floats_are_refused() {
        let single = || make_f32_type();
        let layout = FloatingPointLayout::IEEE754_BINARY32;
        let bfloat = FloatingPointLayout {
            bit_precision: 16,
            exponent_location: 7,
            mantissa_size: 7,
            ..layout
        };
        for (datatype, words) in [
            (altered(single(), |layout| layout.exponent_bias = 100), "a bias of 100"),
            (altered(single(), |layout| layout.bit_precision = 20), "20 bits in 4 bytes"),
            (altered(single(), |layout| layout.bit_offset = 1), "none of IEEE 754's"),
            (altered(single(), |layout| layout.exponent_location = 24), "none of IEEE 754's"),
            (altered(single(), |layout| layout.mantissa_location = 1), "none of IEEE 754's"),
            (altered(make_f64_type(), |layout| layout.exponent_bias = 1024), "a bias of 1024"),
            (float(8, DatatypeByteOrder::LittleEndian, layout), "32 bits in 8 bytes"),
            (float(2, DatatypeByteOrder::LittleEndian, bfloat), "an exponent of 8 bits"),
            (float(4, DatatypeByteOrder::Vax, layout), "VAX"),
        ] {
            let error = Numbers::of(&datatype).expect_err("no numbers of IEEE's").to_string();
            assert!(error.contains(words), "{datatype:?}: {error}");
        }
    }

    #[test]
    fn halves_are_read_exactly() {
        let bytes = vec![0x00, 0x3c, 0x01, 0x00, 0xff, 0xfb];
        let swapped = vec![0x3c, 0x00, 0x00, 0x01, 0xfb, 0xff];
        let values = [1.0, 2.0_f32.powi(-24), -65_504.0];
        assert_eq!(halves(bytes, false).expect("halves"), values);
        assert_eq!(halves(swapped, true).expect("halves"), values);
    }
}
