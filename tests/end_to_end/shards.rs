//! One data set, shared by several runs.

use std::collections::BTreeMap;
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

/// Explains `data` with `weights` as part `shard` into `out`.
fn part(place: &Place, (weights, data): (&str, &str), (shard, out): (&str, &str), more: &[&str]) {
    let fixed = ["explain", "--weights", weights, "--data", data, "--out", out, "--shard", shard];
    let run = place.burncam(&[&fixed[..], more].concat());
    assert_eq!(run.code, 0, "{out}: {}", run.stderr);
}

/// Refused, in these words.
fn refused(place: &Place, folders: &[&str], says: &[&str]) {
    let run = place.burncam(&[&["report"], folders, &["--out", "joined"]].concat());
    assert_eq!(run.code, 2, "{folders:?}: {}", run.stderr);
    assert!(run.stderr.contains("hint:"), "{}", run.stderr);
    for text in says {
        assert!(run.stderr.contains(text), "no {text} in {}", run.stderr);
    }
    assert!(!place.path("joined/index.html").exists(), "{folders:?}");
    assert!(!place.path("joined/predictions.csv").exists(), "{folders:?}");
}

/// The SHA-256 of a run's weights.
fn sha256(place: &Place, out: &str) -> String {
    let run: Value = serde_json::from_str(&place.read(&format!("{out}/run.json"))).expect("JSON");
    run["models"][0]["weights"][0]["sha256"].as_str().expect("a digest").to_owned()
}

/// Parts that were explained with other weights or options are none of the run.
#[test]
fn parts_of_other_runs_are_refused() {
    let place = place();
    let dead = fs::read(crate::program::weights("NCNN_k2_dead.h5")).expect("a checkpoint");
    place.write("other/weights.h5", &dead);
    let faces = ("weights.h5", "faces");
    part(&place, faces, ("1/3", "first"), &[]);
    part(&place, faces, ("3/3", "third"), &[]);
    part(&place, ("other/weights.h5", "faces"), ("2/3", "weights"), &[]);
    let digests = ["first", "weights"].map(|out| sha256(&place, out));
    assert_ne!(digests[0], digests[1]);
    let both =
        format!("SHA-256 of the weights: {} in first, {} in weights", digests[0], digests[1]);
    refused(&place, &["first", "weights"], &[&both]);
    let labels = "tokens:No_pain=dor;Pain=sem,rest,stick";
    for (out, more, says) in [
        ("labels", &["--labels", labels][..], &["--labels: notebook in first, ", labels][..]),
        ("resize", &["--resize", "bilinear"], &["--resize: nearest in first, bilinear in resize"]),
        ("exact", &["--exact"], &["--exact: off in first, on in exact"]),
        (
            "overlay",
            &["--overlay", "clean", "--colormap", "jet"],
            &["--overlay: notebook in first, clean in overlay"],
        ),
        ("alpha", &["--alpha", "0.25"], &["--alpha: 0.4 in first, 0.25 in alpha"]),
        ("class", &["--class", "Pain"], &["--class: not given in first, Pain in class"]),
    ] {
        part(&place, faces, ("2/3", out), more);
        refused(&place, &["first", out], says);
        // The third part does not hide it.
        let run = place.burncam(&["report", "first", out, "third", "--out", "joined"]);
        assert_eq!(run.code, 2, "{}", run.stderr);
    }
    part(&place, faces, ("2/4", "four"), &[]);
    refused(&place, &["first", "four"], &["the number of parts: 3 in first, 4 in four"]);
    part(&place, faces, ("1/3", "again"), &[]);
    refused(&place, &["first", "again"], &["first and again are both part 1/3"]);
}

/// So are parts of another data folder, even where no part has another number of images.
#[test]
fn parts_of_other_images_are_refused() {
    let place = place();
    let names = crate::program::files(&place.path("faces"));
    let copy = |to: &str, name: &str, as_name: &str| {
        place.write(
            &format!("{to}/{as_name}"),
            &fs::read(place.path("faces").join(name)).expect("a face"),
        );
    };
    for name in &names {
        copy("folds", name, &name.replace("Fold1", "Fold9"));
        copy("more", name, name);
    }
    for number in 0..4 {
        copy("more", &names[0], &format!("Fold0/a{number}.jpg"));
    }
    // The first image is gone and the last one is there twice.
    let (first, last) = (&names[0], &names[names.len() - 1]);
    for name in &names[1..] {
        copy("moved", name, name);
    }
    copy("moved", last, &last.replace(".png", "z.png"));
    assert_ne!(first, last);
    let weights = "weights.h5";
    part(&place, (weights, "faces"), ("1/2", "one"), &[]);
    for (data, says) in [
        ("folds", "folds: Fold0, Fold1, Fold2, Fold9 in one, Fold0, Fold2, Fold9 in two"),
        (
            "more",
            "one and two are not parts of one run: part 1/2 of 10 images, which one has, and part 2/2 of 12 images",
        ),
        ("moved", "of the data folder of"),
    ] {
        part(&place, (weights, data), ("2/2", "two"), &["--overwrite"]);
        refused(&place, &["one", "two"], &[says]);
    }
}

