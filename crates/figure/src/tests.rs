//! Whole figures of a small report.

use burncam_evaluation::{GRID, Grid, Values};
use burncam_page::{ImageReport, Language, Report};
use burncam_render::Colormap;
use image::{Rgb, RgbImage};
use serde_json::{Value, json};

use crate::{
    Column, Error, Look, Maps, Row, Scene, Typeface, columns, curves, images, mean_maps, panel,
};
use crate::{pdf, png, svg};

fn look() -> Look {
    Look {
        language: Language::English,
        width: Some(120.0),
        colormap: Colormap::Viridis,
        title: None,
        typeface: Typeface::default(),
    }
}

fn grid(values: Values, peak: usize) -> Value {
    let shares: Vec<f32> =
        (0..GRID * GRID).map(|cell| if cell == peak { 1.0 } else { 0.1 }).collect();
    serde_json::to_value(Grid::from_shares(&shares, values)).expect("JSON")
}

fn explanation(place: usize, name: &str, title: &str, method: &str, values: &str) -> Value {
    json!({
        "explanation": place, "name": name, "title": title, "--method": method, "--layer": ["a"],
        "values": values, "by_status": { "ok": 3 },
        "peaks": { "maps": 3, "border": 0, "border_cells": 0.25 },
        "mean_maps": [{
            "class": "Pain", "outcome": "Right", "fold": null, "maps": 3,
            "map": grid(Values::Positive, 90),
        }],
    })
}

fn model(name: &str, explanations: &[Value]) -> Value {
    let bin = |confidence: f64| json!({ "images": 2, "confidence": confidence, "accuracy": 0.5 });
    json!({
        "name": name, "sources": [[0, 0]], "classes": ["Pain", "No_pain"], "positive": "Pain",
        "network_per_fold": false, "images": 4, "failed": 0, "judged": 4, "unknown": 0,
        "explanations": explanations,
        "scores": {
            "accuracy": 0.75, "balanced_accuracy": 0.75, "sensitivity": 0.5, "specificity": 1.0,
            "auc": 0.875, "f1": 0.5, "brier": 0.1, "calibration_error": 0.05,
        },
        "intervals": {
            "auc": { "low": 0.5, "high": 1.0, "method": "bootstrap", "units": 4, "remark": null },
        },
        "unit": "image", "units": 4, "folds": [], "over_folds": {},
        "confusion": { "classes": [], "counts": [] },
        "roc": [[0.0, 0.0], [0.0, 0.5], [0.5, 1.0], [1.0, 1.0]],
        "reliability": [bin(0.6), bin(0.9)],
        "histogram": { "right": vec![0; 20], "wrong": vec![0; 20], "unknown": vec![0; 20] },
    })
}

fn result(model: usize, predicted: &str, confidence: f64, maps: &[(usize, Values)]) -> Value {
    let outcome = if predicted == "Pain" { "Right" } else { "Wrong" };
    let map = |&(explanation, values): &(usize, Values)| {
        let status = if predicted == "No_pain" { "constant" } else { "ok" };
        json!({
            "explanation": explanation, "target": predicted, "status": status, "map_max": 1.0,
            "map_size": [14, 14], "map_peak": [6, 6], "map": grid(values, 90), "overlay": null,
            "thumbnail": null,
        })
    };
    json!({
        "model": model, "run": 0, "label": "Pain", "predicted": predicted, "confidence": confidence,
        "probabilities": [confidence, 1.0 - confidence], "outcome": outcome,
        "attributions": maps.iter().map(map).collect::<Vec<_>>(), "error": null,
    })
}

