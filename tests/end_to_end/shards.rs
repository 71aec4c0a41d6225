//! One data set, shared by several runs.

use std::fs;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::program::Place;
use crate::resume::{EXPLAIN, place, results};

const PARTS: usize = 3;

fn start(place: &Place, part: usize) -> Child {
    let (shard, out) = (format!("{part}/{PARTS}"), format!("part{part}"));
    let fixed = &EXPLAIN[..5];
    let own = ["--out", &out, "--shard", &shard, "--resume", "--batch", "2"];
    let mut command = place.command(&[fixed, &own].concat());
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts")
}

fn join(place: &Place, more: &[&str]) -> crate::program::Run {
    let run =
        place.burncam(&[&["report", "part1", "part2", "part3", "--out", "all"], more].concat());
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    run
}

/// The report without what tells which run an image was in.
fn report(place: &Place, out: &str) -> [Value; 4] {
    let mut report: Value =
        serde_json::from_str(&place.read(&format!("{out}/report.json"))).expect("JSON");
    for image in report["images"].as_array_mut().expect("images") {
        for result in image["results"].as_array_mut().expect("results") {
            result["run"] = 0.into();
        }
    }
    for model in report["models"].as_array_mut().expect("models") {
        model["sources"] = Value::Null;
    }
    ["images", "models", "comparisons", "agreement"].map(|key| report[key].take())
}

/// Several processes, one of which is killed and started again, then one report: that of one run.
#[test]
fn parts_make_the_report_of_one_run() {
    let place = place();
    place.write("faces/Fold1/broken.png", b"no picture");
    let mut runs: Vec<Child> = (1..=PARTS).map(|part| start(&place, part)).collect();
    runs[1].kill().expect("a process");
    let codes: Vec<_> = runs.iter_mut().map(|run| run.wait().expect("a process").code()).collect();
    assert_eq!(codes[1], None);

    let early = join(&place, &[]);
    assert_eq!(early.code, 2, "{}", early.stderr);
    assert!(early.stderr.contains("part2"), "{}", early.stderr);

    let again = start(&place, 2).wait().expect("a process").code();
    let codes = [codes[0], again, codes[2]];
    assert_eq!(codes.iter().filter(|code| **code == Some(0)).count(), 2, "{codes:?}");
    let joined = join(&place, &[]);
    assert_eq!(joined.code, 0, "{}", joined.stderr);

    assert_eq!(place.burncam(&[&EXPLAIN, &["--batch", "2"][..]].concat()).code, 1);
    assert_eq!(report(&place, "all"), report(&place, "out"));
    let (all, one) = (results(&place.path("all")), results(&place.path("out")));
    for table in ["predictions.csv", "failures.csv", "NCNN_GradCAM/NCNN.csv"] {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
        assert_eq!(text(&all[table]), text(&one[table]), "{table}");
    }
    let pictures: Vec<String> = (1..=PARTS)
        .flat_map(|part| {
            crate::program::files(&place.path(&format!("part{part}/NCNN_GradCAM/All")))
        })
        .collect();
    let mut sorted = pictures.clone();
    sorted.sort();
    assert_eq!(sorted, crate::program::files(&place.path("out/NCNN_GradCAM/All")));
    for row in report(&place, "all")[0].as_array().expect("images") {
        assert!(row["results"].as_array().is_some_and(|results| results.len() == 1));
    }
}

/// A report says what it lacks.
#[test]
fn a_missing_part_is_named() {
    let place = place();
    for part in [1, 3] {
        assert_eq!(start(&place, part).wait().expect("a process").code(), Some(0));
    }
    let run = place.burncam(&["report", "part1", "part3", "--out", "all"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("2/3"), "{}", run.stderr);
    assert!(place.read("all/index.html").contains("not in this report: 2&#x2f;3"));

    fs::create_dir(place.path("part2")).expect("a folder");
    let run = join(&place, &["--overwrite"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("part2 holds no report.json"), "{}", run.stderr);
}

/// More parts than images: some have nothing to do.
#[test]
fn a_part_without_images_is_an_empty_run() {
    let place = place();
    let count = crate::program::files(&place.path("faces")).len();
    let shard = format!("{}/{}", count + 1, count + 1);
    let run = place.burncam(&[&EXPLAIN, &["--shard", &shard][..]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(place.predictions().is_empty());
}
