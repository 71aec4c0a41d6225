//! Layers against Keras's own, as `tests/reference/dump_activations.py` wrote them:
//! `NCNN_k2.h5` and `Fold0/S02_dor_01.png` in Keras 2.15, without the largest layers.

use std::fs::File;
use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::program::{Place, Run, goldens, weights};

/// The dump's arrays, by file name in the archive.
fn dump() -> Vec<(String, Vec<u8>)> {
    let file = File::open(goldens().join("NCNN/activations.npz")).expect("the dump");
    let mut archive = ZipArchive::new(file).expect("an archive");
    (0..archive.len())
        .map(|index| {
            let mut entry = archive.by_index(index).expect("an entry");
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("an array");
            (entry.name().expect("a name").into_owned(), bytes)
        })
        .collect()
}

/// The dump after a change, stored as `numpy.savez` stores it.
fn altered(change: impl FnOnce(&mut Vec<(String, Vec<u8>)>)) -> Vec<u8> {
    let mut arrays = dump();
    change(&mut arrays);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        zip.start_file(name, stored).expect("an entry");
        zip.write_all(&bytes).expect("an entry");
    }
    zip.finish().expect("an archive").into_inner()
}

/// The array of a layer.
fn layer<'a>(arrays: &'a mut [(String, Vec<u8>)], name: &str) -> &'a mut Vec<u8> {
    let file = format!("{name}.npy");
    arrays.iter_mut().find(|(name, _)| *name == file).map(|(_, bytes)| bytes).expect("the layer")
}

fn compare(place: &Place, more: &[&str]) -> Run {
    let weights = weights("NCNN_k2.h5");
    let run = place.burncam(&[&["compare", "--weights", &weights], more].concat());
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    run
}

fn golden() -> String {
    goldens().join("NCNN/activations.npz").display().to_string()
}

