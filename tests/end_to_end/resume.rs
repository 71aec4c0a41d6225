//! Runs that were killed, and what they go on with.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::program::{Place, Run, files};

/// How often a run is killed, unless the environment says otherwise.
const KILLS: usize = 12;

/// A place with every golden face; `weights.h5` is the small golden network.
pub(crate) fn place() -> Place {
    let place = Place::new();
    for face in files(&crate::program::faces()) {
        place.face(&face, &format!("faces/{face}"));
    }
    let weights = fs::read(crate::program::weights("NCNN_k2.h5")).expect("a checkpoint");
    place.write("weights.h5", &weights);
    place
}

pub(crate) const EXPLAIN: [&str; 7] =
    ["explain", "--weights", "weights.h5", "--data", "faces", "--out", "out"];

fn explain(place: &Place, more: &[&str]) -> Run {
    let run = place.burncam(&[&EXPLAIN, more].concat());
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    run
}

/// Every file of a results folder by path, without the times that no two runs share; the journal,
/// which is in the order of computation, by image.
pub(crate) fn results(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let one = |path: String| {
        let bytes = fs::read(folder.join(&path)).expect("a file");
        let bytes = match path.as_str() {
            "run.json" | "report.json" => timeless_json(&bytes),
            "predictions.csv" => without_column(&bytes, "milliseconds"),
            "images.jsonl" => {
                let text = String::from_utf8(bytes).expect("UTF-8");
                // The last line of an image holds.
                let mut last = BTreeMap::new();
                for line in text.lines() {
                    let line = timeless_json(line.as_bytes());
                    let entry: Value = serde_json::from_slice(&line).expect("JSON");
                    last.insert(entry["row"]["path"].to_string(), line);
                }
                last.into_values().collect::<Vec<_>>().join(&b'\n')
            }
            "index.html" => {
                let text = String::from_utf8(bytes).expect("UTF-8");
                let timeless = text.lines().filter(|line| !line.contains(">When<"));
                timeless.collect::<Vec<_>>().join("\n").into_bytes()
            }
            _ => bytes,
        };
        (path, bytes)
    };
    files(folder).into_iter().map(one).collect()
}

fn timeless_json(bytes: &[u8]) -> Vec<u8> {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(map) => {
                map.retain(|key, _| {
                    !["started", "finished", "seconds", "milliseconds"].contains(&key.as_str())
                });
                map.values_mut().for_each(strip);
            }
            Value::Array(values) => values.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut value: Value = serde_json::from_slice(bytes).expect("JSON");
    strip(&mut value);
    serde_json::to_vec(&value).expect("JSON")
}

fn without_column(table: &[u8], column: &str) -> Vec<u8> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(table);
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    let at = rows[0].iter().position(|name| name == column).expect("the column");
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in &rows {
        let cells = row.iter().enumerate().filter(|(index, _)| *index != at);
        writer.write_record(cells.map(|(_, cell)| cell)).expect("a row");
    }
    writer.into_inner().expect("a table")
}

/// That two folders hold the same, file by file.
pub(crate) fn assert_same(found: &BTreeMap<String, Vec<u8>>, expected: &BTreeMap<String, Vec<u8>>) {
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(expected));
    for (path, bytes) in found {
        let lines = |bytes: &[u8]| -> Vec<String> {
            String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect()
        };
        if *bytes != expected[path] {
            let (found, expected) = (lines(bytes), lines(&expected[path]));
            let differ = found.iter().zip(&expected).find(|(a, b)| a != b);
            panic!("{path} differs: {} and {} lines, {differ:?}", found.len(), expected.len());
        }
    }
}

