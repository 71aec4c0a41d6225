//! Files that were made to do harm: each is an error of its own, soon and in bounded memory.

use std::fs::{self, File};
use std::io::{Cursor, Read, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use parity::KerasFile;
use serde_json::json;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::program::{Place, goldens, weights};

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
#[expect(clippy::print_stdout, reason = "docs/reliability.md has these numbers")]
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

/// A pickle of these instructions in a PyTorch archive.
fn pickle(instructions: &[u8]) -> Vec<u8> {
    let entries = [("a/data.pkl", instructions), ("a/data/0", &[0; 64][..])];
    archive(&entries, CompressionMethod::Stored)
}

/// A `.safetensors` file with this header and no numbers.
fn safetensors(header: &str) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat()
}

/// Files written with h5py, and what is said of them.
const HDF5: [(&str, &str); 13] = [
    ("petabytes.h5", "it must have 1 to 262,144 neurons"),
    ("petabytes_in_chunks.h5", "it must have 1 to 262,144 neurons"),
    ("half_of_memory.h5", "more than 268435456 numbers"),
    ("one_large_chunk.h5", "a chunk of it is larger than all its numbers"),
    ("chunk_past_the_end.h5", "its chunks are larger than the file"),
    ("many_names.h5", "more than 10000 layers"),
    ("group_in_itself.h5", "FC1"),
    ("soft_circle.h5", "FC1"),
    ("link_to_another_file.h5", "FC1"),
    ("numbers_in_another_file.h5", "cannot read `kernel`"),
    (
        "minus_infinity.h5",
        "`conv_2x2`: `bias` holds 1 values that are NaN or infinite, the first at [5]",
    ),
    ("name_that_is_no_text.h5", "cannot read"),
    ("circle.weights.h5", "more than 10000 layers"),
];

#[test]
fn hdf5_files_that_claim_too_much() {
    let place = place();
    let packed = File::open(goldens().join("hostile.zip")).expect("the archive");
    ZipArchive::new(packed).expect("a zip").extract(place.path("")).expect("room");
    for (file, words) in HDF5 {
        refused_as_weights(&place, file, words);
    }
}

/// A weight of a batch normalisation in the head that no training leaves behind.
#[test]
fn statistics_that_cannot_be() {
    let place = place();
    for (value, words) in [
        (-0.5, "`moving_variance` holds -0.5, which is no variance, at [1]"),
        (
            f32::INFINITY,
            "`moving_variance` holds 1 values that are NaN or infinite, the first at [1]",
        ),
    ] {
        let mut file = KerasFile::ncnn();
        let norm = json!({ "epsilon": 1e-3, "scale": false, "center": false });
        let dense = json!({ "units": 2, "activation": "softmax", "use_bias": true });
        file.set_head(&[
            ("GlobalAveragePooling2D", "pool", json!({})),
            ("BatchNormalization", "norm", norm),
            ("Dense", "dense", dense),
        ]);
        file.add_weights("norm", &[("moving_mean", &[64]), ("moving_variance", &[64])]);
        file.add_weights("dense", &[("kernel", &[64, 2]), ("bias", &[2])]);
        file.weights("norm")[1].2[1] = value;
        file.write(&place.path("statistics.h5"));
        let arguments =
            ["explain", "--weights", "statistics.h5", "--data", "faces", "--out", "out"];
        let (code, told) = run(&place, &arguments);
        assert_eq!(code, 2, "{told}");
        assert!(told.contains(words), "{told}");
    }
}