/// The report with single spaces and without numbers, whose last digits differ from machine to
/// machine.
fn stable(run: &Run) -> String {
    let text = run.stdout.replace(&goldens().display().to_string(), "GOLDENS");
    let number = |word: &str| word == "0" || (word.contains('e') && word.parse::<f32>().is_ok());
    let lines = text.lines().map(|line| {
        let words = line.split_whitespace();
        let mut words: Vec<_> = words.map(|w| if number(w) { "#" } else { w }).collect();
        // Which layer is the worst depends on the processor's instructions.
        if let [.., count, layer, "#", "#"] = words.as_mut_slice()
            && count.parse::<usize>().is_ok()
        {
            *layer = "LAYER";
        }
        // The same of a table in Markdown.
        if let [.., layer, "|", "#", "|"] = words.as_mut_slice() {
            *layer = "LAYER";
        }
        words.join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn an_onnx_file_is_compared_like_the_keras_file_it_was_made_of() {
    let file = goldens().join("onnx/NCNN_13.onnx").display().to_string();
    let place = Place::new();
    let run = place.burncam(&["compare", "--weights", &file, "--reference", &golden()]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let keras = compare(&place, &["--reference", &golden()]);
    let rows = |run: &Run| run.stdout.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(rows(&run), rows(&keras), "the same weights, so the same numbers");
}

#[test]
fn every_layer_is_kerass() {
    let place = Place::new();
    let run = compare(&place, &["--reference", &golden()]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    insta::assert_snapshot!("compare", stable(&run));
    let run = compare(&place, &["--reference", &golden(), "--tolerance", "1e-5"]);
    assert_eq!(run.code, 0, "{}", run.stdout);
}

#[test]
fn a_converted_file_is_kerass_too() {
    let place = Place::new();
    let h5 = weights("NCNN_k2.h5");
    let run = place.burncam(&["convert", "--weights", &h5, "--out", "a.safetensors"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let run = place.burncam(&["compare", "--weights", "a.safetensors", "--reference", &golden()]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
}

#[test]
fn a_wrong_value_is_named() {
    let place = Place::new();
    let wrong = altered(|arrays| {
        for name in ["layer/concatenate", "layer/maxpool_2x2_"] {
            let bytes = layer(arrays, name);
            let last = bytes.len() - 4;
            let value = f32::from_le_bytes(bytes[last..].try_into().expect("four bytes"));
            bytes[last..].copy_from_slice(&(value + 0.5).to_le_bytes());
        }
    });
    place.write("wrong.npz", &wrong);
    let run = compare(&place, &["--reference", "wrong.npz"]);
    assert_eq!(run.code, 1, "{}", run.stdout);
    insta::assert_snapshot!("compare_wrong", stable(&run));
    let run = compare(&place, &["--reference", "wrong.npz", "--tolerance", "100"]);
    assert_eq!(run.code, 0, "{}", run.stdout);
}

#[test]
fn layers_of_one_side_only_are_listed() {
    let place = Place::new();
    let other = altered(|arrays| {
        arrays.retain(|(name, _)| !name.contains("resizing"));
        let stray = layer(arrays, "layer/dropout").clone();
        arrays.push(("layer/stray.npy".to_owned(), stray));
    });
    place.write("other.npz", &other);
    let run = compare(&place, &["--reference", "other.npz"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("Not in the network: stray\n"), "{}", run.stdout);
    let ours = "maxpool_3x3, conv_2x2, leaky_2, resizing, conv_5x5_, leaky_3";
    assert!(run.stdout.contains(ours), "{}", run.stdout);
}

/// Nothing compared is nothing found, and must not look like agreement.
#[test]
fn a_reference_of_another_network_is_refused() {
    let place = Place::new();
    let other = altered(|arrays| {
        for (name, _) in arrays.iter_mut() {
            *name = name.replace("layer/", "layer/zz");
        }
    });
    place.write("other.npz", &other);
    let run = compare(&place, &["--reference", "other.npz"]);
    assert_eq!(run.code, 2, "{}{}", run.stdout, run.stderr);
    let words = "no layer of the reference is one of the network's: zzconcatenate, zzconv_2x2_, ";
    assert!(run.stderr.contains(words), "{}", run.stderr);
    assert!(run.stderr.contains("\nhint: "), "{}", run.stderr);
    assert_eq!(run.stdout, "");
}

#[test]
fn many_layers_of_one_side_only_are_counted() {
    let place = Place::new();
    let other = altered(|arrays| {
        let stray = layer(arrays, "layer/dropout").clone();
        arrays.extend((10..35).map(|at| (format!("layer/stray{at}.npy"), stray.clone())));
    });
    place.write("other.npz", &other);
    let run = compare(&place, &["--reference", "other.npz"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let words = "Not in the network: stray10, stray11, stray12, stray13, stray14, stray15, stray16, \
                 stray17, stray18, stray19, and 15 more\n";
    assert!(run.stdout.contains(words), "{}", run.stdout);
}

#[test]
fn a_dump_that_cannot_be_used_is_refused() {
    let place = Place::new();
    let without = |array: &str| {
        let file = format!("{array}.npy");
        altered(|arrays| arrays.retain(|(name, _)| *name != file))
    };
    let whole = std::fs::read(golden()).expect("the dump");
    place.write("no_input.npz", &without("input"));
    place.write("no_logits.npz", &without("logits"));
    place.write("cut.npz", &whole[..whole.len() / 2]);
    place.write("text.npz", b"not an archive");
    place.write(
        "shape.npz",
        &altered(|arrays| {
            *layer(arrays, "layer/resizing") = layer(arrays, "layer/maxpool_2x2_").clone();
        }),
    );
    place.write(
        "nan.npz",
        &altered(|arrays| {
            let bytes = layer(arrays, "input");
            let last = bytes.len() - 4;
            bytes[last..].copy_from_slice(&f32::NAN.to_le_bytes());
        }),
    );
    for (file, words) in [
        ("no_input.npz", "cannot use array `input` of no_input.npz"),
        ("no_logits.npz", "cannot use array `logits`"),
        ("cut.npz", "cut.npz cannot be read as an .npz file"),
        ("text.npz", "text.npz cannot be read as an .npz file"),
        ("shape.npz", "it has shape [1, 6, 6, 64], expected [1, 12, 12, 64]"),
        ("nan.npz", "input is not finite"),
        ("none.npz", "cannot open none.npz"),
    ] {
        let run = compare(&place, &["--reference", file]);
        assert_eq!(run.code, 2, "{file}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{file}: no `{words}` in {}", run.stderr);
    }
}

/// A folder of two networks: N-CNN as several files, and one that lacks a reference.
fn folder(place: &Place, files: &[&str]) {
    for file in files {
        let bytes = std::fs::read(weights(file)).expect("a golden checkpoint");
        place.write(&format!("all/NCNN-keras/{file}"), &bytes);
    }
    place.write("all/NCNN-keras/reference.npz", &std::fs::read(golden()).expect("the dump"));
    place.write("all/NCNN-keras/notes.txt", b"no checkpoint");
    place.write("all/other/model.h5", b"not read, since no reference is beside it");
}

#[test]
fn every_file_of_a_folder_is_compared() {
    let place = Place::new();
    folder(&place, &["NCNN_k2.h5", "NCNN_k2.weights.h5", "NCNN_k3.keras", "NCNN_k3.weights.h5"]);
    let run = place.burncam(&["compare", "--weights", "all"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    insta::assert_snapshot!("compare_folder", stable(&run));
    let run = place.burncam(&["compare", "--weights", "all", "--markdown"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    insta::assert_snapshot!("compare_markdown", stable(&run));
    let run = place.burncam(&["compare", "--weights", "all", "--tolerance", "0"]);
    assert_eq!(run.code, 1, "{}", run.stdout);
    assert!(run.stdout.contains("4 past the tolerance of 0e0, first NCNN-keras/NCNN_k2.h5"));
}

#[test]
fn a_file_of_a_folder_that_cannot_be_used_does_not_stop_the_others() {
    let place = Place::new();
    folder(&place, &["NCNN_k2.h5", "NCNN_k2_dead.h5"]);
    place.write("all/NCNN-keras/cut.keras", b"PK\x03\x04 and nothing else");
    let run = place.burncam(&["compare", "--weights", "all"]);
    assert_eq!(run.code, 2, "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("error: ") && run.stderr.contains("cut.keras"), "{}", run.stderr);
    insta::assert_snapshot!("compare_folder_wrong", stable(&run));
}

#[test]
fn a_folder_and_a_file_are_told_apart() {
    let place = Place::new();
    folder(&place, &[]);
    let golden = golden();
    let file = weights("NCNN_k2.h5");
    for (arguments, words) in [
        (&["--weights", "all"][..], "no folder in all has checkpoints"),
        (&["--weights", "all", "--reference", &golden], "leave out --reference"),
        (&["--weights", &file], "--reference FILE is needed"),
        (&["--weights", &file, "--markdown"], "--reference FILE is needed"),
        (&["--weights", "none"], "--reference FILE is needed"),
        (&["--weights", &file, "--reference", &golden, "--markdown"], "cannot be used with"),
    ] {
        let run = place.burncam(&[&["compare"], arguments].concat());
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{arguments:?}: no `{words}` in {}", run.stderr);
    }
}

/// Every network in every format, made by `tests/reference/make_checkpoints.py` and
/// `make_torch_checkpoints.py`: each file loads, each layer is within the tolerance of the other
/// goldens, and all files of a network but ONNX files give equal logits.
#[test]
#[ignore = "needs a folder that tests/reference/make_checkpoints.py wrote"]
fn every_format_of_every_network_is_the_frameworks() {
    let folder = std::env::var("BURNCAM_CHECKPOINTS").expect(
        "set BURNCAM_CHECKPOINTS to the absolute path of a folder that \
         `python tests/reference/make_checkpoints.py FOLDER` wrote",
    );
    let place = Place::new();
    let run = place.burncam(&["compare", "--weights", &folder, "--tolerance", "1e-4"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let mut networks = 0;
    for network in std::fs::read_dir(&folder).expect("the folder") {
        let network = network.expect("an entry").path();
        let files =
            std::fs::read_dir(&network).expect("a folder").map(|file| file.expect("a file"));
        let names: Vec<_> =
            files.map(|file| file.file_name().into_string().expect("UTF-8")).collect();
        let others = names.iter().filter(|name| !name.contains(".onnx") && !name.ends_with(".npz"));
        let name = network.file_name().expect("a name").display();
        let line = format!("{name}: the logits of ");
        let line = run.stdout.lines().find_map(|found| found.strip_prefix(&line));
        let equal = line.and_then(|line| line.split(' ').next()?.parse().ok()).unwrap_or(0);
        assert!(equal >= others.count(), "{name}: {}", run.stdout);
        networks += 1;
    }
    assert!(run.stdout.contains(&format!("of {networks} network")), "{}", run.stdout);
}

#[test]
fn help_teaches() {
    let run = Place::new().burncam(&["compare", "--help"]);
    assert_eq!(run.code, 0);
    insta::assert_snapshot!("compare_help", run.stdout);
}