/// The state of xorshift64, for moments that differ from run to run.
fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Killed at any moment and resumed as often as it takes, a run leaves what an undisturbed one does.
#[test]
#[expect(clippy::print_stdout, reason = "docs/reliability-log.md has the numbers")]
fn a_killed_run_ends_as_an_undisturbed_one() {
    let kills = std::env::var("BURNCAM_KILLS").ok().map_or(KILLS, |n| n.parse().expect("a number"));
    let styles: [&[&str]; 3] = [
        &["--resume", "--batch", "2"],
        &["--resume", "--batch", "3", "--overlay", "clean", "--norm", "fold"],
        &["--resume", "--batch", "1", "--maps", "npy", "--labels", "dirs"],
    ];
    let place = place();
    let mut state = std::process::id().into();
    let (mut killed, mut kept) = (0, 0);
    for style in styles {
        let begun = std::time::Instant::now();
        assert_eq!(explain(&place, style).code, 0);
        let whole = begun.elapsed();
        let expected = results(&place.path("out"));
        let arguments = [&EXPLAIN, style].concat();
        for _ in 0..kills.div_ceil(styles.len()) {
            fs::remove_dir_all(place.path("out")).expect("a folder");
            for _ in 0..1 + random(&mut state) % 3 {
                let mut command = place.command(&arguments);
                let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
                let mut run = quiet.spawn().expect("the program starts");
                let micros = random(&mut state) % whole.as_micros() as u64;
                std::thread::sleep(Duration::from_micros(micros));
                run.kill().expect("a process");
                killed += usize::from(run.wait().expect("a process").code().is_none());
            }
            let run = explain(&place, style);
            assert_eq!(run.code, 0, "{}", run.stderr);
            kept += usize::from(run.stderr.contains("Going on with the run"));
            assert_same(&results(&place.path("out")), &expected);
        }
        fs::remove_dir_all(place.path("out")).expect("a folder");
    }
    println!("{killed} kills; {kept} of the last runs found a run to go on with");
    assert!(killed >= kills / 2 && kept > 0, "{killed} kills, {kept} resumed");
}

/// A run that was killed while it wrote the first line of its journal has none to go on with.
#[test]
fn a_part_of_a_journal_is_removed() {
    let place = place();
    fs::create_dir(place.path("out")).expect("a folder");
    fs::write(place.path("out/.burncam-0pVvXt.part"), b"{\"journal\":").expect("a file");
    assert_eq!(explain(&place, &["--resume"]).code, 0);
    assert!(!place.path("out/.burncam-0pVvXt.part").exists());
    assert!(place.path("out/images.jsonl").exists());
}

fn done_already(run: &Run) -> usize {
    assert_eq!(run.code, 0, "{}", run.stderr);
    let (_, rest) = run.stderr.split_once("Going on with the run in out: ").expect("a resumed run");
    rest.split(' ').next().and_then(|number| number.parse().ok()).expect("a number")
}

/// What has changed since is done again, and nothing else; what is gone leaves nothing behind.
#[test]
fn what_has_changed_is_done_again() {
    let place = place();
    assert_eq!(explain(&place, &["--resume"]).code, 0);
    let all = place.predictions().len();
    assert_eq!(done_already(&explain(&place, &["--resume"])), all);

    let face = place.path("faces/Fold0/S01_sem_dor_01.png");
    place.face("Fold0/S02_dor_01.png", "faces/Fold0/S01_sem_dor_01.png");
    assert_eq!(done_already(&explain(&place, &["--resume"])), all - 1);

    let overlay = files(&place.path("out/NCNN_GradCAM/All"))[0].clone();
    let overlay = place.path("out/NCNN_GradCAM/All").join(overlay);
    let bytes = fs::read(&overlay).expect("an overlay");
    fs::remove_file(&overlay).expect("an overlay");
    fs::write(&overlay, vec![0; bytes.len()]).expect("a file");
    assert_eq!(done_already(&explain(&place, &["--resume"])), all - 1);
    assert_eq!(fs::read(&overlay).expect("an overlay"), bytes);

    let before = results(&place.path("out"));
    fs::remove_file(&face).expect("a face");
    place.face("Fold0/S02_dor_01.png", "faces/FoldX/new_dor.png");
    let refused = explain(&place, &["--resume"]);
    assert_eq!(refused.code, 2);
    for words in
        ["1 image with results is not in", "any more: Fold0/S01_sem_dor_01.png", "--forget-missing"]
    {
        assert!(refused.stderr.contains(words), "no `{words}` in {}", refused.stderr);
    }
    assert_same(&before, &results(&place.path("out")));
    assert_eq!(done_already(&explain(&place, &["--resume", "--forget-missing"])), all - 1);

    // A journal that wants files to be read which are not the image's.
    let journal = place.read("out/images.jsonl");
    let (head, line) = journal.trim_end().rsplit_once('\n').expect("lines");
    let odd = line.replacen(
        "\"files\":[",
        "\"files\":[{\"path\":\"run.json\",\"bytes\":1,\"crc32\":2},",
        1,
    );
    assert_ne!(odd, line);
    place.write("out/images.jsonl", format!("{head}\n{odd}\n").as_bytes());
    assert_eq!(done_already(&explain(&place, &["--resume"])), all - 1);

    // Half a row, a temporary file, and an overlay that was never recorded.
    let journal = place.path("out/images.jsonl");
    let mut text = fs::read(&journal).expect("a journal");
    text.truncate(text.len() - 100);
    fs::write(&journal, text).expect("a journal");
    place.write("out/NCNN_GradCAM/All/Right/.burncam-abc.part", b"half");
    place.write("out/NCNN_GradCAM/All/Unknown/NCNN_new_dor.png", b"never recorded");
    assert_eq!(done_already(&explain(&place, &["--resume"])), all - 1);

    let resumed = results(&place.path("out"));
    fs::remove_dir_all(place.path("out")).expect("a folder");
    assert_eq!(explain(&place, &["--resume"]).code, 0);
    assert_same(&resumed, &results(&place.path("out")));
}

