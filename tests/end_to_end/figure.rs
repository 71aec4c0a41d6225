//! Figures of a run.

use std::fs;

use crate::program::{Place, picture, weights};

/// A run of two networks, one of which has maps that must not be read.
fn place() -> Place {
    let place = Place::new();
    place.face("Fold0/S01_sem_dor_01.png", "faces/A/S01_sem_dor_01.png");
    place.face("Fold0/S02_dor_01.png", "faces/A/S02_dor_01.png");
    place.face("Fold0/S02_dor_01.png", "faces/B/S02_dor_01.png");
    for name in ["NCNN_k2.h5", "NCNN_k2_dead.h5"] {
        place.write(&format!("nets/{name}"), &fs::read(weights(name)).expect("a checkpoint"));
    }
    let nets = ["nets/NCNN_k2.h5", "nets/NCNN_k2_dead.h5"];
    let more = ["--data", "faces", "--out", "out", "--method", "grad-cam,saliency"];
    let run = place.burncam(&[&["explain", "--weights"], &nets[..], &more].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    place
}

#[test]
fn a_figure_needs_no_option() {
    let place = place();
    let run = place.burncam(&["figure", "out"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert!(run.stdout.contains("figure.pdf: ") && run.stdout.contains(" mm"), "{}", run.stdout);
    assert!(fs::read(place.path("out/figure.pdf")).expect("a figure").starts_with(b"%PDF-"));
}

#[test]
fn a_figure_is_written_in_every_format_at_once() {
    let place = place();
    let out = ["--out", "a/wrong.svg", "--out", "a/wrong.png", "--out", "a/wrong.PDF"];
    let asked = ["--images", "fold=A", "--columns", "original,saliency", "--width", "100"];
    let run = place.burncam(&[&["figure", "out", "--dpi", "100"], &asked[..], &out].concat());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let svg = place.read("a/wrong.svg");
    assert!(svg.contains("width=\"100mm\"") && svg.contains("aria-label=\"Saliency\""));
    assert_eq!(svg.matches("aria-label=\"Original\"").count(), 1);
    assert_eq!(svg.matches("aria-label=\"True class: ").count(), 2);
    assert_eq!(picture(&place.path("a/wrong.png")).width(), 394);
    assert!(fs::read(place.path("a/wrong.PDF")).expect("a figure").starts_with(b"%PDF-"));
}

#[test]
fn mean_maps_and_curves() {
    let place = place();
    let svg = |more: &[&str]| {
        let run = place.burncam(&[&["figure", "out", "--out", "f.svg"], more].concat());
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        place.read("f.svg")
    };
    let mean = svg(&["--mean", "--lang", "pt-BR"]);
    assert!(mean.contains("<title>Mapas médios</title>") && mean.contains("aria-label=\"n = "));
    let curves = svg(&["--curves", "--title", "Networks & curves"]);
    assert!(curves.contains("<title>Networks &amp; curves</title>"));
    assert!(curves.contains("aria-label=\"Sensitivity\""));
}

#[test]
fn images_that_have_moved_are_replaced_or_found() {
    let place = place();
    fs::rename(place.path("faces"), place.path("elsewhere")).expect("a folder");
    let run = place.burncam(&["figure", "out", "--out", "small.png", "--dpi", "100"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("small pictures stand"), "{}", run.stderr);
    let found = ["figure", "out", "--out", "found.png", "--dpi", "100", "--data", "elsewhere"];
    let run = place.burncam(&found);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}

#[test]
fn mistakes_are_named() {
    let place = place();
    place.write("list.txt", b"A/S09.png\n");
    for (arguments, what) in [
        (&["figure", "nothing"][..], "holds no report.json"),
        (&["figure", "out", "--out", "f.tiff"], "a figure is .svg, .pdf or .png"),
        (&["figure", "out", "--images", "fold=Z"], "no image is so: fold=Z"),
        (&["figure", "out", "--images", "missing.csv"], "there is no such file"),
        (&["figure", "out", "--images", "list.txt"], "the report has no image `A/S09.png`"),
        (&["figure", "out", "--columns", "original,VGG16:rise"], "has no maps of `VGG16:rise`"),
        (&["figure", "out", "--mean", "--curves"], "cannot be used with"),
        (&["figure", "out", "--dpi", "0"], "36 to 2400 pixels an inch"),
        (&["figure", "out", "--title", "痛"], "no 痛 (U+75DB), as in `痛`\nhint: --font FILE"),
        (&["figure", "out", "--font", "list.txt"], "list.txt: it is no font"),
    ] {
        let run = place.burncam(arguments);
        assert_eq!(run.code, 2, "{arguments:?}");
        assert!(run.stderr.contains(what), "{arguments:?}: {}", run.stderr);
    }
    assert!(!place.path("f.tiff").exists());
}
