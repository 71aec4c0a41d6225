//! Hostile checkpoints.

use std::fs::{self, File};
use std::io::Cursor;

use parity::KerasFile;
use serde_json::json;
use zip::{CompressionMethod, ZipArchive};

use super::{archive, place, refused_as_weights, run};
use crate::program::{goldens, weights};

/// A pickle of these instructions in a PyTorch archive.
pub(super) fn pickle(instructions: &[u8]) -> Vec<u8> {
    let entries = [("a/data.pkl", instructions), ("a/data/0", &[0; 64][..])];
    archive(&entries, CompressionMethod::Stored)
}

/// A `.safetensors` file with this header and no numbers.
pub(super) fn safetensors(header: &str) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat()
}

/// Files written with h5py, and what is said of them.
const HDF5: [(&str, &str); 17] = [
    ("petabytes.h5", "it must have 1 to 262,144 neurons"),
    ("petabytes_in_chunks.h5", "it must have 1 to 262,144 neurons"),
    ("half_of_memory.h5", "more than 268435456 numbers"),
    ("one_large_chunk.h5", "a chunk of it is larger than all its numbers"),
    ("chunk_past_the_end.h5", "it ends too early"),
    ("short_chunk.h5", "a chunk of it has another size"),
    ("many_filters.h5", "it has more filters than any network"),
    ("chunks_outside.h5", "a chunk of it lies outside its shape"),
    ("many_weights.h5", "more than 10000 layers or tensors"),
    ("many_names.h5", "more than 10000 layers"),
    ("group_in_itself.h5", "FC1"),
    ("soft_circle.h5", "is a link to another place, and links are not followed"),
    ("link_to_another_file.h5", "FC1"),
    ("numbers_in_another_file.h5", "cannot read `kernel`"),
    (
        "minus_infinity.h5",
        "`conv_2x2`: `bias` holds 1 values that are NaN or infinite, the first at [5]",
    ),
    ("name_that_is_no_text.h5", "cannot read"),
    ("circle.weights.h5", "more than 10000 layers"),
];

#[test]
fn hdf5_files_that_claim_too_much() {
    let place = place();
    let packed = File::open(goldens().join("hostile.zip")).expect("the archive");
    ZipArchive::new(packed).expect("a zip").extract(place.path("")).expect("room");
    for (file, words) in HDF5 {
        refused_as_weights(&place, file, words);
    }
}

/// A weight of a batch normalisation in the head that no training leaves behind.
#[test]
fn statistics_that_cannot_be() {
    let place = place();
    for (value, words) in [
        (-0.5, "`moving_variance` holds -0.5, which is no variance, at [1]"),
        (
            f32::INFINITY,
            "`moving_variance` holds 1 values that are NaN or infinite, the first at [1]",
        ),
    ] {
        let mut file = KerasFile::ncnn();
        let norm = json!({ "epsilon": 1e-3, "scale": false, "center": false });
        let dense = json!({ "units": 2, "activation": "softmax", "use_bias": true });
        file.set_head(&[
            ("GlobalAveragePooling2D", "pool", json!({})),
            ("BatchNormalization", "norm", norm),
            ("Dense", "dense", dense),
        ]);
        file.add_weights("norm", &[("moving_mean", &[64]), ("moving_variance", &[64])]);
        file.add_weights("dense", &[("kernel", &[64, 2]), ("bias", &[2])]);
        file.weights("norm")[1].2[1] = value;
        file.write(&place.path("statistics.h5"));
        let arguments =
            ["explain", "--weights", "statistics.h5", "--data", "faces", "--out", "out"];
        let (code, told) = run(&place, &arguments);
        assert_eq!(code, 2, "{told}");
        assert!(told.contains(words), "{told}");
    }
}

/// Names that lead out of an archive lead nowhere, since nothing is unpacked.
#[test]
fn archives_that_are_traps() {
    let place = place();
    let stored = CompressionMethod::Stored;
    let config = b"{}".as_slice();
    let deep = "[".repeat(1 << 20).into_bytes();
    let wide = format!(
        "{{\"class_name\": \"Model\", \"config\": {{\"layers\": [{}0]}}}}",
        "{},".repeat(3 << 20)
    );
    let blanks = vec![b' '; 64 << 20];
    let zeros = vec![0; 1100 << 20];
    let keras = |config: &[u8], weights: &[u8], method| {
        let entries =
            [("config.json", config), ("metadata.json", b"{}"), ("model.weights.h5", weights)];
        archive(&entries, method)
    };
    let names: Vec<String> = (0..300_000).map(|name| format!("{name:0>40}")).collect();
    let names: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), config)).collect();
    // The central directory's size of the only entry, and its place.
    let mut lying = archive(&[("config.json", config)], stored);
    let directory = lying.windows(4).rposition(|four| four == b"PK\x01\x02").expect("a directory");
    lying[directory + 20..directory + 28].copy_from_slice(&[0xf0; 8]);
    for (name, bytes, words) in [
        ("outside.keras", archive(&[("../config.json", config)], stored), "config.json"),
        ("absolute.keras", archive(&[("/config.json", config)], stored), "config.json"),
        ("other_case.keras", archive(&[("CONFIG.JSON", config)], stored), "config.json"),
        ("deep.keras", keras(&deep, b"", stored), "recursion limit"),
        ("wide.keras", keras(wide.as_bytes(), b"", stored), "more than 10000 layers"),
        ("blank.keras", keras(&blanks, b"", CompressionMethod::Deflated), "larger than 16 MiB"),
        ("bomb.keras", keras(config, &zeros, CompressionMethod::Deflated), "neither"),
        ("many.keras", archive(&names, stored), "takes more than 16 MiB"),
        ("lying.keras", lying, "config.json"),
        ("cut.keras", keras(config, &[0; 100], stored)[..200].to_vec(), "archive"),
        ("short.keras", keras(config, b"\x89HDF\r\n\x1a\n", stored), "neither"),
    ] {
        place.write(name, &bytes);
        refused_as_weights(&place, name, words);
    }
}