/// Two networks, one of which has two explanations at two layers; the last image has a network wrong and a map that
/// must not be read.
fn report() -> Report<'static> {
    let (one, two) = ([(0, Values::Positive)], [(0, Values::Positive), (1, Values::Signed)]);
    let image = |fold: &str, name: &str, first: (&str, f64), second: (&str, f64)| {
        json!({
            "path": format!("{fold}/{name}"), "fold": fold, "subject": null, "agreement": [],
            "results": [result(0, first.0, first.1, &one), result(1, second.0, second.1, &two)],
        })
    };
    let report = json!({
        "schema": burncam_page::SCHEMA,
        "settings": {
            "positive": null, "subject": null, "title": null,
            "resampling": { "resamples": 0, "seed": 1, "level": 0.95 },
        },
        "runs": [], "true_classes": { "images": { "Pain": 4 }, "unknown": 0 },
        "explanations": ["Grad-CAM", "Input × gradient"],
        "models": [
            model("VGG16", &[explanation(0, "GradCAM", "Grad-CAM", "grad-cam", "positive")]),
            model("N<C>NN", &[
                explanation(0, "GradCAM", "Grad-CAM", "grad-cam", "positive"),
                explanation(1, "InputXGradient", "Input × gradient", "input-x-gradient", "signed"),
            ]),
        ],
        "comparisons": [], "agreement": [],
        "images": [
            image("A", "S01_dor.png", ("Pain", 0.9), ("Pain", 0.9999)),
            image("A", "S02_dor.png", ("Pain", 0.8), ("Pain", 0.7)),
            image("B", "S01_dor.png", ("Pain", 0.95), ("Pain", 0.6)),
            image("B", "S03_\u{1}\"dor&.png", ("No_pain", 0.6), ("Pain", 0.7)),
        ],
    });
    serde_json::from_value(report).expect("a report")
}

fn photograph(image: &ImageReport) -> Option<RgbImage> {
    let shape = if image.fold == "A" { (60, 60) } else { (60, 80) };
    (image.path != "A/S02_dor.png")
        .then(|| RgbImage::from_fn(shape.0, shape.1, |x, y| Rgb([120, x as u8, y as u8])))
}

fn figure(asked: Option<&str>, named: Option<&str>, look: &Look) -> Result<Scene, Error> {
    let report = report();
    let (rows, columns) = (images(&report, asked, 6)?, columns(&report, named)?);
    panel(&report, &rows, &columns, look, &mut photograph)
}

fn paths(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| row.image.path.as_str()).collect()
}

/// The SVG without what is long: pictures and outlines.
fn described(scene: &Scene) -> String {
    let mut text = String::new();
    for line in svg(scene).lines() {
        let line = match line.split_once(" d=\"").or_else(|| line.split_once(" href=\"")) {
            Some((before, _)) => before,
            None => line,
        };
        text.push_str(line);
        text.push('\n');
    }
    text
}

#[test]
fn a_panel_as_svg() {
    let scene = figure(None, None, &look()).expect("a figure");
    insta::assert_snapshot!(described(&scene));
}

#[test]
fn mean_maps_as_svg() {
    let scene = mean_maps(&report(), None, &look()).expect("a figure");
    insta::assert_snapshot!(described(&scene));
}

#[test]
fn curves_as_svg() {
    let look = Look { language: Language::Portuguese, title: Some("A & B".to_owned()), ..look() };
    insta::assert_snapshot!(described(&curves(&report(), &look).expect("a figure")));
}

#[test]
fn a_pdf_has_its_size_and_its_fonts() {
    let scene = figure(None, Some("original,N<C>NN"), &look()).expect("a figure");
    let bytes = pdf(&scene).expect("a PDF");
    assert!(bytes.starts_with(b"%PDF-"));
    let text = String::from_utf8_lossy(&bytes);
    let page = text.split_once("/MediaBox[").expect("a page").1;
    let page = page.split_once(']').expect("its size").0;
    let sides: Vec<f32> =
        page.split_whitespace().map(|side| side.parse().expect("a number")).collect();
    assert_eq!(sides[..2], [0.0, 0.0]);
    assert!((sides[2] - 120.0 * 72.0 / 25.4).abs() < 0.01, "{sides:?}");
    assert!((sides[3] - scene.height * 72.0 / 25.4).abs() < 0.01, "{sides:?}");
    for font in ["Inter-Regular", "Inter-SemiBold"] {
        assert!(text.contains(font), "{font}");
    }
    assert_eq!(text.matches("/FontFile3").count(), 2);
    assert_eq!(bytes, pdf(&scene).expect("a PDF"), "the same again");
}

#[test]
fn a_given_font_is_embedded() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("font.otf");
    std::fs::write(&path, include_bytes!("../../../assets/fonts/Inter-SemiBold.otf"))
        .expect("a font");
    let typeface = Typeface::read(&path).expect("a font");
    let look = Look { typeface, ..look() };
    let bytes = pdf(&figure(None, None, &look).expect("a figure")).expect("a PDF");
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("Inter-SemiBold") && !text.contains("Inter-Regular"));
    assert_eq!(text.matches("/FontFile3").count(), 1);
}

