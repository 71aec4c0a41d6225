//! Files that were made to do harm: each is an error of its own, soon and in bounded memory.

mod costly;
mod images;
mod weights;

use std::fs::{self, File};
use std::io::{Cursor, Read, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::program::{Place, weights};

/// The most that a refusal may take. A good file takes less than a second and 100 MB.
const LONGEST: Duration = Duration::from_secs(30);

/// Bytes of memory that are in use at most while weights are read.
const MOST_MEMORY: u64 = 512 << 20;

/// The same while images are: as much as the largest that is allowed takes.
const MOST_FOR_IMAGES: u64 = 2 << 30;

/// Runs the program on weights, and gives its exit code and what it says.
fn run(place: &Place, arguments: &[&str]) -> (i32, String) {
    run_within(place, arguments, MOST_MEMORY)
}

/// The most memory that a running process has had, in bytes, where the system tells. What the system
/// says of a process that ended counts that of its parent, too.
fn most_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) << 10
}

/// Runs the program, and ends it where it takes too long. With `--nocapture` it prints what the run took.
#[expect(clippy::print_stdout, reason = "docs/reliability-log.md has these numbers")]
fn run_within(place: &Place, arguments: &[&str], most: u64) -> (i32, String) {
    let told = place.path("told.txt");
    let file = File::create(&told).expect("a file");
    let mut command = place.command(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
    let start = Instant::now();
    let mut child = command.spawn().expect("the program starts");
    let mut memory = 0;
    let status = loop {
        memory = memory.max(most_memory(child.id()));
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        if start.elapsed() > LONGEST || memory > most {
            child.kill().expect("a running child");
            panic!("{arguments:?} does not end, or takes {} MiB", memory >> 20);
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let seconds = start.elapsed().as_secs_f64();
    println!("{seconds:6.2} s {:5} MiB  {}", memory >> 20, arguments.join(" "));
    let told = String::from_utf8_lossy(&fs::read(told).expect("a file")).into_owned();
    let code = status.code().unwrap_or_else(|| panic!("{arguments:?} crashed: {told}"));
    assert!(!told.contains("panicked"), "{arguments:?}: {told}");
    (code, told)
}

/// Hands a file to `inspect` and `explain`. The latter refuses it, and says these words; the former
/// reads no numbers, so it may find nothing wrong.
fn refused_as_weights(place: &Place, file: &str, words: &str) {
    let (code, told) = run(place, &["inspect", file]);
    assert!(matches!(code, 0 | 2), "{file}: {code}: {told}");
    let arguments = ["explain", "--weights", file, "--data", "faces", "--out", "out"];
    let (code, told) = run(place, &arguments);
    let error = told.find("error: ").unwrap_or_else(|| panic!("{file}: {told}"));
    assert_eq!(code, 2, "{file}: {told}");
    assert!(told[error..].contains(words), "{file}: no `{words}` in {told}");
    assert!(!place.path("out").exists(), "{file} leaves something behind");
}

/// A place with one face.
fn place() -> Place {
    let place = Place::new();
    place.face("Fold0/S01_sem_dor_01.png", "faces/Fold0/S01_sem_dor_01.png");
    place
}

/// A zip archive of these entries.
fn archive(entries: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file(*name, options).expect("an entry");
        zip.write_all(bytes).expect("an entry");
    }
    zip.finish().expect("an archive").into_inner()
}

/// Zeros, deflated.
fn deflated_zeros(count: usize) -> Vec<u8> {
    let zeros = vec![0; count];
    let packed = archive(&[("zeros", zeros.as_slice())], CompressionMethod::Deflated);
    let mut packed = ZipArchive::new(Cursor::new(packed)).expect("an archive");
    let mut bytes = Vec::new();
    packed.by_index_raw(0).expect("an entry").read_to_end(&mut bytes).expect("in memory");
    bytes
}

/// What is no file at all.
#[cfg(unix)]
#[test]
fn pipes_devices_and_folders() {
    let place = place();
    fs::create_dir(place.path("folder.h5")).expect("a folder");
    let made = std::process::Command::new("mkfifo").arg(place.path("pipe.h5")).status();
    assert!(made.expect("`mkfifo` is there").success());
    for name in ["folder.h5", "pipe.h5", "/dev/zero", "/dev/urandom", "/dev/null", "missing.h5"] {
        let (code, told) = run(&place, &["inspect", name]);
        assert_eq!(code, 2, "{name}: {told}");
        assert!(told.contains(name), "{told}");
        for option in ["--weights", "--classes", "--labels"] {
            let good = weights("NCNN_k2.h5");
            let mut arguments = vec!["explain", "--data", "faces", "--out", "out", option, name];
            if option != "--weights" {
                arguments.extend(["--weights", &good]);
            }
            let (code, told) = run(&place, &arguments);
            assert_eq!(code, 2, "{option} {name}: {told}");
        }
        let good = weights("NCNN_k2.h5");
        let (code, told) = run(&place, &["compare", "--weights", &good, "--reference", name]);
        assert_eq!(code, 2, "--reference {name}: {told}");
    }
}
