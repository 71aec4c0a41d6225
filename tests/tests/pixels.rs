//! Everything outside the network, bit for bit: pixels, preprocessing, colours, overlays.

use burncam_imaging::preprocess;
use burncam_models::ARCHS;
use burncam_report::{coloured, enlarged, levels, overlay};
use parity::{Golden, crc32, crc32_f32, edge_cases, pillow_frame};

#[test]
fn resized_pixels_and_network_input_are_bit_exact() {
    for arch in ARCHS {
        let size = arch.variants[0].input.height;
        for row in &Golden::read(arch.title).rows {
            let frame = pillow_frame(row, size);
            let bytes: Vec<u8> = frame.rgb.iter().map(|&value| value as u8).collect();
            assert_eq!(crc32(&bytes), row.rgb_crc32, "pixels of {}", row.image);

            let planar = preprocess(&frame, &arch.variants[0].input);
            let plane = size * size;
            let interleaved: Vec<f32> = (0..plane)
                .flat_map(|at| [planar[at], planar[plane + at], planar[2 * plane + at]])
                .collect();
            assert_eq!(crc32_f32(&interleaved), row.x_crc32, "input of {}", row.image);
        }
    }
}

#[test]
fn colours_and_overlays_are_bit_exact() {
    for arch in ARCHS {
        let golden = Golden::read(arch.title);
        let size = (arch.variants[0].input.height, arch.variants[0].input.width);
        for (row, level) in golden.rows.iter().zip(&golden.level) {
            let side = level.len().isqrt();
            let small = coloured(level, (side, side));
            assert_eq!(crc32(small.as_raw()), row.jet_small_crc32, "small map of {}", row.image);
            let big = enlarged(&small, size);
            assert_eq!(crc32(big.as_raw()), row.jet_big_crc32, "enlarged map of {}", row.image);
            let frame = pillow_frame(row, size.0);
            let picture = overlay(level, (side, side), &frame.rgb, size, 0.4);
            assert_eq!(crc32(picture.as_raw()), row.overlay_crc32, "overlay of {}", row.image);
        }
    }
}

#[test]
fn levels_of_the_golden_maps_are_equal() {
    for arch in ARCHS {
        let golden = Golden::read(arch.title);
        for (row, (raw, level)) in golden.rows.iter().zip(golden.raw.iter().zip(&golden.level)) {
            assert_eq!(levels(raw), *level, "levels of {}", row.image);
        }
    }
}

#[test]
fn overlays_of_degenerate_maps_are_bit_exact() {
    let golden = Golden::read("NCNN");
    let row = golden.rows.iter().find(|row| row.image == "S02_dor_01.png").expect("the image");
    let frame = pillow_frame(row, 120);
    for (name, map, crc) in edge_cases() {
        // These maps are already between 0 and 1.
        let level: Vec<u8> = map.iter().map(|value| (255.0 * value) as u8).collect();
        let picture = overlay(&level, (12, 12), &frame.rgb, (120, 120), 0.4);
        assert_eq!(crc32(picture.as_raw()), crc, "{name}");
    }
}