/// Names that lead out of an archive lead nowhere, since nothing is unpacked.
#[test]
fn archives_that_are_traps() {
    let place = place();
    let stored = CompressionMethod::Stored;
    let config = b"{}".as_slice();
    let deep = "[".repeat(1 << 20).into_bytes();
    let wide = format!(
        "{{\"class_name\": \"Model\", \"config\": {{\"layers\": [{}0]}}}}",
        "{},".repeat(3 << 20)
    );
    let blanks = vec![b' '; 64 << 20];
    let zeros = vec![0; 1100 << 20];
    let keras = |config: &[u8], weights: &[u8], method| {
        let entries =
            [("config.json", config), ("metadata.json", b"{}"), ("model.weights.h5", weights)];
        archive(&entries, method)
    };
    let names: Vec<String> = (0..300_000).map(|name| format!("{name:0>40}")).collect();
    let names: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), config)).collect();
    // The central directory's size of the only entry, and its place.
    let mut lying = archive(&[("config.json", config)], stored);
    let directory = lying.windows(4).rposition(|four| four == b"PK\x01\x02").expect("a directory");
    lying[directory + 20..directory + 28].copy_from_slice(&[0xf0; 8]);
    for (name, bytes, words) in [
        ("outside.keras", archive(&[("../config.json", config)], stored), "config.json"),
        ("absolute.keras", archive(&[("/config.json", config)], stored), "config.json"),
        ("other_case.keras", archive(&[("CONFIG.JSON", config)], stored), "config.json"),
        ("deep.keras", keras(&deep, b"", stored), "recursion limit"),
        ("wide.keras", keras(wide.as_bytes(), b"", stored), "more than 10000 layers"),
        ("blank.keras", keras(&blanks, b"", CompressionMethod::Deflated), "larger than 16 MiB"),
        ("bomb.keras", keras(config, &zeros, CompressionMethod::Deflated), "neither"),
        ("many.keras", archive(&names, stored), "takes more than 16 MiB"),
        ("lying.keras", lying, "config.json"),
        ("cut.keras", keras(config, &[0; 100], stored)[..200].to_vec(), "archive"),
        ("short.keras", keras(config, b"\x89HDF\r\n\x1a\n", stored), "neither"),
    ] {
        place.write(name, &bytes);
        refused_as_weights(&place, name, words);
    }
}

/// Programs for the pickle machine that would fill memory or run for ever.
#[test]
fn pickles_that_are_traps() {
    let place = place();
    let name = [&b"\x80\x02X\0\x01\0\0"[..], &[b'n'; 256], b"q\0"].concat();
    // {name: {}, name: {}, ...}: every dict inside has the same long name.
    let dicts = [&name[..], b"0}(", &b"h\0}".repeat(200_000), b"u."].concat();
    let doubled = [&b"\x80\x02]q\0"[..], &b"(h\0h\0eh\0".repeat(100_000), b"."].concat();
    for (name, instructions, words) in [
        ("dicts.pt", dicts, "more than 10000 dicts"),
        ("doubled.pt", doubled, "holds no dict of tensors"),
        (
            "values.pt",
            [&b"\x80\x02"[..], &b"]".repeat(2_000_000), b"."].concat(),
            "too many values",
        ),
        ("marks.pt", [&b"\x80\x02"[..], &b"(".repeat(2_000_000), b"."].concat(), "too deep"),
        ("endless.pt", b"\x80\x02X\xff\xff\xff\x7f".to_vec(), "ends too early"),
        ("evil.pt", b"\x80\x02cos\nsystem\nX\x04\0\0\0true\x85R.".to_vec(), "os.system"),
        ("empty.pt", Vec::new(), "ends too early"),
    ] {
        place.write(name, &pickle(&instructions));
        refused_as_weights(&place, name, words);
    }
}

/// Headers that promise more than there is.
#[test]
fn headers_that_lie() {
    let place = place();
    let tensor = |name: usize| {
        format!("\"a.{name}\":{{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}")
    };
    let many: Vec<String> = (0..100_000).map(tensor).collect();
    let many = safetensors(&format!("{{{}}}", many.join(",")));
    let huge = safetensors(
        "{\"a.weight\":{\"dtype\":\"F32\",\"shape\":[4294967295,4294967295],\"data_offsets\":[0,4]}}",
    );
    let deep = safetensors(&format!("{{\"a\":{}", "[".repeat(1 << 20)));
    let mut long = vec![0; 100];
    long[..9].copy_from_slice(b"\0\0\0\0\x01\0\0\0{");
    let bpk = |length: u32| [&b"NRUB\x01\0"[..], &length.to_le_bytes(), &[0x9f; 4000]].concat();
    // An `.onnx` whose graph is said to be longer than the file, and one of a million empty nodes.
    let onnx = [&b"\x08\x07\x42\x02\x10\x0d\x3a\xff\xff\xff\xff\x0f"[..], &[0; 64]].concat();
    let nodes = b"\x0a\0".repeat(1 << 18);
    let nodes = [&b"\x08\x07\x42\x02\x10\x0d\x3a\x80\x80\x20"[..], &nodes].concat();
    for (name, bytes, words) in [
        ("many.safetensors", many, "more than 10000"),
        ("huge.safetensors", huge, "cannot be read"),
        ("deep.safetensors", deep, "recursion limit"),
        ("long.safetensors", long, "its header says that it is longer"),
        ("long.bpk", bpk(u32::MAX), "its header says that it is longer"),
        ("nested.bpk", bpk(4000), "cannot be read"),
        ("long.onnx", onnx, "longer than what holds it"),
        ("nodes.onnx", nodes, "more than 10000 nodes"),
        ("zeros.pth", vec![0; 4096], "unknown kind"),
        ("text.h5", b"<html>404 Not Found</html>".to_vec(), "unknown kind"),
        ("nothing.h5", Vec::new(), "an empty file"),
    ] {
        place.write(name, &bytes);
        refused_as_weights(&place, name, words);
    }
}

