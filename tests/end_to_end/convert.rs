//! Burncam's own files, from `convert` to `explain`.

use std::collections::HashMap;

use crate::program::{Place, Run, weights};

fn place() -> Place {
    let place = Place::new();
    for face in ["Fold0/S01_sem_dor_01.png", "Fold0/S02_dor_01.png", "Fold1/rgba_dor.png"] {
        place.face(face, &format!("faces/{face}"));
    }
    place
}

fn convert(place: &Place, from: &str, to: &str, more: &[&str]) -> Run {
    place.burncam(&[&["convert", "--weights", from, "--out", to], more].concat())
}

/// What `predictions.csv` says of each image, but for the time it took.
fn predictions(place: &Place, checkpoint: &str) -> Vec<HashMap<String, String>> {
    let arguments = ["explain", "--weights", checkpoint, "--data", "faces", "--out", "out"];
    let run = place.burncam(&[&arguments[..], &["--overwrite"]].concat());
    assert_eq!(run.code, 0, "{checkpoint}: {}", run.stderr);
    let mut rows = place.predictions();
    for row in &mut rows {
        row.remove("milliseconds").expect("the time");
    }
    rows
}

/// Digits are written so that they give back the same `f32`, so equal cells are equal bits.
#[test]
fn a_converted_file_gives_the_same_predictions() {
    let place = place();
    let h5 = weights("NCNN_k2.h5");
    let expected = predictions(&place, &h5);
    assert_eq!(expected.len(), 3);
    let mut from = h5;
    for to in ["a.bpk", "b.safetensors", "c.BPK"] {
        let run = convert(&place, &from, to, &[]);
        assert_eq!(run.code, 0, "{to}: {}", run.stderr);
        assert!(run.stdout.contains("78234 values in 12 tensors"), "{}", run.stdout);
        assert_eq!(predictions(&place, to), expected, "{to}");
        from = to.to_owned();
    }
}

#[test]
fn what_was_assumed_is_still_said() {
    let place = place();
    let run = convert(&place, &weights("NCNN_k2.weights_legacy.h5"), "a.safetensors", &[]);
    assert!(run.stderr.contains("warning: the file holds weights only"), "{}", run.stderr);
    let arguments = ["explain", "--weights", "a.safetensors", "--data", "faces", "--out", "out"];
    let run = place.burncam(&arguments);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("the file holds weights only"), "{}", run.stderr);
}

#[test]
fn help_teaches() {
    let run = place().burncam(&["convert", "--help"]);
    assert_eq!(run.code, 0);
    insta::assert_snapshot!("convert_help", run.stdout);
}

#[test]
fn mistakes_are_explained_and_leave_nothing_behind() {
    let place = place();
    let h5 = weights("NCNN_k2.h5");
    place.write("there.bpk", b"mine");
    let cases: &[(&[&str], &[&str])] = &[
        (&["--out", "a.h5"], &["a.h5", ".bpk", ".safetensors"]),
        (&["--out", "bpk"], &["must end in .bpk"]),
        (&["--out", "there.bpk"], &["there.bpk is there already", "--overwrite"]),
        (&["--out", "no/a.bpk"], &["cannot write no/a.bpk"]),
        (&["--out", "a.bpk", "--model", "vgg16"], &["is not vgg16"]),
        (&["--out", "a.bpk", "--model", "alexnet"], &["no model `alexnet`"]),
    ];
    for (arguments, words) in cases {
        let run = place.burncam(&[&["convert", "--weights", &h5], *arguments].concat());
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.starts_with("error:"), "{arguments:?}: {}", run.stderr);
        for word in *words {
            assert!(run.stderr.contains(word), "{arguments:?}: no `{word}` in {}", run.stderr);
        }
    }
    assert_eq!(place.read("there.bpk"), "mine");
    let left = crate::program::files(&place.path(""));
    assert!(left.iter().all(|file| file.starts_with("faces") || file == "there.bpk"), "{left:?}");
    assert_eq!(convert(&place, &h5, "there.bpk", &["--overwrite"]).code, 0);
}

/// At whatever moment it is told to end, no part of a file stays, under its name or another.
#[cfg(unix)]
#[test]
fn a_stopped_conversion_leaves_nothing_behind() {
    use std::process::Stdio;
    use std::time::{Duration, Instant};
    let place = Place::new();
    let h5 = weights("NCNN_k2.h5");
    assert_eq!(convert(&place, &h5, "whole.bpk", &[]).code, 0);
    let mut stopped = 0;
    for (at, name) in ["-TERM", "-INT"].into_iter().cycle().take(24).enumerate() {
        let mut command = place.command(&["convert", "--weights", &h5, "--out", "a.bpk"]);
        let child =
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a program");
        let begun = Instant::now();
        // Every other one once there is something to remove.
        let parts = || crate::program::files(&place.path("")).iter().any(|f| f.ends_with(".part"));
        while begun.elapsed() < Duration::from_millis(5 * at as u64) || (at % 2 == 1 && !parts()) {
            if begun.elapsed() > Duration::from_secs(2) {
                break;
            }
        }
        let id = child.id().to_string();
        let _ = std::process::Command::new("kill").args([name, &id]).stderr(Stdio::null()).status();
        let ended = child.wait_with_output().expect("a process");
        let files = crate::program::files(&place.path(""));
        match ended.status.code() {
            // It was done already.
            Some(0) => {
                std::fs::remove_file(place.path("a.bpk")).expect("the file");
                assert_eq!(files, ["a.bpk", "whole.bpk"]);
            }
            Some(130) => {
                stopped += 1;
                assert_eq!(files, ["whole.bpk"]);
            }
            // Before the program listens, a signal ends it.
            None => assert_eq!(files, ["whole.bpk"]),
            other => panic!("{other:?}: {}", String::from_utf8_lossy(&ended.stderr)),
        }
    }
    assert!(stopped > 0, "no conversion was stopped");
}

/// A file cut anywhere is refused, and says which file.
#[test]
fn a_cut_file_is_refused() {
    let place = place();
    for whole in ["a.bpk", "a.safetensors"] {
        assert_eq!(convert(&place, &weights("NCNN_k2.h5"), whole, &[]).code, 0);
        let bytes = std::fs::read(place.path(whole)).expect("the file");
        for part in [5, 9, 12, 700, bytes.len() / 2, bytes.len() - 1] {
            place.write("cut", &bytes[..part]);
            let run = place.burncam(&["explain", "--weights", "cut", "--data", "faces"]);
            assert_eq!(run.code, 2, "{whole} cut to {part}: {}", run.stderr);
            assert!(run.stderr.contains("error: cut "), "{whole} cut to {part}: {}", run.stderr);
            assert!(!run.stderr.contains("panicked"), "{whole} cut to {part}: {}", run.stderr);
        }
    }
}
