//! Hostile images.

use std::fs;

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

/// A grey TIFF in tiles, each of which is a JPEG.
fn jpeg_tiles() -> Vec<u8> {
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
            (324, 4, 125 * 125, 4096),
            (325, 4, 125 * 125, 4096),
        ],
        0,
    );
    bytes.extend([0; 4 * 125 * 125]);
    bytes
}

/// A segment of a JPEG.
fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u16 + 2).to_be_bytes();
    [&[0xff, marker], &length[..], content].concat()
}

/// A progressive JPEG of three colours, `side` × `side` pixels and so many scans, all but the first of which are
/// a few bytes: each run of a scan leaves 32,767 blocks as they are.
fn scans(side: u16, scans: usize) -> Vec<u8> {
    let size = [side, side].map(u16::to_be_bytes).concat();
    let components = [1, 2, 3].map(|name| [name, 0x11, 0]).concat();
    // In both tables the code 0 has one symbol: no difference, and a run whose length has 14 bits.
    let table = |kind, symbol| segment(0xc4, &[&[kind, 1][..], &[0; 15], &[symbol]].concat());
    let blocks = usize::from(side).div_ceil(8).pow(2);
    let first = segment(0xda, &[3, 1, 0, 2, 0, 3, 0, 0, 0, 0]);
    // Of 8 runs 15 bits each, in 15 bytes; 0xff is followed by 0.
    let bits: Vec<bool> = (0..8 * 15).map(|bit| bit % 15 > 0).collect();
    let byte = |bits: &[bool]| bits.iter().fold(0, |byte, &bit| byte << 1 | u8::from(bit));
    let runs: Vec<u8> = bits.chunks(8).map(byte).collect();
    let runs = runs.repeat(blocks.div_ceil(8 * 32_767));
    let runs = runs.iter().flat_map(|&byte| if byte == 0xff { vec![0xff, 0] } else { vec![byte] });
    let runs: Vec<u8> = runs.collect();
    let mut bytes = b"\xff\xd8".to_vec();
    bytes.extend(segment(0xdb, &[&[0][..], &[1; 64]].concat()));
    bytes.extend(segment(0xc2, &[&[8][..], &size, &[3], &components].concat()));
    bytes.extend([table(0x00, 0), table(0x10, 0xe0), first, vec![0; 3 * blocks / 8 + 1]].concat());
    for scan in 1..scans {
        // The first three begin with the last bit but one, the others refine it.
        let (name, bit) = ((scan % 3) as u8 + 1, if scan < 4 { 0x01 } else { 0x10 });
        bytes.extend(segment(0xda, &[1, name, 0, 1, 63, bit]));
        bytes.extend(&runs);
    }
    bytes.extend(b"\xff\xd9");
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
    let start = b"\xff\xd8\xff\xc0\0\x0b\x08\xff\xff\xff\xff\x01\x01\x11\0";
    let jpeg = [&start[..], &segment(0xda, b"\x01\x01\0\0\x3f\0"), b"\xff\xd9"].concat();
    let tables = segment(0xc4, &[&[0x10][..], &[0; 16]].concat().repeat(3_854));
    let profiles = segment(0xe2, b"ICC_PROFILE\0\x01\x01");
    let small_jpeg = scans(16, 1);
    let flooded = |segments: &[u8], times: usize| {
        [&small_jpeg[..2], &segments.repeat(times), &small_jpeg[2..]].concat()
    };
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
        ("scans.jpg", scans(16, 101)),
        ("tables.jpg", flooded(&tables, 600)),
        ("profiles.jpg", flooded(&profiles, 1 << 20)),
        ("arithmetic.jpg", small_jpeg.iter().map(|&b| if b == 0xc2 { 0xca } else { b }).collect()),
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
        ("most.jpg", scans(13_376, 100)),
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
    for (name, says) in [
        ("many_pixels.jpg", "number of pixels"),
        ("scans.jpg", "number of scans"),
        ("tables.jpg", "bytes of its Huffman tables"),
        ("profiles.jpg", "segments of metadata"),
        ("arithmetic.jpg", "arithmetic or lossless coding"),
        ("jpeg_tiles.tif", "JPEG compression in a TIFF"),
    ] {
        assert!(error(name).contains(says), "{name}: {}", error(name));
    }
    for name in ["profile.png", "text.png", "most.png", "most.jpg", "S01_sem_dor_01.png"] {
        assert_eq!(error(name), "", "{name}");
    }
    assert_eq!(rows.len(), files.len() + 6);
}
