//! Runs that end early: by the user, by a fault, or because they are strict.

use std::fs;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use crate::program::{Place, Run};
use crate::resume::{EXPLAIN, assert_same, place, results};

/// Copies of each face, so that a run takes a while.
const COPIES: usize = 40;

/// How long anything may take here.
const PATIENCE: Duration = Duration::from_secs(60);

fn slow() -> Place {
    let place = place();
    for face in crate::program::files(&place.path("faces")) {
        let bytes = fs::read(place.path("faces").join(&face)).expect("a face");
        for copy in 0..COPIES {
            let (stem, ending) = face.rsplit_once('.').expect("an ending");
            place.write(&format!("faces/{stem}_{copy}.{ending}"), &bytes);
        }
    }
    place
}

fn start(place: &Place, more: &[&str]) -> Child {
    let mut command = place.command(&[&EXPLAIN, more].concat());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

/// Waits until some images are done.
fn await_images(place: &Place, images: usize) {
    let begun = Instant::now();
    let lines = || fs::read(place.path("out/images.jsonl")).unwrap_or_default();
    while lines().iter().filter(|&&byte| byte == b'\n').count() <= images {
        assert!(begun.elapsed() < PATIENCE, "no images in time");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn ended(run: Child) -> Output {
    run.wait_with_output().expect("a process")
}

#[cfg(unix)]
fn signal(run: &Child, signal: &str) {
    let status = std::process::Command::new("kill")
        .args([signal, &run.id().to_string()])
        .status()
        .expect("kill");
    assert!(status.success());
}

/// Pictures on one scale are drawn last, which takes as long as all the rest.
#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_drawing_too_and_nothing_is_drawn_twice() {
    let place = slow();
    let all = crate::program::files(&place.path("faces")).len();
    let style = ["--overlay", "clean", "--norm", "run", "--resume"];
    let run = start(&place, &style);
    await_images(&place, all + 1);
    signal(&run, "-INT");
    let run = Run::of(ended(run));
    assert_eq!(run.code, 130, "{}", run.stderr);
    assert!(run.stderr.contains("Stopped: "), "{}", run.stderr);
    let record: serde_json::Value =
        serde_json::from_str(&place.read("out/run.json")).expect("JSON");
    assert_eq!(record["status"], "partial");
    assert!(place.read("out/index.html").contains("not all pictures are drawn"));
    let drawn = || place.predictions().iter().filter(|row| !row["overlay"].is_empty()).count();
    let before = drawn();
    assert!(before > 0 && before < all, "{before} of {all}");
    let journal = || place.read("out/images.jsonl").lines().count();
    let run = Run::of(ended(start(&place, &style)));
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(drawn(), all);
    // The header, each image, and each that still had to be drawn.
    assert_eq!(journal(), 1 + all + all - before);

    let resumed = results(&place.path("out"));
    fs::remove_dir_all(place.path("out")).expect("a folder");
    assert_eq!(Run::of(ended(start(&place, &style))).code, 0);
    assert_same(&resumed, &results(&place.path("out")));
}

/// Ctrl-C finishes what is in hand, writes the reports of what is done, and says how to go on.
#[cfg(unix)]
#[test]
fn ctrl_c_leaves_reports_and_a_way_to_go_on() {
    let place = slow();
    for (name, more) in [("-INT", &["--batch", "2"][..]), ("-TERM", &["--batch", "2", "--resume"])]
    {
        let run = start(&place, more);
        await_images(&place, if name == "-INT" { 4 } else { 60 });
        signal(&run, name);
        let run = Run::of(ended(run));
        assert_eq!(run.code, 130, "{}", run.stderr);
        assert!(run.stderr.contains("Stopped: "), "{}", run.stderr);
        let again = "burncam explain --weights weights.h5 --data faces --out out --batch 2";
        assert!(run.stderr.contains(again) && run.stderr.contains("--resume\n"), "{}", run.stderr);
        let done = place.predictions().len();
        let all = crate::program::files(&place.path("faces")).len();
        assert!(done > 4 && done < all, "{done} of {all}");
        let record: serde_json::Value =
            serde_json::from_str(&place.read("out/run.json")).expect("JSON");
        assert_eq!(record["status"], "partial");
        assert_eq!(record["counts"]["explained"], done);
        let lines = place.read("out/NCNN_GradCAM/NCNN.csv").lines().count();
        assert_eq!(lines, done + 1);
        assert!(place.read("out/index.html").contains("unfinished"));
    }
    let resumed = place.burncam(&[&EXPLAIN, &["--resume"][..]].concat());
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    let resumed = results(&place.path("out"));
    fs::remove_dir_all(place.path("out")).expect("a folder");
    assert_eq!(place.burncam(&[&EXPLAIN, &["--resume"][..]].concat()).code, 0);
    assert_same(&resumed, &results(&place.path("out")));
}

#[cfg(unix)]
#[test]
fn a_second_ctrl_c_stops_at_once() {
    let place = slow();
    // One batch of everything takes seconds.
    let run = start(&place, &["--batch", "1024"]);
    await_images(&place, 1);
    signal(&run, "-INT");
    std::thread::sleep(Duration::from_millis(50));
    signal(&run, "-INT");
    let run = Run::of(ended(run));
    assert_eq!(run.code, 130, "{}", run.stderr);
    assert!(!place.path("out/predictions.csv").exists(), "{}", run.stdout);
}

/// Two runs do not share a folder.
#[test]
fn a_folder_in_use_is_left_alone() {
    let place = slow();
    let mut run = start(&place, &[]);
    await_images(&place, 1);
    for way in ["--resume", "--overwrite"] {
        let second = place.burncam(&[&EXPLAIN, &[way][..]].concat());
        assert_eq!(second.code, 2, "{way}: {}", second.stderr);
        assert!(second.stderr.contains("another run is using"), "{way}: {}", second.stderr);
    }
    await_images(&place, 2);
    run.kill().expect("a process");
    run.wait().expect("a process");
}

/// What vanishes while a run goes on ends it with a sentence that says what and what to do.
#[cfg(unix)]
#[test]
fn folders_that_vanish_end_the_run() {
    for (folder, word) in [("out", "images.jsonl"), ("faces", "data folder")] {
        let place = slow();
        let run = start(&place, &["--batch", "2"]);
        await_images(&place, 4);
        fs::rename(place.path(folder), place.path("away")).expect("a folder");
        let run = Run::of(ended(run));
        assert_eq!(run.code, 2, "{}", run.stderr);
        for word in [word, "is not there any more", "--resume"] {
            assert!(run.stderr.contains(word), "{folder}: no `{word}` in {}", run.stderr);
        }
        let _ = fs::remove_dir_all(place.path(folder));
        fs::rename(place.path("away"), place.path(folder)).expect("a folder");
        let resumed = place.burncam(&[&EXPLAIN, &["--resume"][..]].concat());
        assert_eq!(resumed.code, 0, "{}", resumed.stderr);
        assert!(resumed.stderr.contains("Going on"), "{}", resumed.stderr);
        let all = crate::program::files(&place.path("faces")).len();
        assert_eq!(place.predictions().len(), all);
    }
}

/// Results that somebody moves away while the run goes on are missed at its end.
#[test]
fn results_that_vanish_are_missed() {
    let place = slow();
    let run = start(&place, &["--batch", "2"]);
    await_images(&place, 4);
    fs::rename(place.path("out/NCNN_GradCAM"), place.path("away")).expect("a folder");
    let run = Run::of(ended(run));
    assert_eq!(run.code, 2, "{}", run.stderr);
    for word in ["of this run", "gone or changed", "out/NCNN_GradCAM", "--resume"] {
        assert!(run.stderr.contains(word), "no `{word}` in {}", run.stderr);
    }
    let resumed = place.burncam(&[&EXPLAIN, &["--resume"][..]].concat());
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    let all = crate::program::files(&place.path("faces")).len();
    assert_eq!(crate::program::files(&place.path("out/NCNN_GradCAM/All")).len(), all);
}

/// Runs a shell in which `out` is a file system of its own, of a size that the run does not fit in.
#[cfg(target_os = "linux")]
fn with_small_disk(place: &Place, script: &str) -> Run {
    let program = place.command(&[&EXPLAIN, &["--batch", "2"][..]].concat());
    let words = std::iter::once(program.get_program()).chain(program.get_args());
    let words: Vec<_> = words.map(|word| format!("'{}'", word.to_string_lossy())).collect();
    let mut command = std::process::Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c"]);
    command.arg(script.replace("EXPLAIN", &words.join(" "))).current_dir(place.path(""));
    Run::of(command.output().expect("unshare"))
}

/// When the disk is full, what is done stays, and the run goes on when there is room.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs the right to mount file systems"]
fn a_full_disk_ends_the_run_and_it_goes_on() {
    let place = slow();
    fs::create_dir(place.path("out")).expect("a folder");
    let script = "mount -t tmpfs -o size=600k tmpfs out; EXPLAIN; echo first: $?; \
                  mount -o remount,size=200m out; EXPLAIN --resume; echo second: $?; cp -r out kept";
    let run = with_small_disk(&place, script);
    for word in ["No space left", "go on with --resume"] {
        assert!(run.stderr.contains(word), "no `{word}` in {}", run.stderr);
    }
    assert!(run.stdout.contains("first: 2") && run.stdout.contains("second: 0"), "{}", run.stdout);
    let (_, rest) = run.stderr.split_once("Going on with the run in out: ").expect("resumed");
    let kept = rest.split(' ').next().and_then(|n| n.parse::<usize>().ok()).expect("a number");
    assert!(kept > 0, "{}", run.stderr);
    fs::remove_dir_all(place.path("out")).expect("a folder");
    assert_eq!(place.burncam(&[&EXPLAIN, &["--batch", "2"][..]].concat()).code, 0);
    let pictures = |folder: &str| {
        let all = results(&place.path(folder)).into_iter();
        all.filter(|(path, _)| path.contains('/')).collect()
    };
    assert_same(&pictures("kept"), &pictures("out"));
}

/// A folder that cannot be written to is said to be one before anything is computed.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs the right to mount file systems"]
fn a_read_only_folder_is_named() {
    let place = place();
    fs::create_dir(place.path("out")).expect("a folder");
    let script = "mount -t tmpfs -o ro tmpfs out; EXPLAIN; echo first: $?";
    let run = with_small_disk(&place, script);
    assert!(run.stdout.contains("first: 2"), "{}", run.stdout);
    for word in ["cannot write out/", "Read-only file system"] {
        assert!(run.stderr.contains(word), "no `{word}` in {}", run.stderr);
    }
}

/// What fails is listed by stage and reason.
#[test]
fn failures_are_listed_and_strict_stops_at_the_first() {
    let place = slow();
    place.write("faces/Fold0/A_broken.png", b"\x89PNG\r\n\x1a\nno picture");
    let strict = place.burncam(&[&EXPLAIN, &["--strict", "--batch", "2"][..]].concat());
    assert_eq!(strict.code, 1, "{}", strict.stderr);
    assert!(strict.stderr.contains("Stopped at an image that failed"), "{}", strict.stderr);
    let rows = place.predictions();
    assert!(rows.len() < 20, "{}", rows.len());
    let table = place.read("out/failures.csv");
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "model,path,fold,stage,reason");
    assert!(lines[1].starts_with("NCNN,Fold0/A_broken.png,Fold0,read,"), "{table}");
    assert_eq!(lines.len(), 2);

    let rest = place.burncam(&[&EXPLAIN, &["--resume"][..]].concat());
    assert_eq!(rest.code, 1, "{}", rest.stderr);
    let all = crate::program::files(&place.path("faces")).len();
    assert_eq!(place.predictions().len(), all);
    assert_eq!(place.read("out/failures.csv").lines().count(), 2);

    place.face("Fold0/S02_dor_01.png", "faces/Fold0/A_broken.png");
    assert_eq!(place.burncam(&[&EXPLAIN, &["--resume"][..]].concat()).code, 0);
    assert_eq!(place.read("out/failures.csv").lines().count(), 1);
}
