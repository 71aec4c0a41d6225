//! Hostile images.

use std::fs;
use std::io::Cursor;

use image::{GrayImage, ImageFormat};

use super::{MOST_FOR_IMAGES, deflated_zeros, place, run_within};
use crate::program::weights;

/// A PNG of these chunks.
fn png(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in chunks {
        let named = [&kind[..], data].concat();
        bytes.extend((data.len() as u32).to_be_bytes());
        bytes.extend(&named);
        bytes.extend(crc32fast::hash(&named).to_be_bytes());
    }
    bytes
}

/// Width, height, bits and colour type of a PNG.
fn ihdr(width: u32, height: u32, bits: u8, colour: u8) -> Vec<u8> {
    [&width.to_be_bytes()[..], &height.to_be_bytes(), &[bits, colour, 0, 0, 0]].concat()
}

/// Zeros as zlib packs them. Their checksum is 1, and their number times 65536.
fn zlib_zeros(count: usize) -> Vec<u8> {
    let checksum = ((count % 65_521) as u32) << 16 | 1;
    [&b"\x78\x9c"[..], &deflated_zeros(count), &checksum.to_be_bytes()].concat()
}

/// A little-endian TIFF whose directory has these entries, of tag, type, count and value, and the
/// directory after it.
fn tiff(entries: &[(u16, u16, u32, u32)], next: u32) -> Vec<u8> {
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    bytes.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, count, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend(next.to_le_bytes());
    bytes.resize(4096, 0);
    bytes
}

/// A grey TIFF of 2000 × 2000 pixels in tiles of 16 × 16, each of which is the same JPEG of 4000 × 4000.
fn jpeg_tiles() -> Vec<u8> {
    let (tiles, lists) = (125 * 125, 4096);
    let mut bytes = tiff(
        &[
            (256, 4, 1, 2000),
            (257, 4, 1, 2000),
            (258, 3, 1, 8),
            (259, 3, 1, 7),
            (262, 3, 1, 1),
            (277, 3, 1, 1),
            (322, 3, 1, 16),
            (323, 3, 1, 16),
            (324, 4, tiles, lists),
            (325, 4, tiles, lists + 4 * tiles),
        ],
        0,
    );
    let mut jpeg = Cursor::new(Vec::new());
    GrayImage::new(4000, 4000).write_to(&mut jpeg, ImageFormat::Jpeg).expect("a JPEG");
    let jpeg = jpeg.into_inner();
    bytes.extend((lists + 8 * tiles).to_le_bytes().repeat(tiles as usize));
    bytes.extend((jpeg.len() as u32).to_le_bytes().repeat(tiles as usize));
    bytes.extend(jpeg);
    bytes
}

