//! JPEGs: Pillow's pixels to the last bit, and Pillow's files byte for byte.
//!
//! `goldens/jpeg.zip` was made by `tests/reference/pillow_jpegs.py` with Pillow 13.0.0, whose libjpeg-turbo is 3.2.0.

use std::path::Path;

use burncam_imaging::{DecodeOptions, RgbImage, decode_bytes};
use burncam_models::ARCHS;
use burncam_render::{Format, encode, overlay};
use parity::{Golden, crc32, jpeg_table, jpegs, pillow_frame};

#[test]
fn every_kind_of_jpeg_has_pillows_pixels() {
    let files = jpegs();
    let table = jpeg_table("decoded.tsv");
    assert_eq!(table.len(), files.len() - 3, "a row for each JPEG, and three tables");
    for (cells, crc) in table {
        let [name, width, height] = <[String; 3]>::try_from(cells).expect("three cells");
        let image = decode_bytes(Path::new(&name), &files[&name], DecodeOptions::default());
        let image = image.unwrap_or_else(|error| panic!("{error}"));
        let (found_width, found_height) = image.pixels.dimensions();
        assert_eq!([found_width.to_string(), found_height.to_string()], [width, height], "{name}");
        assert_eq!(crc32(image.pixels.as_raw()), crc, "{name}");
    }
}

/// As `drawn` in the script.
fn drawn(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let value = |c: u32| {
            let ramp = x * (3 + c) + y * (5 - c) * 2;
            let grain = x.wrapping_mul(2_654_435_761).wrapping_add(y * 40_503 + c * 97) >> 27;
            (ramp + grain) as u8
        };
        [0, 1, 2].map(value).into()
    })
}

#[test]
fn every_size_is_written_as_pillow_writes_it() {
    for (cells, crc) in jpeg_table("encoded.tsv") {
        let [width, height] = [0, 1].map(|cell| cells[cell].parse().expect("a number"));
        let file = encode(&drawn(width, height), Format::Jpeg).expect("a JPEG");
        assert_eq!(crc32(&file), crc, "{width} x {height}");
    }
}

#[test]
fn overlays_of_jpegs_are_the_notebooks_files() {
    let table = jpeg_table("overlays.tsv");
    let mut compared = 0;
    for arch in ARCHS {
        let golden = Golden::read(arch.title);
        let size = arch.variants[0].input.height;
        for (face, level) in golden.numbers.faces.iter().zip(&golden.level) {
            let name = [arch.title, &face.fold, &face.image];
            let Some((_, crc)) = table.iter().find(|(cells, _)| *cells == name) else { continue };
            let side = level.len().isqrt();
            let frame = pillow_frame(face, size);
            let picture = overlay(level, (side, side), &frame.rgb, (size, size), 0.4);
            let file = encode(&picture, Format::Jpeg).expect("a JPEG");
            assert_eq!(crc32(&file), *crc, "{name:?}");
            compared += 1;
        }
    }
    assert_eq!(compared, table.len());
}
