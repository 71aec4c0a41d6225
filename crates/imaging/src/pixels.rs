//! Any decoded pixel type into 8-bit RGB, by Pillow's rules.

use image::{DynamicImage, ImageBuffer, Pixel, RgbImage};

/// How 16-bit grey becomes 8 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grey16 {
    /// Everything above 255 is white: what Pillow does with grey that has no alpha channel.
    Saturate,
    /// The high byte.
    HighByte,
    /// As [`Self::Saturate`], of what the decoder inverted and Pillow does not.
    Inverted,
}

impl Grey16 {
    /// Whether `image` has values that this rule cuts to white.
    pub(crate) fn saturates(self, image: &DynamicImage) -> bool {
        let too_large = |value: u16| match self {
            Self::Saturate => value > u16::from(u8::MAX),
            Self::Inverted => !value > u16::from(u8::MAX),
            Self::HighByte => false,
        };
        match image {
            DynamicImage::ImageLuma16(image) => image.pixels().any(|p| too_large(p.0[0])),
            DynamicImage::ImageLumaA16(image) => image.pixels().any(|p| too_large(p.0[0])),
            _ => false,
        }
    }
}

/// What alpha did to colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alpha {
    /// Nothing.
    Beside,
    /// They were multiplied by it: Pillow divides them by its high byte.
    Associated,
}

/// `image` as 8-bit RGB, or `None` where there is no rule for its pixel type.
///
/// Grey is replicated; alpha is dropped, not composited.
pub(crate) fn to_rgb(image: DynamicImage, grey16: Grey16, alpha: Alpha) -> Option<RgbImage> {
    Some(match image {
        DynamicImage::ImageRgb8(image) => image,
        DynamicImage::ImageLuma8(image) => map(&image, |&image::Luma([grey])| [grey; 3]),
        DynamicImage::ImageLumaA8(image) => map(&image, |&image::LumaA([grey, _])| [grey; 3]),
        DynamicImage::ImageRgba8(image) => map(&image, |p| colours(p.0, alpha)),
        DynamicImage::ImageLuma16(image) => {
            map(&image, |&image::Luma([grey])| [narrow(grey, grey16); 3])
        }
        DynamicImage::ImageLumaA16(image) => {
            map(&image, |&image::LumaA([grey, _])| [narrow(grey, grey16); 3])
        }
        DynamicImage::ImageRgb16(image) => map(&image, |p| p.0.map(high_byte)),
        DynamicImage::ImageRgba16(image) => map(&image, |p| colours(p.0.map(high_byte), alpha)),
        DynamicImage::ImageRgb32F(image) => map(&image, |p| p.0.map(clip)),
        DynamicImage::ImageRgba32F(image) => map(&image, |p| first_three(p.0).map(clip)),
        _ => return None,
    })
}

fn map<P: Pixel>(
    image: &ImageBuffer<P, Vec<P::Subpixel>>,
    rgb: impl Fn(&P) -> [u8; 3],
) -> RgbImage {
    let mut result = RgbImage::new(image.width(), image.height());
    for (target, source) in result.pixels_mut().zip(image.pixels()) {
        target.0 = rgb(source);
    }
    result
}

fn first_three<T: Copy>([red, green, blue, _]: [T; 4]) -> [T; 3] {
    [red, green, blue]
}

fn colours(pixel: [u8; 4], rule: Alpha) -> [u8; 3] {
    let [.., alpha] = pixel;
    let divided = |colour: u8| {
        let quotient = u16::from(colour).saturating_mul(255).checked_div(alpha.into());
        quotient.map_or(0, |quotient| u8::try_from(quotient).unwrap_or(u8::MAX))
    };
    match rule {
        Alpha::Beside => first_three(pixel),
        Alpha::Associated => first_three(pixel).map(divided),
    }
}

