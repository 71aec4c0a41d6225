//! What a run leaves behind, and what it says.

use crate::program::{Place, Run, pixels_crc32};

fn place() -> Place {
    let place = Place::new();
    place.face("Fold0/S01_sem_dor_01.png", "faces/Fold0/S01_sem_dor_01.png");
    place.face("Fold0/S02_dor_01.png", "faces/Fold1/S02_dor_01.png");
    place
}

/// Text without what differs from run to run.
pub(crate) fn stable(text: &str) -> String {
    let text = text.replace('\\', "/");
    let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    for at in 1..words.len() {
        if words[at].starts_with("s,") || words[at].starts_with("images/s") {
            words[at - 1] = "#".to_owned();
        }
    }
    words.join(" ")
}

fn record(place: &Place) -> serde_json::Value {
    serde_json::from_str(&place.read("out/run.json")).expect("a record")
}

fn code(run: &Run) -> i32 {
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    run.code
}

#[test]
fn the_summary_says_how_it_went_and_where_things_are() {
    let place = place();
    let run = place.explain(&[]);
    assert_eq!(code(&run), 0, "{}", run.stderr);
    insta::assert_snapshot!("summary", stable(&run.stdout));
}

#[test]
fn the_summary_in_portuguese() {
    let place = place();
    let run = place.explain(&["--lang", "pt-BR", "--overlay", "clean"]);
    assert_eq!(code(&run), 0, "{}", run.stderr);
    let text = stable(&run.stdout);
    let rates = text.split_once(" em # s, ").map(|(head, rest)| {
        let rest = rest.split_once(" imagens/s").map_or(rest, |(_, rest)| rest);
        format!("{head} em # s, # imagens/s{rest}")
    });
    insta::assert_snapshot!("summary_portuguese", rates.unwrap_or(text));
}

#[test]
fn the_record_says_what_was_run() {
    let place = place();
    assert_eq!(
        code(&place.explain(&["--batch", "1", "--alpha", "0.5", "--resize", "bilinear"])),
        0
    );
    let run = record(&place);
    for (pointer, value) in [
        ("/status", serde_json::json!("complete")),
        ("/models/0/architecture", "ncnn".into()),
        ("/models/0/explanations/0/--layer", serde_json::json!(["conv_2x2_"])),
        ("/models/0/parameters", 78_234.into()),
        ("/models/0/head", "Flatten, Dense 8 relu, Dropout, Dense 2, softmax".into()),
        ("/devices/0/used", "cpu".into()),
        ("/options/--alpha", 0.5.into()),
        ("/options/--resize", "bilinear".into()),
        ("/batch", 1.into()),
        ("/counts/explained", 2.into()),
        ("/data/folds", serde_json::json!(["Fold0", "Fold1"])),
    ] {
        assert_eq!(run.pointer(pointer), Some(&value), "{pointer} of {run:#}");
    }
    let sha256 =
        run.pointer("/models/0/weights/0/sha256").and_then(|v| v.as_str()).expect("a digest");
    assert_eq!(sha256.len(), 64);
}

#[test]
fn results_do_not_depend_on_the_batch() {
    let place = place();
    let table = |batch: &str| {
        let run = place.explain(&["--batch", batch, "--overwrite"]);
        assert_eq!(code(&run), 0, "{}", run.stderr);
        let mut rows = place.predictions();
        rows.iter_mut().for_each(|row| drop(row.remove("milliseconds")));
        rows
    };
    assert_eq!(table("1"), table("2"));
}

#[test]
fn a_broken_image_is_listed_and_the_others_are_explained() {
    let place = place();
    place.write("faces/Fold1/broken.png", b"\x89PNG\r\n\x1a\nno picture");
    place.write("faces/Fold1/empty.jpg", b"");
    place.write("faces/Fold1/notes.txt", b"not an image");
    let run = place.explain(&[]);
    assert_eq!(code(&run), 1, "{}", run.stderr);
    assert!(run.stdout.contains("2 images failed:"), "{}", run.stdout);
    assert!(run.stderr.contains("Fold1/notes.txt"), "{}", run.stderr);
    let rows = place.predictions();
    let errors: Vec<_> =
        rows.iter().map(|row| (row["path"].as_str(), !row["error"].is_empty())).collect();
    assert_eq!(
        errors,
        [
            ("Fold0/S01_sem_dor_01.png", false),
            ("Fold1/S02_dor_01.png", false),
            ("Fold1/broken.png", true),
            ("Fold1/empty.jpg", true),
        ]
    );
    assert_eq!(record(&place).pointer("/counts/failed"), Some(&2.into()));
}

#[test]
fn a_class_and_a_layer_can_be_chosen() {
    let place = place();
    for class in ["Pain", "pain", "0"] {
        let run = place.explain(&["--class", class, "--layer", "leaky_1", "--overwrite"]);
        assert_eq!(code(&run), 0, "{}", run.stderr);
        for row in place.predictions() {
            assert_eq!((row["target"].as_str(), row["layer"].as_str()), ("Pain", "leaky_1"));
            assert_eq!((row["map_height"].as_str(), row["map_width"].as_str()), ("120", "120"));
        }
    }
}

#[test]
fn earlier_results_are_not_mixed_with() {
    let place = place();
    assert_eq!(code(&place.explain(&[])), 0);
    let overlay = place.path("out/NCNN_GradCAM/All/Wrong/NCNN_S01_sem_dor_01.png");
    let before = pixels_crc32(&overlay);
    let run = place.explain(&["--alpha", "1"]);
    assert_eq!(code(&run), 2);
    assert!(run.stderr.contains("already holds results"), "{}", run.stderr);
    assert_eq!(pixels_crc32(&overlay), before);
    assert_eq!(code(&place.explain(&["--alpha", "1", "--overwrite"])), 0);
    assert_ne!(pixels_crc32(&overlay), before);
}

#[test]
fn images_of_equal_name_in_two_folds_both_stay() {
    let place = Place::new();
    place.face("Fold0/S01_sem_dor_01.png", "faces/Fold0/x_sem.png");
    place.face("Fold9/forest_dor.png", "faces/Fold1/x_sem.png");
    let run = place.explain(&[]);
    assert_eq!(code(&run), 0, "{}", run.stderr);
    let all = place.path("out/NCNN_GradCAM/All");
    let count = crate::program::files(&all).len();
    assert_eq!(count, 2);
}

/// What a run reads is not deleted to make room for its results.
#[test]
fn overwriting_spares_what_the_run_reads() {
    let place = place();
    assert_eq!(code(&place.explain(&[])), 0);
    let weights = crate::program::weights("NCNN_k2.h5");
    let data = "out/NCNN_GradCAM/All";
    let run = place.burncam(&[
        "explain",
        "--weights",
        &weights,
        "--data",
        data,
        "--out",
        "out",
        "--overwrite",
    ]);
    assert_eq!(code(&run), 2);
    assert!(run.stderr.contains("would delete"), "{}", run.stderr);
    assert!(place.path("out/NCNN_GradCAM/NCNN.csv").is_file());
}
