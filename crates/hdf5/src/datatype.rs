//! Datatypes: format specification, section IV.A.2.d. What a type is made of is not looked at: a file
//! may nest types as deep as it likes.

use crate::bytes::Bytes;
use crate::error::Error;

/// How one element of a dataset is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Element {
    /// A whole number, which fills its bytes.
    Integer {
        /// Bytes.
        size: u32,
        /// In two's complement.
        signed: bool,
        /// The byte order.
        big_endian: bool,
    },
    /// A floating-point number whose sign is its highest bit, and whose mantissa's highest bit is
    /// implied.
    Float {
        /// The byte order.
        big_endian: bool,
        /// What its bits are.
        layout: FloatLayout,
    },
    /// A floating-point number in the byte order of the VAX.
    VaxFloat,
    /// Anything else.
    Other,
}

/// What the bits of a floating-point number are. Locations are in bits from the lowest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FloatLayout {
    /// Bytes.
    pub size: u32,
    /// Where the number begins.
    pub bit_offset: u16,
    /// Its bits.
    pub precision: u16,
    /// Where the exponent begins.
    pub exponent_location: u8,
    /// Its bits.
    pub exponent_size: u8,
    /// Where the mantissa begins.
    pub mantissa_location: u8,
    /// Its bits.
    pub mantissa_size: u8,
    /// What the exponent of 1 is stored as.
    pub exponent_bias: u32,
}

impl FloatLayout {
    /// IEEE 754 binary16.
    pub const BINARY16: Self = Self::ieee(2, 16, 5, 10, 15);
    /// IEEE 754 binary32.
    pub const BINARY32: Self = Self::ieee(4, 32, 8, 23, 127);
    /// IEEE 754 binary64.
    pub const BINARY64: Self = Self::ieee(8, 64, 11, 52, 1023);

    /// Bytes, then bits: all, the exponent's, and the mantissa's below them; and the bias.
    const fn ieee(size: u32, precision: u16, exponent: u8, mantissa: u8, bias: u32) -> Self {
        Self {
            size,
            bit_offset: 0,
            precision,
            exponent_location: mantissa,
            exponent_size: exponent,
            mantissa_location: 0,
            mantissa_size: mantissa,
            exponent_bias: bias,
        }
    }
}

/// What of a datatype matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Datatype {
    /// Bytes of one element.
    pub(crate) size: u32,
    pub(crate) class: Class,
}

/// What the elements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Number(Element),
    /// A string of fixed length, and how it is filled up.
    Text(Padding),
    /// A string in a global heap.
    Variable,
    Other,
}

/// What follows a string that is shorter than its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Padding {
    /// A null byte and anything.
    Ended,
    Nulls,
    Spaces,
}

impl Datatype {
    pub(crate) fn parse(message: &[u8]) -> Result<Self, Error> {
        let mut bytes = Bytes(message);
        let class = bytes.u8()? & 0xf;
        let (flags, sign) = (bytes.u8()?, bytes.u8()?);
        bytes.skip(1)?;
        let size = bytes.u32()?;
        let class = match class {
            0 => Class::Number(integer(bytes, flags, size)?),
            1 => Class::Number(float(bytes, (flags, sign), size)?),
            3 => match flags & 0xf {
                0 => Class::Text(Padding::Ended),
                1 => Class::Text(Padding::Nulls),
                2 => Class::Text(Padding::Spaces),
                _ => Class::Other,
            },
            9 if flags & 0xf == 1 => Class::Variable,
            _ => Class::Other,
        };
        Ok(Self { size, class })
    }

    pub(crate) fn element(&self) -> Element {
        if let Class::Number(element) = self.class { element } else { Element::Other }
    }
}

fn integer(mut bytes: Bytes<'_>, flags: u8, size: u32) -> Result<Element, Error> {
    let (offset, precision) = (bytes.u16()?, bytes.u16()?);
    let whole = offset == 0 && Some(u32::from(precision)) == size.checked_mul(8);
    let (signed, big_endian) = (flags & 1 << 3 != 0, flags & 1 != 0);
    Ok(if whole { Element::Integer { size, signed, big_endian } } else { Element::Other })
}

fn float(mut bytes: Bytes<'_>, (flags, sign): (u8, u8), size: u32) -> Result<Element, Error> {
    let (vax, big_endian) = (flags & 1 << 6 != 0, flags & 1 != 0);
    let (bit_offset, precision) = (bytes.u16()?, bytes.u16()?);
    let highest = bit_offset.checked_add(precision).and_then(|end| end.checked_sub(1));
    // The mantissa's highest bit may be stored, or there may be none.
    let implied = flags >> 4 & 3 == 2;
    if vax {
        return Ok(Element::VaxFloat);
    }
    if !implied || highest != Some(sign.into()) {
        return Ok(Element::Other);
    }
    let layout = FloatLayout {
        size,
        bit_offset,
        precision,
        exponent_location: bytes.u8()?,
        exponent_size: bytes.u8()?,
        mantissa_location: bytes.u8()?,
        mantissa_size: bytes.u8()?,
        exponent_bias: bytes.u32()?,
    };
    Ok(Element::Float { big_endian, layout })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn half() -> [u8; 20] {
        [0x11, 0x20, 15, 0, 2, 0, 0, 0, 0, 0, 16, 0, 10, 5, 0, 10, 15, 0, 0, 0]
    }

    #[test]
    fn a_half_is_a_float_of_two_bytes() {
        let half = Datatype::parse(&half()).expect("a datatype").element();
        assert_eq!(half, Element::Float { big_endian: false, layout: FloatLayout::BINARY16 });
    }

    #[test]
    fn a_float_with_its_sign_elsewhere_is_another_kind() {
        for (at, value) in [(2, 14), (1, 0x10)] {
            let mut message = half();
            message[at] = value;
            assert_eq!(Datatype::parse(&message).expect("a datatype").element(), Element::Other);
        }
        let mut vax = half();
        vax[1] = 0x61;
        assert_eq!(Datatype::parse(&vax).expect("a datatype").element(), Element::VaxFloat);
    }

    #[test]
    fn an_integer_must_fill_its_bytes() {
        let mut message = [0x10, 8, 0, 0, 4, 0, 0, 0, 0, 0, 32, 0];
        let element = Element::Integer { size: 4, signed: true, big_endian: false };
        assert_eq!(Datatype::parse(&message).expect("a datatype").element(), element);
        message[10] = 31;
        assert_eq!(Datatype::parse(&message).expect("a datatype").element(), Element::Other);
    }
}