fn narrow(value: u16, rule: Grey16) -> u8 {
    match rule {
        Grey16::Saturate => u8::try_from(value).unwrap_or(u8::MAX),
        Grey16::Inverted => narrow(!value, Grey16::Saturate),
        Grey16::HighByte => high_byte(value),
    }
}

fn high_byte(value: u16) -> u8 {
    let [high, _] = value.to_be_bytes();
    high
}

/// Cut to 0..=255, fraction dropped: `as` does both, and turns NaN into 0.
fn clip(value: f32) -> u8 {
    value as u8
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, ImageBuffer};

    use super::{Alpha, Grey16, to_rgb};

    fn one<P>(pixel: P) -> ImageBuffer<P, Vec<P::Subpixel>>
    where
        P: image::Pixel,
    {
        ImageBuffer::from_pixel(1, 1, pixel)
    }

    fn rgb(image: impl Into<DynamicImage>, grey16: Grey16) -> [u8; 3] {
        to_rgb(image.into(), grey16, Alpha::Beside).expect("a known pixel type").get_pixel(0, 0).0
    }

    #[test]
    fn grey_is_replicated_and_alpha_dropped() {
        assert_eq!(rgb(one(image::Luma([7u8])), Grey16::Saturate), [7; 3]);
        assert_eq!(rgb(one(image::LumaA([7u8, 0])), Grey16::Saturate), [7; 3]);
        assert_eq!(rgb(one(image::Rgba([1u8, 2, 3, 0])), Grey16::Saturate), [1, 2, 3]);
    }

    #[test]
    fn sixteen_bit_grey_saturates_where_told() {
        assert_eq!(rgb(one(image::Luma([200u16])), Grey16::Saturate), [200; 3]);
        assert_eq!(rgb(one(image::Luma([256u16])), Grey16::Saturate), [255; 3]);
        assert_eq!(rgb(one(image::LumaA([0x1234u16, 9])), Grey16::HighByte), [0x12; 3]);
        assert_eq!(rgb(one(image::LumaA([0x1234u16, 9])), Grey16::Saturate), [255; 3]);
        assert_eq!(rgb(one(image::Luma([65_435u16])), Grey16::Inverted), [100; 3]);
    }

    #[test]
    fn colours_are_divided_by_the_alpha_that_multiplied_them() {
        let rgb = |image: DynamicImage| {
            to_rgb(image, Grey16::Saturate, Alpha::Associated).expect("RGBA").get_pixel(0, 0).0
        };
        // (colour * 255) / alpha without its fraction, and no more than 255.
        assert_eq!(rgb(one(image::Rgba([50u8, 100, 3, 100])).into()), [127, 255, 7]);
        assert_eq!(rgb(one(image::Rgba([200u8, 1, 0, 100])).into()), [255, 2, 0]);
        assert_eq!(rgb(one(image::Rgba([9u8, 9, 9, 0])).into()), [0; 3]);
        assert_eq!(rgb(one(image::Rgba([9u8, 8, 7, 255])).into()), [9, 8, 7]);
        let wide = image::Rgba([50u16 << 8, 100 << 8, 3 << 8, 100 << 8]);
        assert_eq!(rgb(one(wide).into()), [127, 255, 7]);
    }

    #[test]
    fn sixteen_bit_colour_takes_the_high_byte() {
        let rgba = image::Rgba([0x00ffu16, 0x80ff, 0xffff, 0]);
        assert_eq!(rgb(one(rgba), Grey16::Saturate), [0x00, 0x80, 0xff]);
        let three = image::Rgb([0x00ffu16, 0x80ff, 0xffff]);
        assert_eq!(rgb(one(three), Grey16::Saturate), [0x00, 0x80, 0xff]);
    }

    #[test]
    fn floats_are_cut_to_the_range() {
        let pixel = image::Rgb([-3.0f32, 12.9, 300.0]);
        assert_eq!(rgb(one(pixel), Grey16::Saturate), [0, 12, 255]);
    }
}