/// Each image that cannot be read is a failure of its own, and the good one beside them is explained.
#[test]
fn images_that_are_traps() {
    let place = place();
    let big = |compression: u32, bytes: u32| {
        tiff(
            &[
                (256, 4, 1, 65_535),
                (257, 4, 1, 2_700),
                (258, 3, 1, 8),
                (259, 3, 1, compression),
                (262, 3, 1, 1),
                (273, 4, 1, 200),
                (277, 3, 1, 1),
                (278, 4, 1, 2_700),
                (279, 4, 1, bytes),
            ],
            8,
        )
    };
    let bmp = |width: i32, height: i32, bits: u16| {
        let mut bytes = b"BM\xff\xff\xff\x7f\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
        bytes.extend(width.to_le_bytes());
        bytes.extend(height.to_le_bytes());
        bytes.extend([1, 0]);
        bytes.extend(bits.to_le_bytes());
        bytes.resize(100, 0);
        bytes
    };
    let profile = [&b"a\0\0"[..], &zlib_zeros(600 << 20)].concat();
    let text = [&b"a\0\0"[..], &zlib_zeros(600 << 20)].concat();
    let square = zlib_zeros(64);
    let small = ihdr(4, 4, 8, 6);
    let jpeg = b"\xff\xd8\xff\xc0\0\x0b\x08\xff\xff\xff\xff\x01\x01\x11\0\xff\xd9".to_vec();
    let webp =
        b"RIFF\x20\0\0\0WEBPVP8L\x10\0\0\0\x2f\xff\xff\xff\x0f\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    let header =
        |width, height, bits, colour| png(&[(b"IHDR", &ihdr(width, height, bits, colour))]);
    let files = [
        ("many_pixels.png", header(30_000, 30_000, 8, 0)),
        ("long.png", header(2_000_000_000, 1, 1, 0)),
        ("deep.png", header(13_000, 13_000, 16, 6)),
        ("nothing.png", header(0, 0, 8, 0)),
        ("cut.png", png(&[(b"IHDR", &small), (b"IDAT", &square[..8])])),
        (
            "too_much.png",
            png(&[(b"IHDR", &ihdr(13_000, 13_000, 8, 0)), (b"IDAT", &square), (b"IEND", b"")]),
        ),
        ("many_pixels.jpg", jpeg),
        ("large.webp", webp),
        ("strip.tif", big(1, u32::MAX)),
        ("packed.tif", big(5, 100)),
        (
            "tags.tif",
            tiff(&[(256, 4, u32::MAX, 8), (257, 4, u32::MAX, 8), (320, 3, u32::MAX, 8)], 8),
        ),
        ("jpeg_tiles.tif", jpeg_tiles()),
        ("large.bmp", bmp(i32::MAX, i32::MAX, 32)),
        ("upside_down.bmp", bmp(60_000, i32::MIN, 1)),
        ("no_pixels.bmp", bmp(13_000, 13_000, 1)),
        ("zeros.png", vec![0; 1 << 20]),
        ("empty.webp", Vec::new()),
        ("page.jpeg", b"<html>404 Not Found</html>".to_vec()),
    ];
    for (name, bytes) in &files {
        place.write(&format!("faces/Fold0/{name}"), bytes);
    }
    // A palette of 33 million colours, in a hole.
    let palette = [
        (256, 3, 1, 4),
        (257, 3, 1, 4),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 3),
        (273, 4, 1, 8),
        (277, 3, 1, 1),
        (278, 3, 1, 4),
        (279, 4, 1, 16),
        (320, 3, 1 << 25, 200),
    ];
    place.write("faces/Fold0/palette.tif", &tiff(&palette, 0));
    let file = fs::File::options().write(true).open(place.path("faces/Fold0/palette.tif"));
    file.and_then(|file| file.set_len(200 + (64 << 20))).expect("a hole");
    // These are images all the same: what is beside the pixels is passed over, and the last has as
    // many pixels as an image may have.
    let beside = |kind: &[u8; 4], data: &[u8]| {
        png(&[(b"IHDR", &small), (kind, data), (b"IDAT", &zlib_zeros(4 * 17)), (b"IEND", b"")])
    };
    let most = zlib_zeros(13_377 * 13_378);
    for (name, bytes) in [
        ("profile.png", beside(b"iCCP", &profile)),
        ("text.png", beside(b"zTXt", &text)),
        (
            "most.png",
            png(&[(b"IHDR", &ihdr(13_377, 13_377, 8, 0)), (b"IDAT", &most), (b"IEND", b"")]),
        ),
    ] {
        place.write(&format!("faces/Fold0/{name}"), &bytes);
    }
    let weights = weights("NCNN_k2.h5");
    let arguments = ["explain", "--weights", &weights, "--data", "faces", "--out", "out"];
    let (code, told) = run_within(&place, &arguments, MOST_FOR_IMAGES);
    assert_eq!(code, 1, "{told}");
    let rows = place.predictions();
    let error = |name: &str| {
        let row = rows.iter().find(|row| row["path"] == format!("Fold0/{name}"));
        row.unwrap_or_else(|| panic!("no row of {name}"))["error"].clone()
    };
    for (name, _) in &files {
        assert_ne!(error(name), "", "{name} is explained");
        assert!(!error(name).contains("panicked"), "{name}: {}", error(name));
    }
    assert!(error("palette.tif").contains("number of values"), "{}", error("palette.tif"));
    for name in ["profile.png", "text.png", "most.png", "S01_sem_dor_01.png"] {
        assert_eq!(error(name), "", "{name}");
    }
    assert_eq!(rows.len(), files.len() + 5);
}