/// Programs for the pickle machine that would fill memory or run for ever.
#[test]
fn pickles_that_are_traps() {
    let place = place();
    let name = [&b"\x80\x02X\0\x01\0\0"[..], &[b'n'; 256], b"q\0"].concat();
    // {name: {}, name: {}, ...}: every dict inside has the same long name.
    let dicts = [&name[..], b"0}(", &b"h\0}".repeat(200_000), b"u."].concat();
    let doubled = [&b"\x80\x02]q\0"[..], &b"(h\0h\0eh\0".repeat(100_000), b"."].concat();
    for (name, instructions, words) in [
        ("dicts.pt", dicts, "more than 10000 dicts"),
        ("doubled.pt", doubled, "holds no dict of tensors"),
        (
            "values.pt",
            [&b"\x80\x02"[..], &b"]".repeat(2_000_000), b"."].concat(),
            "too many values",
        ),
        ("marks.pt", [&b"\x80\x02"[..], &b"(".repeat(2_000_000), b"."].concat(), "too deep"),
        ("endless.pt", b"\x80\x02X\xff\xff\xff\x7f".to_vec(), "ends too early"),
        ("evil.pt", b"\x80\x02cos\nsystem\nX\x04\0\0\0true\x85R.".to_vec(), "os.system"),
        ("empty.pt", Vec::new(), "ends too early"),
    ] {
        place.write(name, &pickle(&instructions));
        refused_as_weights(&place, name, words);
    }
}

/// Headers that promise more than there is.
#[test]
fn headers_that_lie() {
    let place = place();
    let tensor = |name: usize| {
        format!("\"a.{name}\":{{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}")
    };
    let many: Vec<String> = (0..100_000).map(tensor).collect();
    let many = safetensors(&format!("{{{}}}", many.join(",")));
    let huge = safetensors(
        "{\"a.weight\":{\"dtype\":\"F32\",\"shape\":[4294967295,4294967295],\"data_offsets\":[0,4]}}",
    );
    let deep = safetensors(&format!("{{\"a\":{}", "[".repeat(1 << 20)));
    let mut long = vec![0; 100];
    long[..9].copy_from_slice(b"\0\0\0\0\x01\0\0\0{");
    let bpk = |length: u32| [&b"NRUB\x01\0"[..], &length.to_le_bytes(), &[0x9f; 4000]].concat();
    // An `.onnx` whose graph is said to be longer than the file, and one of a million empty nodes.
    let onnx = [&b"\x08\x07\x42\x02\x10\x0d\x3a\xff\xff\xff\xff\x0f"[..], &[0; 64]].concat();
    let nodes = b"\x0a\0".repeat(1 << 18);
    let nodes = [&b"\x08\x07\x42\x02\x10\x0d\x3a\x80\x80\x20"[..], &nodes].concat();
    for (name, bytes, words) in [
        ("many.safetensors", many, "more than 10000"),
        ("huge.safetensors", huge, "tensor `a.weight` is F32 of shape [4294967295, 4294967295]"),
        ("deep.safetensors", deep, "recursion limit"),
        ("long.safetensors", long, "its header says that it is longer"),
        ("long.bpk", bpk(u32::MAX), "its header says that it is longer"),
        ("nested.bpk", bpk(4000), "cannot be read"),
        ("long.onnx", onnx, "longer than what holds it"),
        ("nodes.onnx", nodes, "more than 10000 nodes"),
        ("zeros.pth", vec![0; 4096], "unknown kind"),
        ("text.h5", b"<html>404 Not Found</html>".to_vec(), "unknown kind"),
        ("nothing.h5", Vec::new(), "an empty file"),
    ] {
        place.write(name, &bytes);
        refused_as_weights(&place, name, words);
    }
}

