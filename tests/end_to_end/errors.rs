//! What a user sees who makes a mistake.

use crate::program::{Place, Run, goldens, weights};

/// Standard error without the place of this machine's files.
fn message(place: &Place, run: &Run) -> String {
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    let goldens = goldens().display().to_string();
    let own = place.path("").display().to_string();
    run.stderr.replace(&goldens, "GOLDENS").replace(&own, "")
}

fn place() -> Place {
    let place = Place::new();
    place.face("Fold0/S01_sem_dor_01.png", "faces/Fold0/S01_sem_dor_01.png");
    place
}

#[test]
fn help_teaches() {
    let run = place().burncam(&["explain", "--help"]);
    assert_eq!(run.code, 0);
    insta::assert_snapshot!("help", run.stdout);
}

#[test]
fn a_file_that_is_no_checkpoint() {
    let place = place();
    place.write("model.h5", b"\x80\x02}q\x00 a pickle");
    let run = place.burncam(&["explain", "--weights", "model.h5", "--data", "faces"]);
    assert_eq!(run.code, 2);
    insta::assert_snapshot!("not_a_checkpoint", message(&place, &run));
}

#[test]
fn a_checkpoint_of_another_model() {
    let place = place();
    let run = place.explain(&["--model", "vgg16"]);
    assert_eq!(run.code, 2);
    insta::assert_snapshot!("another_model", message(&place, &run));
}

#[test]
fn a_layer_that_is_not_there() {
    let place = place();
    let run = place.explain(&["--layer", "conv5_3"]);
    assert_eq!(run.code, 2);
    insta::assert_snapshot!("unknown_layer", message(&place, &run));
}

/// Each mistake, and words that its message has.
#[test]
fn mistakes_are_explained() {
    let place = place();
    place.write("text.csv", b"S01_sem_dor_01.png,calm\n");
    place.write("plain", b"");
    place.write("sick.csv", b"image,class\nother.png,sick\n");
    std::fs::create_dir(place.path("empty")).expect("a folder");
    let cases: &[(&[&str], &[&str])] = &[
        (&["--labels", "text.csv"], &["row 1", "calm", "Pain, No_pain"]),
        (&["--labels", "sick.csv"], &["row 2", "sick", "Pain, No_pain"]),
        (&["--class", "calm"], &["no class `calm`", "Pain, No_pain"]),
        (&["--class", "2"], &["no class `2`", "0 to 1"]),
        (&["--labels", "nowhere.csv"], &["nowhere.csv", "tokens:"]),
        (&["--labels", "tokens:Pain"], &["no `=`"]),
        (&["--labels", "tokens:Calm=rest"], &["no class `Calm`", "Pain, No_pain"]),
        (&["--labels", "text.csv", "--classes", "a,b,c"], &["3 names", "2 classes"]),
        (&["--classes", "a,A"], &["number 0 and 1 (from 0) are both"]),
        (
            &["--classes", "a,b", "--labels", "notebook"],
            &["knows Pain and No_pain", "--labels dirs"],
        ),
        (
            &["--model", "alexnet"],
            &["no model `alexnet`", "vgg16, resnet50, senet50, inception_v3, ncnn"],
        ),
        (&["--model", "vgg16:mine"], &["no variant `mine`", "keras-vggface, keras-applications"]),
        (&["--alpha", "-1"], &["--alpha", "0 or more"]),
        (&["--batch", "0"], &["--batch"]),
        (&["--resize", "cubic"], &["cubic", "nearest, bilinear"]),
        (&["--data", "nowhere"], &["cannot be used multiple times"]),
    ];
    for (arguments, words) in cases {
        let run = place.explain(arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
        let message = message(&place, &run);
        assert!(message.starts_with("error:"), "{arguments:?}: {message}");
        for word in *words {
            assert!(message.contains(word), "{arguments:?}: no `{word}` in {message}");
        }
    }
    assert!(!place.path("out").exists(), "a mistake leaves nothing behind");
}

#[test]
fn missing_and_wrong_places_are_explained() {
    let place = place();
    place.write("plain", b"");
    std::fs::create_dir(place.path("empty")).expect("a folder");
    let h5 = weights("NCNN_k2.h5");
    let cases: &[(&[&str], &[&str])] = &[
        (&["--weights", &h5], &["--weights needs --data"]),
        (&["--data", "faces"], &["--data needs --weights"]),
        (&["--weights", "no.h5", "--data", "faces"], &["cannot open no.h5"]),
        (&["--weights", "faces", "--data", "faces"], &["no checkpoint in the folder faces"]),
        (&["--weights", "plain", "--data", "faces"], &["plain is an empty file"]),
        (&["--weights", &h5, "--data", "nowhere"], &["cannot open the data folder nowhere"]),
        (&["--weights", &h5, "--data", "plain"], &["plain is neither a folder nor", "hint:"]),
        (&["--weights", &h5, "--data", "empty"], &["no images in empty", "hint:"]),
        (&["--weights", &h5, "--data", "faces", "--out", "plain"], &["cannot make the output"]),
        (
            &["--weights", &h5, "--data", "faces", "--out", "faces/out"],
            &["inside the data folder", "another --out"],
        ),
    ];
    for (arguments, words) in cases {
        let run = place.burncam(&[&["explain"], *arguments].concat());
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
        let message = message(&place, &run);
        for word in *words {
            assert!(message.contains(word), "{arguments:?}: no `{word}` in {message}");
        }
    }
}

/// A Keras file cut anywhere is refused, and says which file.
#[test]
fn a_cut_checkpoint_is_refused() {
    let place = place();
    let whole = std::fs::read(weights("NCNN_k2.h5")).expect("a checkpoint");
    for part in [9, 600, whole.len() / 3, whole.len() / 2, whole.len() - 1000] {
        place.write("cut.h5", &whole[..part]);
        let run = place.burncam(&["explain", "--weights", "cut.h5", "--data", "faces"]);
        assert_eq!(run.code, 2, "cut to {part}: {}", run.stderr);
        assert!(message(&place, &run).contains("cut.h5"), "cut to {part}: {}", run.stderr);
    }
}
