//! Whether maps may be believed: measures, their controls, and what they come to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use zip::ZipArchive;

use crate::program::{Place, goldens, weights};

/// Three faces of the demo and their masks.
fn place() -> Place {
    let place = Place::new();
    for name in ["Fold0/S01_sem_dor_01.png", "Fold0/S02_dor_01.png", "Fold1/S05_dor_01.png"] {
        for folder in ["faces", "masks"] {
            let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/demo");
            let picture = std::fs::read(format!("{demo}/{folder}/{name}")).expect("of the demo");
            place.write(&format!("{folder}/{name}"), &picture);
        }
    }
    place
}

const FEW: [&str; 2] = ["--measure", "deletion,gini,energy-inside,spearman"];

#[test]
fn every_map_and_control_is_measured() {
    let (place, weights) = (place(), weights("NCNN_k2.h5"));
    let fixed = [
        "evaluate",
        "--weights",
        &weights,
        "--data",
        "faces",
        "--masks",
        "masks",
        "--mask-level",
        "1",
    ];
    let methods = ["--method", "grad-cam,layer-cam"];
    let run = place.burncam(&[&fixed[..], &FEW, &methods, &["--out", "out"]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("NCNN GradCAM: better than every control by"), "{}", run.stdout);
    let table = place.read("out/measures.csv");
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    // Of each image two maps, four controls and two maps of the untrained network by three measures, and one pair.
    assert_eq!(rows.len(), 3 * ((2 + 4 + 2) * 3 + 1));
    let controls: BTreeSet<&str> = rows.iter().map(|row| &row[7]).collect();
    let expected = ["", "canny", "centred-gaussian", "random", "sobel", "untrained"];
    assert_eq!(controls, BTreeSet::from(expected));
    for row in &rows {
        let value: f64 = row[10].parse().expect("a value");
        assert!((-1.0..=1.0).contains(&value) && row[12].is_empty(), "{row:?}");
        assert_eq!(&row[8] == "energy-inside", !row[11].is_empty(), "{row:?}");
    }
    let document: Value = serde_json::from_str(&place.read("out/measures.json")).expect("JSON");
    let model = &document["models"][0];
    assert_eq!((model["model"].as_str(), model["unit"].as_str()), (Some("NCNN"), Some("images")));
    let all = model["assessments"].as_array().expect("assessments");
    for one in all.iter().filter(|one| one["explanation"] == "GradCAM") {
        let of = |row: &&csv::StringRecord| {
            &row[6] == "GradCAM"
                && row[7].is_empty()
                && row[8] == *one["measure"].as_str().expect("")
        };
        let values: Vec<f64> =
            rows.iter().filter(of).map(|row| row[10].parse().expect("a value")).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        assert!((one["mean"]["mean"].as_f64().expect("a mean") - mean).abs() < 1e-12, "{one}");
        assert_eq!(one["verdict"].is_null(), one["measure"] == "gini", "{one}");
        assert_eq!(one["controls"].as_array().map(Vec::len), Some(5), "{one}");
    }
    // A batch of another size gives the same to the last digit, and so does a run that goes on.
    let again = ["--batch", "1", "--out", "again"];
    assert_eq!(place.burncam(&[&fixed[..], &FEW, &methods, &again].concat()).code, 0);
    assert_eq!(place.read("again/measures.csv"), table);
    let from = place.burncam(&["explain", "--from", "out/run.json", "--out", "from"]);
    assert_eq!(from.code, 0, "{}", from.stderr);
    assert_eq!(place.read("from/measures.csv"), table);
    let other = ["--measure", "gini", "--out", "again", "--resume"];
    let run = place.burncam(&[&fixed[..], &methods, &other].concat());
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("--measure"), "{}", run.stderr);
}