#[test]
fn a_png_has_its_density_and_its_pixels() {
    let scene = figure(None, None, &look()).expect("a figure");
    let bytes = png(&scene, 150.0).expect("a PNG");
    let at = bytes.windows(4).position(|four| four == b"pHYs").expect("a density");
    let number =
        |from: usize| u32::from_be_bytes(bytes[from..from + 4].try_into().expect("four bytes"));
    assert_eq!([number(at + 4), number(at + 8)], [5906, 5906]);
    assert_eq!(bytes[at + 12], 1, "per metre");
    let picture = image::load_from_memory(&bytes).expect("a PNG").into_rgb8();
    assert_eq!(picture.width(), 709);
    assert_eq!(picture.get_pixel(0, 0).0, [255; 3]);
    assert!(matches!(png(&scene, 1e6), Err(Error::Draw(_))));
}

#[test]
fn columns_are_found_by_network_method_and_name() {
    let report = report();
    let found = |asked| columns(&report, Some(asked)).expect("columns");
    let maps = |model, explanation| Column::Maps(Maps { model, explanation });
    assert_eq!(found("original, vgg16"), [Column::Original, maps(0, 0)]);
    assert_eq!(found("N<C>NN:input-x-gradient"), [maps(1, 1)]);
    assert_eq!(found("grad-cam"), [maps(0, 0), maps(1, 0)]);
    assert_eq!(found("InputXGradient"), [maps(1, 1)]);
    assert_eq!(columns(&report, None).expect("columns").len(), 3);
    for wrong in ["VGG16:rise", "ResNet50", ","] {
        let error = columns(&report, Some(wrong)).expect_err(wrong).to_string();
        assert!(error.contains("hint: the columns are original, VGG16:GradCAM"), "{error}");
    }
}

#[test]
fn conditions_choose_images() {
    let report = report();
    let found = |asked: &str| images(&report, Some(asked), 6);
    let many = |asked: &str| found(asked).expect(asked).len();
    assert_eq!(many("fold=A"), 2);
    assert_eq!(paths(&found("outcome=wrong").expect("images")), ["B/S03_\u{1}\"dor&.png"]);
    assert_eq!(many("fold=B,text=s01"), 1);
    assert_eq!(many("network=vgg16,confidence=0.85.."), 2);
    assert_eq!(many("network=VGG16,confidence=..0.8"), 2);
    assert_eq!(many("status=constant,method=grad-cam"), 1);
    assert_eq!(many("disagree=yes"), 1);
    assert_eq!(many("class=Pain,predicted=Pain"), 4);
    assert_eq!(images(&report, Some("class=Pain"), 2).expect("images").len(), 2);
    // One result has to be both.
    for nothing in ["predicted=No_pain,network=N<C>NN", "fold=C"] {
        let error = found(nothing).expect_err(nothing).to_string();
        assert!(error.contains("no image is so"), "{error}");
    }
    for wrong in
        ["fold", "outcome=good", "colour=red", "confidence=high", "network=X", "disagree=1"]
    {
        let asked = format!("fold=A,{wrong}");
        assert!(found(&asked).expect_err(wrong).to_string().contains("hint:"), "{wrong}");
    }
}

#[test]
fn a_list_chooses_images_in_its_order() {
    let report = report();
    let folder = tempfile::tempdir().expect("a folder");
    let listed = |text: &str| {
        let path = folder.path().join("list.csv");
        std::fs::write(&path, text).expect("a list");
        images(&report, Some(path.to_str().expect("a path")), 1)
    };
    let rows = listed("B/S01_dor.png\n\n# a note\nS02_dor.png\n").expect("images");
    assert_eq!(paths(&rows), ["B/S01_dor.png", "A/S02_dor.png"]);
    let rows =
        listed("A/S01_dor.png\nS03_\u{1}\"dor&.png\nB/S03_\u{1}\"dor&.png\n").expect("images");
    assert_eq!(rows.len(), 3, "a name and a path of one image");
    let rows = listed("model;path\nVGG16;A/S02_dor.png\nNCNN;A/S02_dor.png\n").expect("images");
    assert_eq!(paths(&rows), ["A/S02_dor.png"]);
    for (text, what) in [
        ("S01_dor.png", "several images have the name"),
        ("A/S01_dor.png\nS01_dor.png", "several images have the name"),
        ("A/S09.png", "the report has no image `A/S09.png`"),
        ("path,note\n", "it lists no image"),
    ] {
        let error = listed(text).expect_err(text).to_string();
        assert!(error.contains(what) && error.contains("hint:"), "{error}");
    }
}

