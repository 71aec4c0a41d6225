//! Everything outside the network, bit for bit: pixels, preprocessing, colours, overlays.

use burncam_imaging::preprocess;
use burncam_models::ARCHS;
use burncam_render::{coloured, enlarged, levels, overlay};
use parity::{Golden, Numbers, crc32, crc32_f32, edge_cases, pillow_frame};

#[test]
fn resized_pixels_and_network_input_are_bit_exact() {
    for arch in ARCHS {
        let size = arch.variants[0].input.height;
        let golden = Golden::read(arch.title);
        for (face, row) in golden.numbers.faces.iter().zip(&golden.rows) {
            let frame = pillow_frame(face, size);
            let bytes: Vec<u8> = frame.rgb.iter().map(|&value| value as u8).collect();
            assert_eq!(crc32(&bytes), row.rgb_crc32, "pixels of {}", face.image);

            let planar = preprocess(&frame, &arch.variants[0].input);
            let plane = size * size;
            let interleaved: Vec<f32> = (0..plane)
                .flat_map(|at| [planar[at], planar[plane + at], planar[2 * plane + at]])
                .collect();
            assert_eq!(crc32_f32(&interleaved), row.x_crc32, "input of {}", face.image);
        }
    }
}

#[test]
fn colours_and_overlays_are_bit_exact() {
    for arch in ARCHS {
        let golden = Golden::read(arch.title);
        let size = (arch.variants[0].input.height, arch.variants[0].input.width);
        let rows = golden.rows.iter().zip(&golden.level);
        for (face, (row, level)) in golden.numbers.faces.iter().zip(rows) {
            let side = level.len().isqrt();
            let small = coloured(level, (side, side));
            assert_eq!(crc32(small.as_raw()), row.jet_small_crc32, "small map of {}", face.image);
            let big = enlarged(&small, size);
            assert_eq!(crc32(big.as_raw()), row.jet_big_crc32, "enlarged map of {}", face.image);
            let frame = pillow_frame(face, size.0);
            let picture = overlay(level, (side, side), &frame.rgb, size, 0.4);
            assert_eq!(crc32(picture.as_raw()), row.overlay_crc32, "overlay of {}", face.image);
        }
    }
}

#[test]
fn levels_of_the_golden_maps_are_equal() {
    for arch in ARCHS {
        let Golden { numbers, level, .. } = Golden::read(arch.title);
        for (face, (raw, level)) in numbers.faces.iter().zip(numbers.raw.iter().zip(&level)) {
            assert_eq!(levels(raw), *level, "levels of {}", face.image);
        }
    }
}

#[test]
fn overlays_of_degenerate_maps_are_bit_exact() {
    let faces = Numbers::read("NCNN").faces;
    let face = faces.iter().find(|face| face.image == "S02_dor_01.png").expect("the image");
    let frame = pillow_frame(face, 120);
    for (name, map, crc) in edge_cases() {
        // These maps are already between 0 and 1.
        let level: Vec<u8> = map.iter().map(|value| (255.0 * value) as u8).collect();
        let picture = overlay(&level, (12, 12), &frame.rgb, (120, 120), 0.4);
        assert_eq!(crc32(picture.as_raw()), crc, "{name}");
    }
}