/// Runs of different models, each shared out, are one page, and every row is in its tables.
#[test]
fn parts_of_several_runs_stand_side_by_side() {
    let place = place();
    place.write("other.h5", &fs::read(place.path("weights.h5")).expect("a checkpoint"));
    for (shard, [one, two]) in [("1/2", ["a1", "b1"]), ("2/2", ["a2", "b2"])] {
        part(&place, ("weights.h5", "faces"), (shard, one), &[]);
        part(&place, ("weights.h5", "faces"), (shard, two), &["--weights", "other.h5", "--exact"]);
    }
    let run = place.burncam(&["report", "a1", "a2", "b1", "b2", "--out", "all"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let mut rows: BTreeMap<String, usize> = BTreeMap::new();
    for row in place.predictions_in("all") {
        *rows.entry(row["model"].clone()).or_default() += 1;
    }
    let count = crate::program::files(&place.path("faces")).len();
    let names = ["NCNN", "NCNN_other", "NCNN_weights"];
    assert_eq!(rows, names.map(|name| (name.to_owned(), count)).into());
    let run = place.burncam(&["report", "a1", "a2", "b1", "--out", "lacks"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("2/2 of NCNN_weights, NCNN_other"), "{}", run.stderr);
}

/// Folds that were computed apart and shared out: each is joined first.
#[test]
fn joined_parts_are_a_run_to_join() {
    let place = place();
    for fold in ["Fold0", "Fold1"] {
        for name in crate::program::files(&place.path(&format!("faces/{fold}"))) {
            place.face(&format!("{fold}/{name}"), &format!("{fold}/{fold}/{name}"));
        }
        for (shard, end) in [("1/2", "a"), ("2/2", "b")] {
            part(&place, ("weights.h5", fold), (shard, &format!("{fold}{end}")), &[]);
        }
        let [a, b] = ["a", "b"].map(|end| format!("{fold}{end}"));
        let run = place.burncam(&["report", &a, &b, "--out", &format!("all{fold}")]);
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    let run = place.burncam(&["report", "allFold0", "allFold1", "--out", "all"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let whole: Value = serde_json::from_str(&place.read("all/report.json")).expect("JSON");
    assert_eq!(whole["models"].as_array().map(Vec::len), Some(1));
    assert_eq!(whole["models"][0]["images"], 9);
    refused(&place, &["Fold0a", "Fold1b"], &["folds: Fold0 in Fold0a, Fold1 in Fold1b"]);

    // Of a part and a joined folder no tables can be made.
    let part_and_joined = ["report", "Fold0a", "allFold1", "--out", "odd"];
    let run = place.burncam(&part_and_joined);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("allFold1 is itself joined"), "{}", run.stderr);
}

/// One folder is no two parts.
#[test]
fn a_folder_that_is_given_twice_is_named() {
    let place = place();
    assert_eq!(place.burncam(&EXPLAIN).code, 0);
    for (folders, says) in [
        (["out", "out"], "out is given twice"),
        (["out", "faces/../out"], "out and faces/../out are the same folder, given twice"),
    ] {
        let run = place.burncam(&["report", folders[0], folders[1], "--out", "all"]);
        assert_eq!(run.code, 2, "{}", run.stderr);
        assert!(run.stderr.contains(says), "{}", run.stderr);
    }
}

/// A journal that is not its part's is refused, before anything is written.
#[test]
fn a_journal_that_lacks_results_is_refused() {
    let place = place();
    let faces = ("weights.h5", "faces");
    for (shard, out) in [("1/2", "one"), ("2/2", "two")] {
        part(&place, faces, (shard, out), &[]);
    }
    let whole = place.read("two/images.jsonl");
    let cut: Vec<&str> = whole.lines().take(5).collect();
    let lacking = whole.lines().count() - 5;
    let digest = sha256(&place, "two");
    for (journal, count) in [
        (cut.join("\n") + "\n", lacking),
        (place.read("one/images.jsonl").replace("1/2", "2/2"), whole.lines().count() - 1),
        (whole.replace(&digest, &"0".repeat(64)), whole.lines().count() - 1),
    ] {
        place.write("two/images.jsonl", journal.as_bytes());
        let says =
            format!("two/images.jsonl does not have {count} results that are in report.json");
        refused(&place, &["one", "two"], &[&says, "such as Fold"]);
        refused(&place, &["two", "one"], &[&says]);
    }
    place.write("two/images.jsonl", place.read("one/images.jsonl").as_bytes());
    let says =
        "two/images.jsonl is the journal of part `1/2`, and report.json beside it of part 2/2";
    refused(&place, &["one", "two"], &[says]);
    // What the page does not have is in no table.
    let stranger = whole.lines().last().expect("a row").replace("Fold", "Other");
    place.write("two/images.jsonl", format!("{whole}{stranger}\n").as_bytes());
    let run = place.burncam(&["report", "one", "two", "--out", "joined"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let count = crate::program::files(&place.path("faces")).len();
    assert_eq!(place.predictions_in("joined").len(), count);
}

/// A pipe would be waited for.
#[cfg(unix)]
#[test]
fn a_pipe_is_no_journal_and_no_report() {
    let place = place();
    let faces = ("weights.h5", "faces");
    for (shard, out) in [("1/2", "one"), ("2/2", "two")] {
        part(&place, faces, (shard, out), &[]);
    }
    for (file, says) in [
        ("two/images.jsonl", "images.jsonl: it is no ordinary file"),
        ("two/report.json", "two holds no report.json"),
    ] {
        fs::remove_file(place.path(file)).expect("a file");
        let made = std::process::Command::new("mkfifo").arg(place.path(file)).status();
        assert!(made.expect("mkfifo").success());
        let mut run = place.command(&["report", "one", "two", "--out", "joined"]);
        let mut run = run.stderr(Stdio::piped()).spawn().expect("the program starts");
        for _ in 0..600 {
            if run.try_wait().expect("a process").is_some() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let waits = run.try_wait().expect("a process").is_none();
        if waits {
            run.kill().expect("a process");
        }
        let run = crate::program::Run::of(run.wait_with_output().expect("a process"));
        assert!(!waits && run.code == 2 && run.stderr.contains(says), "{}", run.stderr);
    }
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