#[test]
fn too_many_columns_are_refused() {
    let named = ["VGG16"; 12].join(",");
    let error = figure(None, Some(&named), &look()).expect_err("no room").to_string();
    assert!(error.contains("12 columns do not fit into 120 mm") && error.contains("hint:"));
}

#[test]
fn characters_that_no_font_has_are_named() {
    let look = Look { title: Some("痛み of S01".to_owned()), ..look() };
    let error = figure(None, None, &look).expect_err("no such characters").to_string();
    for part in ["み (U+307F), 痛 (U+75DB)", "`痛み of S01`", "hint: --font FILE"] {
        assert!(error.contains(part), "{error}");
    }
}

/// A report whose second network has curves.
fn measured() -> Report<'static> {
    let mean = |mean: f64| json!({ "mean": mean, "interval": [mean - 0.1, mean + 0.1], "t": null, "p": null, "units": 4 });
    let profile = |explanation: &str, control: &str, measure: &str, points: &[(&str, f64)]| {
        let point = |(condition, value): &(&str, f64)| json!({ "condition": condition, "mean": mean(*value), "undefined": 0, "chance": null });
        json!({
            "explanation": explanation, "control": control, "measure": measure, "class": "", "outcome": "",
            "points": points.iter().map(point).collect::<Vec<_>>(),
        })
    };
    let fall = [("blur", 0.7), ("0.0000", 0.9), ("0.5000", 0.3), ("1.0000", 0.05)];
    let mut report = report();
    report.models[1].trust = serde_json::from_value(json!({
        "unit": "images",
        "assessments": [{
            "explanation": "GradCAM", "measure": "deletion", "mean": mean(0.4), "undefined": 0, "chance": null,
            "controls": [], "verdict": null, "is_sane": null,
        }],
        "profiles": [
            profile("", "random", "deletion", &[("0.0000", 0.9), ("0.5000", 0.6), ("1.0000", 0.05)]),
            profile("GradCAM", "", "deletion", &fall),
            profile("GradCAM", "", "region-mass", &[("0.1", 0.5), ("0.2", 0.5)]),
            profile("InputXGradient", "", "deletion", &[("0.0000", 0.9), ("0.5000", 0.4), ("1.0000", 0.05)]),
            profile("GradCAM", "untrained", "road-most", &[("0.1000", 0.8), ("0.2000", 0.8)]),
            profile("GradCAM", "", "road-most", &[("0.1000", 1.5), ("0.2000", -0.5)]),
            profile("GradCAM", "", "insertion", &[("mean", 0.8), ("zero", 0.5)]),
        ],
    }))
    .expect("trust");
    report
}

#[test]
fn measured_curves_as_svg() {
    let scene = curves(&measured(), &Look { width: Some(170.0), ..look() }).expect("a figure");
    let all = described(&scene);
    let from = all.find("aria-label=\"Deletion\"").expect("a chart");
    insta::assert_snapshot!(&all[all[..from].rfind('\n').expect("a line") + 1..]);
}

#[test]
fn curves_are_of_what_was_measured() {
    let labels = |report: &Report<'_>| {
        let svg = svg(&curves(report, &look()).expect("a figure"));
        ["Deletion", "Insertion", "ROAD, most relevant first", "ROC curve"]
            .map(|title| svg.contains(&format!("aria-label=\"{title}\"")))
    };
    assert_eq!(labels(&report()), [false, false, false, true]);
    assert_eq!(labels(&measured()), [true, false, true, true], "baselines are no curve");
    let mut report = measured();
    for model in &mut report.models {
        model.roc = Vec::new().into();
        model.reliability.clear();
    }
    assert_eq!(labels(&report), [true, false, true, false]);
    report.models[1].trust = None;
    let error = curves(&report, &look()).expect_err("no curves").to_string();
    assert!(error.contains("0 curves") && error.contains("hint:"), "{error}");
}