/// The first half, and all but the last byte, of a good file in each format.
#[test]
fn files_that_were_not_written_to_the_end() {
    let place = place();
    let good = weights("NCNN_k2.h5");
    for to in ["good.bpk", "good.safetensors"] {
        let (code, told) = run(&place, &["convert", "--weights", &good, "--out", to]);
        assert_eq!(code, 0, "{told}");
    }
    let torch = goldens().join("torch/files");
    let mut files = vec![place.path("good.bpk"), place.path("good.safetensors"), good.into()];
    files.extend(["NCNN_k3.keras", "NCNN_k3.weights.h5"].map(|name| weights(name).into()));
    let legacy = ["ncnn.pt", "ncnn_legacy.pth", "ncnn.safetensors", "ncnn_arrays.pkl"];
    files.extend(legacy.map(|name| torch.join(name)));
    for file in files {
        let bytes = fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let ending = file.extension().and_then(|ending| ending.to_str()).expect("an ending");
        for length in [bytes.len() / 2, bytes.len() - 1] {
            let name = format!("cut.{ending}");
            place.write(&name, &bytes[..length]);
            refused_as_weights(&place, &name, &name);
        }
    }
}

/// A file with a hole takes no room on the disk, and must take none in memory.
#[cfg(unix)]
#[test]
fn files_with_holes() {
    let place = place();
    let hole = 8_u64 << 30;
    let header = format!(
        "{{\"features.0.weight\":{{\"dtype\":\"F32\",\"shape\":[{}],\"data_offsets\":[0,{hole}]}}}}",
        hole / 4
    );
    let tensor = safetensors(&header);
    let checkpoint = fs::read(weights("NCNN_k2.h5")).expect("a checkpoint");
    let zip = archive(&[("a", b"b")], CompressionMethod::Stored);
    let text = b"\x80\x02X\xff\xff\xff\x7f";
    for (name, bytes, length, code, words) in [
        ("hole.safetensors", &tensor[..], hole + tensor.len() as u64, 2, "ResNet50"),
        // Bytes behind the end of an HDF5 file are no part of it.
        ("hole.h5", &checkpoint, hole, 0, ""),
        ("hole.keras", &zip, hole, 2, "archive"),
        ("hole.pkl", text, hole, 2, "is none that it should have"),
        ("hole.onnx", b"\x08\x07\x42\x02\x10\x0d", hole, 2, "hole.onnx"),
        ("terabyte.h5", &checkpoint, 1 << 40, 2, "a checkpoint 16 GiB at most"),
    ] {
        place.write(name, bytes);
        let file = File::options().append(true).open(place.path(name)).expect("a file");
        file.set_len(length).expect("a file system that knows holes");
        let (found, told) = run(&place, &["inspect", name]);
        assert_eq!(found, code, "{name}: {told}");
        assert!(told.contains(words), "{name}: {told}");
    }
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

/// A PNG of these chunks.
fn png(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in chunks {
        let named = [&kind[..], data].concat();
        bytes.extend((data.len() as u32).to_be_bytes());
        bytes.extend(&named);
        bytes.extend(crc32fast::hash(&named).to_be_bytes());
    }
    bytes
}

/// Width, height, bits and colour type of a PNG.
fn ihdr(width: u32, height: u32, bits: u8, colour: u8) -> Vec<u8> {
    [&width.to_be_bytes()[..], &height.to_be_bytes(), &[bits, colour, 0, 0, 0]].concat()
}

/// Zeros as zlib packs them. Their checksum is 1, and their number times 65536.
fn zlib_zeros(count: usize) -> Vec<u8> {
    let checksum = ((count % 65_521) as u32) << 16 | 1;
    [&b"\x78\x9c"[..], &deflated_zeros(count), &checksum.to_be_bytes()].concat()
}

/// A little-endian TIFF whose directory has these entries, of tag, type, count and value, and the
/// directory after it.
fn tiff(entries: &[(u16, u16, u32, u32)], next: u32) -> Vec<u8> {
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    bytes.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, count, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend(next.to_le_bytes());
    bytes.resize(4096, 0);
    bytes
}

/// Each image that cannot be read is a failure of its own, and the good one beside them is explained.
#[test]
fn images_that_are_traps() {
    let place = place();
    let big = |compression: u32, bytes: u32| {
        tiff(
            &[
                (256, 4, 1, 65_535),
                (257, 4, 1, 2_700),
                (258, 3, 1, 8),
                (259, 3, 1, compression),
                (262, 3, 1, 1),
                (273, 4, 1, 200),
                (277, 3, 1, 1),
                (278, 4, 1, 2_700),
                (279, 4, 1, bytes),
            ],
            8,
        )
    };
    let bmp = |width: i32, height: i32, bits: u16| {
        let mut bytes = b"BM\xff\xff\xff\x7f\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
        bytes.extend(width.to_le_bytes());
        bytes.extend(height.to_le_bytes());
        bytes.extend([1, 0]);
        bytes.extend(bits.to_le_bytes());
        bytes.resize(100, 0);
        bytes
    };
    let profile = [&b"a\0\0"[..], &zlib_zeros(600 << 20)].concat();
    let text = [&b"a\0\0"[..], &zlib_zeros(600 << 20)].concat();
    let square = zlib_zeros(64);
    let small = ihdr(4, 4, 8, 6);
    let jpeg = b"\xff\xd8\xff\xc0\0\x0b\x08\xff\xff\xff\xff\x01\x01\x11\0\xff\xd9".to_vec();
    let webp =
        b"RIFF\x20\0\0\0WEBPVP8L\x10\0\0\0\x2f\xff\xff\xff\x0f\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    let header =
        |width, height, bits, colour| png(&[(b"IHDR", &ihdr(width, height, bits, colour))]);
    let files = [
        ("many_pixels.png", header(30_000, 30_000, 8, 0)),
        ("long.png", header(2_000_000_000, 1, 1, 0)),
        ("deep.png", header(13_000, 13_000, 16, 6)),
        ("nothing.png", header(0, 0, 8, 0)),
        ("cut.png", png(&[(b"IHDR", &small), (b"IDAT", &square[..8])])),
        (
            "too_much.png",
            png(&[(b"IHDR", &ihdr(13_000, 13_000, 8, 0)), (b"IDAT", &square), (b"IEND", b"")]),
        ),
        ("many_pixels.jpg", jpeg),
        ("large.webp", webp),
        ("strip.tif", big(1, u32::MAX)),
        ("packed.tif", big(5, 100)),
        (
            "tags.tif",
            tiff(&[(256, 4, u32::MAX, 8), (257, 4, u32::MAX, 8), (320, 3, u32::MAX, 8)], 8),
        ),
        ("large.bmp", bmp(i32::MAX, i32::MAX, 32)),
        ("upside_down.bmp", bmp(60_000, i32::MIN, 1)),
        ("no_pixels.bmp", bmp(13_000, 13_000, 1)),
        ("zeros.png", vec![0; 1 << 20]),
        ("empty.webp", Vec::new()),
        ("page.jpeg", b"<html>404 Not Found</html>".to_vec()),
    ];
    for (name, bytes) in &files {
        place.write(&format!("faces/Fold0/{name}"), bytes);
    }
    // These are images all the same: what is beside the pixels is passed over, and the last has as
    // many pixels as an image may have.
    let beside = |kind: &[u8; 4], data: &[u8]| {
        png(&[(b"IHDR", &small), (kind, data), (b"IDAT", &zlib_zeros(4 * 17)), (b"IEND", b"")])
    };
    let most = zlib_zeros(13_377 * 13_378);
    for (name, bytes) in [
        ("profile.png", beside(b"iCCP", &profile)),
        ("text.png", beside(b"zTXt", &text)),
        (
            "most.png",
            png(&[(b"IHDR", &ihdr(13_377, 13_377, 8, 0)), (b"IDAT", &most), (b"IEND", b"")]),
        ),
    ] {
        place.write(&format!("faces/Fold0/{name}"), &bytes);
    }
    let weights = weights("NCNN_k2.h5");
    let arguments = ["explain", "--weights", &weights, "--data", "faces", "--out", "out"];
    let (code, told) = run_within(&place, &arguments, MOST_FOR_IMAGES);
    assert_eq!(code, 1, "{told}");
    let rows = place.predictions();
    let error = |name: &str| {
        let row = rows.iter().find(|row| row["path"] == format!("Fold0/{name}"));
        row.unwrap_or_else(|| panic!("no row of {name}"))["error"].clone()
    };
    for (name, _) in &files {
        assert_ne!(error(name), "", "{name} is explained");
        assert!(!error(name).contains("panicked"), "{name}: {}", error(name));
    }
    for name in ["profile.png", "text.png", "most.png", "S01_sem_dor_01.png"] {
        assert_eq!(error(name), "", "{name}");
    }
    assert_eq!(rows.len(), files.len() + 4);
}
