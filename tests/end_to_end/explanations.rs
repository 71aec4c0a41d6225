//! Several methods and layers: one prediction, many attributions.

use std::collections::BTreeMap;
use std::fs;

use crate::program::{Place, Run, weights};
use crate::resume::{assert_same, results};

/// Two methods, each at two layers.
const FOUR: [&str; 4] = ["--method", "grad-cam,hires-cam", "--layer", "conv_2x2_,maxpool_2x2_"];

fn place() -> Place {
    let place = Place::new();
    place.face("Fold0/S01_sem_dor_01.png", "faces/Fold0/S01_sem_dor_01.png");
    place.face("Fold0/S02_dor_01.png", "faces/Fold1/S02_dor_01.png");
    place
}

fn explain(place: &Place, out: &str, more: &[&str]) -> Run {
    let weights = weights("NCNN_k2.h5");
    let fixed = ["explain", "--weights", &weights, "--data", "faces", "--out", out];
    let run = place.burncam(&[&fixed, more].concat());
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    run
}

#[test]
fn each_explanation_has_the_files_that_it_has_alone() {
    let place = place();
    let maps = ["--maps", "npy"];
    assert_eq!(explain(&place, "all", &[&FOUR[..], &maps].concat()).code, 0);
    let all = results(&place.path("all"));
    for (method, layer, folder) in [
        ("grad-cam", "conv_2x2_", "NCNN_GradCAM"),
        ("grad-cam", "maxpool_2x2_", "NCNN_GradCAM_maxpool_2x2_"),
        ("hires-cam", "conv_2x2_", "NCNN_HiResCAM"),
        ("hires-cam", "maxpool_2x2_", "NCNN_HiResCAM_maxpool_2x2_"),
    ] {
        let chosen = ["--method", method, "--layer", layer];
        assert_eq!(explain(&place, folder, &[&chosen[..], &maps].concat()).code, 0);
        let alone = results(&place.path(folder));
        let mut own = alone.iter().filter(|(path, _)| path.starts_with(&format!("{folder}/")));
        assert_eq!(own.clone().count(), 7, "a table, four overlays and two maps");
        assert!(own.all(|(path, bytes)| all[path] == *bytes), "{folder}");
        let rows = |run: &BTreeMap<String, Vec<u8>>| -> Vec<String> {
            let table = String::from_utf8_lossy(&run["maps.csv"]).into_owned();
            let cell = format!(",{method},{layer},");
            table.lines().filter(|row| row.contains(&cell)).map(str::to_owned).collect()
        };
        assert_eq!(rows(&alone).len(), 2, "a row for each image");
        assert_eq!(rows(&all), rows(&alone), "{folder}");
    }
    assert_eq!(String::from_utf8_lossy(&all["maps.csv"]).lines().count(), 1 + 2 * 4);
    // The first explanation is in the table of predictions, which the others do not change.
    assert_eq!(all["predictions.csv"], results(&place.path("NCNN_GradCAM"))["predictions.csv"]);
}

#[test]
fn a_resumed_run_of_several_explanations_is_an_undisturbed_one() {
    let place = place();
    assert_eq!(explain(&place, "out", &FOUR).code, 0);
    let before = results(&place.path("out"));
    let journal = place.path("out/images.jsonl");
    let text = fs::read_to_string(&journal).expect("a journal");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "a head, and a line for each image");
    fs::write(&journal, format!("{}\n{}\n", lines[0], lines[1])).expect("a journal");
    fs::remove_dir_all(place.path("out/NCNN_HiResCAM")).expect("a folder");
    assert_eq!(explain(&place, "out", &[&FOUR[..], &["--resume"]].concat()).code, 0);
    // These three have the arguments.
    let comparable = |mut results: BTreeMap<String, Vec<u8>>| {
        results
            .retain(|path, _| !["index.html", "report.json", "run.json"].contains(&path.as_str()));
        results
    };
    assert_same(&comparable(results(&place.path("out"))), &comparable(before));

    let run = explain(&place, "out", &["--resume"]);
    assert_eq!(run.code, 2);
    for word in ["explanations", "--method hires-cam", "now --layer conv_2x2_ --method grad-cam"] {
        assert!(run.stderr.contains(word), "no `{word}` in {}", run.stderr);
    }
}