/// Other weights under the same name are other weights.
#[test]
fn other_weights_do_everything_again() {
    let place = place();
    assert_eq!(explain(&place, &["--resume"]).code, 0);
    let first = place.read("out/NCNN_GradCAM/NCNN.csv");
    let other = fs::read(crate::program::goldens().join("../../assets/demo/NCNN.h5"));
    place.write("weights.h5", &other.expect("the demo's weights"));
    assert_eq!(done_already(&explain(&place, &["--resume"])), 0);
    assert_ne!(place.read("out/NCNN_GradCAM/NCNN.csv"), first);
    let resumed = results(&place.path("out"));
    fs::remove_dir_all(place.path("out")).expect("a folder");
    assert_eq!(explain(&place, &["--resume"]).code, 0);
    assert_same(&resumed, &results(&place.path("out")));
}

/// On one scale, every picture shows which images there are.
#[test]
fn a_scale_follows_the_images_that_are_left() {
    let place = place();
    let style = ["--overlay", "clean", "--norm", "run", "--resume", "--forget-missing"];
    let explain = || explain(&place, &style).code;
    assert_eq!(explain(), 0);
    let whole = results(&place.path("out"));
    let number = |row: &std::collections::HashMap<String, String>| row["map_max"].parse().ok();
    let highest = || {
        let rows = place.predictions();
        let best = rows
            .into_iter()
            .max_by(|a, b| number(a).unwrap_or(0.0_f32).total_cmp(&number(b).unwrap_or(0.0)));
        format!("faces/{}", best.expect("a row")["path"])
    };
    let fresh = |code: i32| {
        let resumed = results(&place.path("out"));
        fs::remove_dir_all(place.path("out")).expect("a folder");
        assert_eq!(explain(), code);
        assert_same(&resumed, &results(&place.path("out")));
    };
    // Nothing is to be drawn again.
    assert_eq!(explain(), 0);
    assert_same(&whole, &results(&place.path("out")));

    let gone = highest();
    fs::remove_file(place.path(&gone)).expect("a face");
    assert_eq!(explain(), 0);
    assert_ne!(
        results(&place.path("out"))["NCNN_GradCAM/NCNN.csv"],
        whole["NCNN_GradCAM/NCNN.csv"]
    );
    fresh(0);

    place.write(&highest(), b"no picture any more");
    assert_eq!(explain(), 1);
    fresh(1);
}