#[test]
fn measures_that_cannot_be_are_refused() {
    let (place, weights) = (place(), weights("NCNN_k2.h5"));
    let fixed = ["explain", "--weights", &weights, "--data", "faces", "--out", "out"];
    for (more, words) in [
        (&["--measure", "sharpness"][..], "there is no measure `sharpness`"),
        (&["--measure", "iou"], "--masks is the folder of masks"),
        (&["--measure", "iou", "--masks", "faces/Fold0"], "has no mask of any image"),
        (&["--measure", "iou", "--masks", "masks"], "--mask-level 1 takes all above 0"),
        (&["--measure", "region-mass"], "--regions is a table of landmarks"),
        (&["--measure", "region-mass", "--regions", "masks"], "regions.json"),
        (&["--measure", "gini", "--sweep"], "--sweep is about deletion and insertion"),
        (&["--measure", "gini", "--removal-steps", "0"], "--removal-steps"),
    ] {
        let run = place.burncam(&[&fixed[..], more].concat());
        assert_eq!(run.code, 2, "{more:?}");
        assert!(run.stderr.contains(words), "{more:?}: {}", run.stderr);
    }
}

/// The rows of a table of measures.
fn rows(place: &Place, out: &str) -> Vec<BTreeMap<String, String>> {
    let table = place.read(&format!("{out}/measures.csv"));
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

/// The values of a measure of the maps themselves, by condition, of an image.
fn by_condition(
    rows: &[BTreeMap<String, String>],
    path: &str,
    measure: &str,
) -> Vec<(String, f64)> {
    let own = rows.iter().filter(|row| {
        row["path"] == path && row["measure"] == measure && row["control"].is_empty()
    });
    own.map(|row| (row["condition"].clone(), row["value"].parse().expect("a value"))).collect()
}

const FACE: &str = "Fold0/S02_dor_01.png";

#[test]
fn networks_forget_from_both_ends() {
    let (place, weights) = (place(), weights("NCNN_k2.h5"));
    let measures =
        ["--measure", "head-down,stem-up,other-class,untrained-entropy,jpeg-sensitivity"];
    let fixed = ["explain", "--weights", &weights, "--data", "faces", "--out", "out"];
    let run = place.burncam(&[&fixed[..], &measures].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    let rows = rows(&place, "out");
    let (head, stem) =
        (by_condition(&rows, FACE, "head-down"), by_condition(&rows, FACE, "stem-up"));
    let names = |values: &[(String, f64)]| -> Vec<String> {
        values.iter().map(|(name, _)| name.clone()).collect()
    };
    let mut reversed = names(&head)[1..].to_vec();
    reversed.reverse();
    assert!(reversed.len() > 3 && head[0].0.is_empty(), "{head:?}");
    assert_eq!(reversed, names(&stem)[1..]);
    // At the end of both all layers are untrained.
    assert_eq!(head.last().expect("steps").1, stem.last().expect("steps").1);
    for values in [head, stem] {
        let mean =
            values[1..].iter().map(|(_, value)| value).sum::<f64>() / (values.len() - 1) as f64;
        assert!((values[0].1 - mean).abs() < 1e-12, "{values:?}");
    }
    let others = by_condition(&rows, FACE, "other-class");
    assert!(others.len() == 1 && others[0].1 < 0.9, "{others:?}");
    let jpeg = by_condition(&rows, FACE, "jpeg-sensitivity");
    assert!(jpeg[0].1 > 0.0 && jpeg[0].1 < 1.0, "{jpeg:?}");
}

#[test]
fn a_sweep_has_every_baseline() {
    let (place, weights) = (place(), weights("NCNN_k2.h5"));
    let fixed = ["explain", "--weights", &weights, "--data", "faces", "--out", "out"];
    let sweep = ["--measure", "deletion", "--sweep", "--removal-steps", "5", "--baseline", "blur"];
    let run = place.burncam(&[&fixed[..], &sweep].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    let values = by_condition(&rows(&place, "out"), FACE, "deletion");
    let names: BTreeSet<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, BTreeSet::from(["", "black", "blur", "mean", "noisy-linear", "zero"]));
    let value = |name: &str| values.iter().find(|(own, _)| own == name).expect("a value").1;
    assert_eq!(value(""), value("blur"));
    let different: BTreeSet<u64> = values.iter().map(|(_, value)| value.to_bits()).collect();
    assert!(different.len() >= 4, "{values:?}");
}

#[test]
fn regions_come_from_landmarks_and_from_label_maps() {
    let (place, weights) = (place(), weights("NCNN_k2.h5"));
    let landmarks = include_str!("../../assets/demo/landmarks.csv");
    place.write("landmarks.csv", landmarks.as_bytes());
    let names = br#"{"brow": 64, "eyes": 128, "nasolabial": 192, "mouth": 255}"#;
    place.write("masks/regions.json", names);
    for (regions, at_least) in [("landmarks.csv", 9), ("masks", 4)] {
        let fixed = ["explain", "--weights", &weights, "--data", "faces", "--out", "out"];
        let more = ["--measure", "region-mass,region-peak", "--regions", regions, "--overwrite"];
        let run = place.burncam(&[&fixed[..], &more].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
        let rows = rows(&place, "out");
        let shares = by_condition(&rows, FACE, "region-mass");
        let peaks = by_condition(&rows, FACE, "region-peak");
        assert!(shares.len() >= at_least && shares.len() == peaks.len(), "{shares:?}");
        for values in [&shares, &peaks] {
            let sum: f64 = values.iter().map(|(_, value)| value).sum();
            assert!((sum - 1.0).abs() < 1e-9, "{values:?}");
        }
        assert_eq!(peaks.iter().filter(|(_, value)| *value == 1.0).count(), 1);
        let journal = place.read("out/images.jsonl");
        assert!(journal.contains("eyes_and_mouth"), "{journal}");
    }
    place.write("masks/regions.json", br#"{"brow": 64, "eyes": 128}"#);
    let fixed = ["explain", "--weights", &weights, "--data", "faces", "--out", "other"];
    let run =
        place.burncam(&[&fixed[..], &["--measure", "region-mass", "--regions", "masks"]].concat());
    assert_ne!(run.code, 0);
    assert!(
        run.stdout.contains("values without a name")
            || run.stderr.contains("values without a name")
    );
}

#[test]
fn parts_of_a_run_are_assessed_together() {
    let (place, weights) = (place(), weights("NCNN_k2.h5"));
    let fixed = ["explain", "--weights", &weights, "--data", "faces"];
    let measures = ["--measure", "gini,deletion", "--removal-steps", "4"];
    for own in [
        &["--out", "whole"][..],
        &["--out", "one", "--shard", "1/2"],
        &["--out", "two", "--shard", "2/2"],
    ] {
        let run = place.burncam(&[&fixed[..], &measures, own].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    let run = place.burncam(&["report", "one", "two", "--out", "joined"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for file in ["measures.json", "measures.csv"] {
        assert_eq!(place.read(&format!("joined/{file}")), place.read(&format!("whole/{file}")));
    }
}

#[test]
fn measures_are_listed() {
    let place = Place::new();
    let run = place.burncam(&["measures"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for measure in burncam_trust::MEASURES {
        assert!(run.stdout.contains(measure.question), "{}", measure.name);
    }
    let run = place.burncam(&["measures", "--markdown"]);
    let document = include_str!("../../docs/trust.md");
    assert!(document.ends_with(&run.stdout), "docs/trust.md ends with what `measures` prints");
}

/// Networks that were trained to see a mark in a corner, on labels by chance, and not at all, and their images.
fn corner() -> Place {
    let place = Place::new();
    let archive = std::fs::File::open(goldens().join("trust.zip")).expect("the archive");
    ZipArchive::new(archive).expect("a zip").extract(place.path("")).expect("room");
    place
}

/// What `evaluate` says of a network of the archive: what it prints, and its assessments.
fn evaluated(place: &Place, network: &str, methods: &str, measures: &str) -> (String, Vec<Value>) {
    let weights = format!("{network}.h5");
    let data = ["--data", "images", "--masks", "masks", "--classes", "mark,plain"];
    let how = ["--method", methods, "--measure", measures, "--removal-steps", "8"];
    let out = ["--weights", &weights, "--out", network, "--device", "cpu"];
    let run = place.burncam(&[&["evaluate"][..], &data, &how, &out].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    let document: Value =
        serde_json::from_str(&place.read(&format!("{network}/measures.json"))).expect("JSON");
    let all = document["models"][0]["assessments"].as_array().expect("assessments").clone();
    (run.stdout, all)
}

const GRADIENTS: &str = "grad-cam,hires-cam,layer-cam,xgrad-cam,grad-cam++,elementwise-cam,saliency,\
                         input-x-gradient,integrated-gradients,smooth-grad,guided-backprop,full-grad";

#[test]
fn maps_of_a_network_that_sees_a_corner_beat_all_controls() {
    let place = corner();
    let (printed, all) = evaluated(&place, "corner", GRADIENTS, "energy-inside");
    assert_eq!(all.len(), GRADIENTS.split(',').count());
    for one in &all {
        assert_eq!(one["verdict"]["is_better"], true, "{one}");
        let name = one["explanation"].as_str().expect("a name");
        let words = format!("{name}: better than every control by 1 of 1 measures");
        assert!(printed.contains(&words), "{words} in {printed}");
    }
    assert!(place.read("corner/index.html").contains("better than the controls by every measure"));
}

#[test]
fn maps_of_a_network_with_labels_by_chance_beat_no_control() {
    let place = corner();
    let methods =
        "grad-cam,layer-cam,saliency,hires-cam,xgrad-cam,input-x-gradient,integrated-gradients";
    let (printed, all) =
        evaluated(&place, "random", methods, "energy-inside,deletion,insertion,road");
    for one in &all {
        assert_ne!(one["verdict"]["is_better"], true, "{one}");
    }
    assert!(printed.contains("better than every control by 0 of"), "{printed}");
    assert!(place.read("random/index.html").contains("not better than its controls"));
}

#[test]
fn a_network_that_ignores_its_input_passes_no_check() {
    let place = corner();
    let (printed, all) = evaluated(
        &place,
        "blind",
        "grad-cam,layer-cam,saliency",
        "head-down,other-class,energy-inside",
    );
    for one in &all {
        assert_ne!(one["verdict"]["is_better"], true, "{one}");
        assert_ne!(one["is_sane"], true, "{one}");
    }
    assert_eq!(printed.matches("not passed").count(), 6, "{printed}");
    let page = place.read("blind/index.html");
    assert!(page.contains("No gradient is positive") || page.contains("Zero everywhere"));
}

/// Weights that nobody trained: Keras's golden N-CNN, of generated numbers.
#[test]
fn maps_of_weights_that_nobody_trained_beat_no_control() {
    let place = Place::new();
    let demo = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/demo"));
    for entry in std::fs::read_dir(demo.join("faces/Fold0")).expect("the demo") {
        let file = entry.expect("a face").path();
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        place.write(&format!("faces/Fold0/{name}"), &std::fs::read(&file).expect("a face"));
    }
    let (weights, masks) = (weights("NCNN_k2.h5"), demo.join("masks").display().to_string());
    let fixed = ["evaluate", "--weights", &weights, "--data", "faces", "--masks", &masks];
    let judged: Vec<&str> = burncam_trust::MEASURES
        .iter()
        .filter(|measure| measure.is_judged())
        .map(|measure| measure.name)
        .collect();
    let (judged, methods) = (judged.join(","), ["--method", "grad-cam,saliency"]);
    let more = ["--mask-level", "1", "--measure", &judged, "--removal-steps", "5", "--out", "out"];
    let run = place.burncam(&[&fixed[..], &methods, &more].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(
        run.stdout.matches("better than every control by 0 of 13").count(),
        2,
        "{}",
        run.stdout
    );
}