#[test]
fn methods_and_layers_that_cannot_be_are_refused() {
    let place = place();
    for (more, words) in [
        (&["--method", "grad-cam,grad-cam"][..], "grad-cam is given twice"),
        (&["--method", "gradcam"], "grad-cam"),
        (&["--layer", "conv_2x2_,conv_2x2_"], "conv_2x2_ of NCNN is given twice"),
        (&["--layer", "VGG16=conv5_3"], "there is no network `VGG16`"),
        (&["--layer", "NCNN=conv_2x2,conv_2x2_"], "--layer NCNN=conv_2x2_"),
    ] {
        let run = explain(&place, "out", more);
        assert_eq!(run.code, 2, "{more:?}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{more:?}: no `{words}` in {}", run.stderr);
    }
    assert!(!place.path("out").exists(), "a mistake leaves nothing behind");
    let run = explain(&place, "out", &["--layer", "NCNN=conv_2x2,ncnn=conv_2x2_"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(place.path("out/NCNN_GradCAM_conv_2x2").is_dir());
}

/// A network with all kinds of methods: of one pass at a layer, of many, and at the input.
#[test]
fn methods_of_all_kinds_stand_side_by_side() {
    let place = place();
    let methods =
        "grad-cam,hires-cam,grad-cam++,layer-cam,score-cam,integrated-gradients,random-cam";
    let run = explain(&place, "out", &["--method", methods]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let told = "Each image goes through NCNN 115 times: Score-CAM 65, Integrated gradients 51.";
    assert!(run.stderr.contains(told), "{}", run.stderr);
    let table = place.read("out/maps.csv");
    for name in methods.split(',') {
        let size = match name {
            "integrated-gradients" => format!(",{name},,"),
            _ => format!(",{name},conv_2x2_,"),
        };
        assert_eq!(table.lines().filter(|row| row.contains(&size)).count(), 2, "{name}: {table}");
    }
    let sizes: Vec<&str> = table
        .lines()
        .skip(1)
        .map(|row| if row.contains(",120,120,") { "input" } else { "layer" })
        .collect();
    assert_eq!(sizes.iter().filter(|size| **size == "input").count(), 2, "{table}");
    for folder in ["NCNN_GradCAM++", "NCNN_ScoreCAM", "NCNN_IntegratedGradients", "NCNN_RandomCAM"]
    {
        assert!(place.path("out").join(folder).join("NCNN.csv").is_file(), "{folder}");
    }
    // Neither the batch nor a second run changes a number.
    assert_eq!(explain(&place, "again", &["--method", methods, "--batch", "1"]).code, 0);
    assert_eq!(place.read("again/maps.csv"), table);
}

/// The rows of `maps.csv` without the image: explanation, method, layer, target, height, width.
fn kinds(place: &Place, out: &str) -> Vec<String> {
    let table = place.read(&format!("{out}/maps.csv"));
    let cells = |row: &str| row.split(',').skip(6).take(6).collect::<Vec<_>>().join(",");
    table.lines().skip(1).map(cells).collect()
}

#[test]
fn options_of_methods_have_results_of_their_own() {
    let place = place();
    let methods = "saliency,smooth-grad:samples=2,smooth-grad:samples=3,unit=input,rise:masks=5";
    let run = explain(&place, "out", &["--method", methods]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let told = "Each image goes through NCNN 11 times: SmoothGrad (samples=2) 3";
    assert!(run.stderr.contains(told), "{}", run.stderr);
    for folder in ["SmoothGrad_samples_2", "SmoothGrad_samples_3_unit_input", "RISE_masks_5"] {
        assert!(place.path("out").join(format!("NCNN_{folder}")).is_dir(), "{folder}");
    }
    assert!(place.read("out/run.json").contains("samples=3,unit=input"));
    // Other options are another run.
    let run = explain(&place, "out", &["--resume", "--method", &methods.replace("=5", "=6")]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("--method options was masks=5, now masks=6"), "{}", run.stderr);
    for (method, words) in [
        ("rise:mask=5", "it has no option `mask`; it has masks, grid, p, divide, score"),
        ("rise:p=2", "p is a number of 0.01 to 0.99, not `2`"),
        ("grad-cam:samples=2", "it has no options"),
        ("smooth-grad:samples=2,smooth-grad:samples=2", "smooth-grad is given twice"),
        ("cam", "CAM needs global average pooling, one dense layer and nothing else"),
    ] {
        let run = explain(&place, "other", &["--method", method]);
        assert_eq!(run.code, 2, "{method}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{method}: {}", run.stderr);
    }
    assert!(!place.path("other").exists(), "a mistake leaves nothing behind");
}

#[test]
fn a_target_is_a_class_a_probability_or_a_difference() {
    let place = place();
    for (more, target) in [
        (&["--class", "Pain"][..], "Pain"),
        (&["--class", "Pain-No_pain"], "Pain-No_pain"),
        (&["--class", "0-1", "--score", "probability"], "p(Pain)-p(No_pain)"),
    ] {
        let run = explain(&place, "out", &[more, &["--overwrite"]].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
        let rows = kinds(&place, "out");
        assert!(rows.iter().all(|row| row.contains(&format!(",conv_2x2_,{target},"))), "{rows:?}");
        assert!(place.read("out/run.json").contains(target), "{target}");
    }
    let run = explain(&place, "other", &["--class", "Pain-Joy"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("A-B explains what A has more than B"), "{}", run.stderr);
}

#[test]
fn maps_are_fused_smoothed_and_made_as_libraries_make_them() {
    let place = place();
    for (more, row) in [
        (
            &["--layer", "conv_2x2,conv_2x2_", "--fuse", "max", "--method", "layer-cam"][..],
            "LayerCAM_conv_2x2_conv_2x2__fuse_max,layer-cam,conv_2x2+conv_2x2_,",
        ),
        (&["--smooth", "flips,principal"], "GradCAM_smooth_flips_smooth_principal,grad-cam,"),
        (&["--like", "pytorch-grad-cam"], "GradCAM_like_pytorch-grad-cam,grad-cam,conv_2x2_,"),
        (&["--like", "torch-cam"], "GradCAM_like_torch-cam,grad-cam,conv_2x2_,"),
    ] {
        let run = explain(&place, "out", &[more, &["--overwrite"]].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
        let rows = kinds(&place, "out");
        assert!(rows.iter().all(|found| found.starts_with(row)), "{rows:?}");
        let size = if more[1] == "pytorch-grad-cam" { ",120,120" } else { "" };
        assert!(rows.iter().all(|found| found.ends_with(size)), "{rows:?}");
    }
    for (more, words) in [
        (&["--fuse", "max"][..], "--layer A,B gives them"),
        (&["--smooth", "principal", "--method", "saliency"], "Saliency has no channels"),
        (&["--like", "torch-cam", "--method", "grad-cam++"], "it divides a copy"),
        (&["--like", "captum", "--method", "score-cam"], "it is in pytorch-grad-cam, torch-cam"),
        (&["--like", "captum", "--like", "xplique"], "one library can be given"),
    ] {
        let run = explain(&place, "other", more);
        assert_eq!(run.code, 2, "{more:?}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{more:?}: {}", run.stderr);
    }
}

#[test]
fn methods_are_listed() {
    let place = Place::new();
    let run = place.burncam(&["methods"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let run = place.burncam(&["methods", "--markdown"]);
    for method in burncam_attribution::METHODS {
        assert!(run.stdout.contains(&format!("| `{}` |", method.name)), "{}", method.name);
        assert!(run.stdout.contains(method.url), "{}", method.name);
    }
    let guide = include_str!("../../docs/guide.md");
    assert!(guide.contains(run.stdout.trim()), "docs/guide.md has the table that `methods` prints");
}