/// What a model has found with weights that were replaced is not left, though the run ended before
/// its turn came.
#[test]
fn tables_of_other_weights_do_not_stay() {
    let place = place();
    let weights = fs::read(place.path("weights.h5")).expect("a checkpoint");
    place.write("second.h5", &weights);
    let explain = |more: &[&str]| {
        let fixed = ["explain", "--weights", "weights.h5", "second.h5", "--data", "faces"];
        place.burncam(&[&fixed[..], &["--out", "out"], more].concat())
    };
    assert_eq!(explain(&[]).code, 0);
    let table = || place.read("out/NCNN_second_GradCAM/NCNN_second.csv").lines().count();
    assert!(table() > 1);
    let other = fs::read(crate::program::goldens().join("../../assets/demo/NCNN.h5"));
    let other = other.expect("the demo's weights");
    for name in ["weights.h5", "second.h5"] {
        place.write(name, &other);
    }
    place.write("faces/Fold0/broken.png", b"no picture");
    let run = explain(&["--resume", "--strict"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert_eq!(table(), 1, "only the header");
}

/// A run is not mixed with another one, whether that is finished or not.
#[test]
fn another_run_is_not_mixed_with() {
    let place = place();
    assert_eq!(explain(&place, &[]).code, 0);
    let before = results(&place.path("out"));
    for (more, words) in [
        (&["--resume", "--alpha", "0.5"][..], ["--alpha was 0.4, now 0.5", "--overwrite"]),
        (&["--resume", "--layer", "leaky_1"], ["--layer was conv_2x2_, now leaky_1", "ask for"]),
        (&["--resume", "--shard", "1/2"], ["--shard was not given, now 1/2", "ask for"]),
        (
            &["--resume", "--preprocess", "order=bgr;divide=255"],
            ["--preprocess was x / 255, now BGR / 255", "ask for"],
        ),
        (&["--resume", "--no-report"], ["--no-report was off, now on", "ask for"]),
        (&["--resume", "--overwrite"], ["--overwrite", "cannot be used with"]),
        (&[], ["already holds results", "another --out"]),
    ] {
        let run = explain(&place, more);
        assert_eq!(run.code, 2, "{more:?}: {}", run.stderr);
        for word in words {
            assert!(run.stderr.contains(word), "{more:?}: no `{word}` in {}", run.stderr);
        }
    }
    assert_same(&results(&place.path("out")), &before);

    let record = place.read("out/run.json").replace("\"complete\"", "\"partial\"");
    place.write("out/run.json", record.as_bytes());
    let run = explain(&place, &[]);
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("unfinished run") && run.stderr.contains("--resume"),
        "{}",
        run.stderr
    );
    assert!(done_already(&explain(&place, &["--resume"])) > 0);

    fs::remove_file(place.path("out/images.jsonl")).expect("a journal");
    let run = explain(&place, &["--resume"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("no images.jsonl"), "{}", run.stderr);
    assert_eq!(explain(&place, &["--overwrite"]).code, 0);
}

/// A journal from a stranger cannot make the program touch anything outside the folder.
#[cfg(unix)]
#[test]
fn nothing_outside_the_folder_is_touched() {
    let place = place();
    assert_eq!(explain(&place, &[]).code, 0);
    place.write("precious.png", b"precious");
    place.write("elsewhere/precious.png", b"precious");
    let journal = place.read("out/images.jsonl");
    let first = place.predictions()[0]["overlay"].clone();
    let outside = journal
        .replace(&first, "../precious.png")
        .replace("\"path\":\"Fold0/", "\"path\":\"gone/")
        .replace("NCNN_GradCAM/All", &place.path("elsewhere").display().to_string());
    place.write("out/images.jsonl", outside.as_bytes());
    assert_eq!(explain(&place, &["--resume", "--forget-missing"]).code, 0);
    assert_eq!(place.read("precious.png"), "precious");
    assert_eq!(place.read("elsewhere/precious.png"), "precious");

    let tree = place.path("out/NCNN_GradCAM");
    for link in [tree.join("Fold0"), tree, place.path("out/thumbs"), place.path("out/images.jsonl")]
    {
        let aside = place.path("aside");
        fs::rename(&link, &aside).expect("a folder");
        std::os::unix::fs::symlink(&aside, &link).expect("a link");
        let run = explain(&place, &["--resume"]);
        assert_eq!(run.code, 2, "{}: {}", link.display(), run.stderr);
        assert!(run.stderr.contains("is a link"), "{}: {}", link.display(), run.stderr);
        fs::remove_file(&link).expect("a link");
        fs::rename(&aside, &link).expect("a folder");
    }
    assert_eq!(explain(&place, &["--resume"]).code, 0);
}