/// What a table has in its columns is as long as a file likes, and a table is as wide as its longest
/// cell.
#[test]
fn names_and_shapes_that_are_endless() {
    let place = place();
    let tensor = |name: &str, shape: &str| {
        format!("\"{name}\":{{\"dtype\":\"F32\",\"shape\":[{shape}],\"data_offsets\":[0,0]}}")
    };
    let one = |name: &str, shape: &str| safetensors(&format!("{{{}}}", tensor(name, shape)));
    let mut beside: Vec<String> =
        (0..9_998).map(|name| tensor(&format!("a.{name}.weight"), "0")).collect();
    beside.push(tensor(&format!("{}.weight", "y".repeat(65_000)), "0"));
    let beside = safetensors(&format!("{{{}}}", beside.join(",")));
    for (name, bytes) in [
        ("long_name.safetensors", one(&format!("{}.weight", "y".repeat(70_000)), "0")),
        ("many_axes.safetensors", one("a.weight", &format!("0{}", ",1".repeat(25_000)))),
        ("long_beside_short.safetensors", beside),
    ] {
        place.write(name, &bytes);
        refused_as_weights(&place, name, "the networks that Burncam explains are");
        let shown = place.burncam(&["inspect", name]);
        assert_eq!(shown.code, 2, "{name}: {}", shown.stderr);
        let widest = shown.stdout.lines().map(|line| line.chars().count()).max();
        assert!(shown.stdout.len() < 2 << 20 && widest < Some(1000), "{name}: {widest:?}");
    }
}

/// The first half, and all but the last byte, of a good file in each format.
#[test]
fn files_that_were_not_written_to_the_end() {
    let place = place();
    let good = weights("NCNN_k2.h5");
    for to in ["good.bpk", "good.safetensors"] {
        let (code, told) = run(&place, &["convert", "--weights", &good, "--out", to]);
        assert_eq!(code, 0, "{told}");
    }
    let torch = goldens().join("torch/files");
    let mut files = vec![place.path("good.bpk"), place.path("good.safetensors"), good.into()];
    files.extend(["NCNN_k3.keras", "NCNN_k3.weights.h5"].map(|name| weights(name).into()));
    let legacy = ["ncnn.pt", "ncnn_legacy.pth", "ncnn.safetensors", "ncnn_arrays.pkl"];
    files.extend(legacy.map(|name| torch.join(name)));
    for file in files {
        let bytes = fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let ending = file.extension().and_then(|ending| ending.to_str()).expect("an ending");
        for length in [bytes.len() / 2, bytes.len() - 1] {
            let name = format!("cut.{ending}");
            place.write(&name, &bytes[..length]);
            refused_as_weights(&place, &name, &name);
        }
    }
}

/// One bit of a weight, which the checksums of an archive tell.
#[test]
fn archives_that_changed_on_the_way() {
    let place = place();
    for (good, part) in [
        (weights("NCNN_k3.keras").into(), "model.weights.h5"),
        (goldens().join("torch/files/ncnn.pt"), "/data/"),
    ] {
        let mut bytes = fs::read(&good).unwrap_or_else(|e| panic!("{}: {e}", good.display()));
        let name = good.file_name().and_then(|name| name.to_str()).expect("a name");
        let mut archive = ZipArchive::new(Cursor::new(bytes.clone())).expect("an archive");
        let entries = (0..archive.len()).map(|at| {
            let entry = archive.by_index_raw(at).expect("an entry");
            (
                entry.size(),
                entry.data_start().expect("a place"),
                entry.name().is_ok_and(|n| n.contains(part)),
            )
        });
        let (size, start, _) = entries.filter(|(.., is_part)| *is_part).max().expect("weights");
        bytes[(start + size / 2) as usize] ^= 1;
        place.write(name, &bytes);
        refused_as_weights(&place, name, "Invalid checksum");
    }
}

/// A file with a hole takes no room on the disk, and must take none in memory.
#[cfg(unix)]
#[test]
fn files_with_holes() {
    let place = place();
    let hole = 8_u64 << 30;
    let header = format!(
        "{{\"features.0.weight\":{{\"dtype\":\"F32\",\"shape\":[{}],\"data_offsets\":[0,{hole}]}}}}",
        hole / 4
    );
    let tensor = safetensors(&header);
    let checkpoint = fs::read(weights("NCNN_k2.h5")).expect("a checkpoint");
    let zip = archive(&[("a", b"b")], CompressionMethod::Stored);
    let text = b"\x80\x02X\xff\xff\xff\x7f";
    for (name, bytes, length, code, words) in [
        ("hole.safetensors", &tensor[..], hole + tensor.len() as u64, 2, "ResNet50"),
        // Bytes behind the end of an HDF5 file are no part of it.
        ("hole.h5", &checkpoint, hole, 0, ""),
        ("hole.keras", &zip, hole, 2, "archive"),
        ("hole.pkl", text, hole, 2, "is none that it should have"),
        ("hole.onnx", b"\x08\x07\x42\x02\x10\x0d", hole, 2, "hole.onnx"),
        ("terabyte.h5", &checkpoint, 1 << 40, 2, "a checkpoint 16 GiB at most"),
    ] {
        place.write(name, bytes);
        let file = File::options().append(true).open(place.path(name)).expect("a file");
        file.set_len(length).expect("a file system that knows holes");
        let (found, told) = run(&place, &["inspect", name]);
        assert_eq!(found, code, "{name}: {told}");
        assert!(told.contains(words), "{name}: {told}");
    }
}
