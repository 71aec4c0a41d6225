//! What people give who try the program for the first time: archives, single files, folders that are deeper
//! than expected, formats that are not read, networks that it does not have.

use std::fs;
use std::io::{BufRead, BufReader, Cursor, Write};
use std::process::Stdio;

use image::{DynamicImage, ImageBuffer, ImageFormat, Luma};
use serde_json::Value;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::program::{Place, Run, goldens, weights};

const FACE: &str = "Fold0/S01_sem_dor_01.png";

/// The first bytes of files as their makers write them: HEIC of a telephone, AVIF of libavif, DICOM by the
/// standard's part 10, and so on.
const HEIC: &[u8] = b"\0\0\0\x24ftypheic\0\0\0\0mif1MiHEmiafMiHBheic\0\0\x01\0meta";
const AVIF: &[u8] = b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf\0\0\x01\0meta";
const GIF: &[u8] =
    b"GIF89a\x01\0\x01\0\x80\0\0\xff\xff\xff\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";
const PSD: &[u8] = b"8BPS\0\x01\0\0\0\0\0\0\0\x03\0\0\0\x01\0\0\0\x01\0\x08\0\x03";
const JPEG_2000: &[u8] = b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 ";

fn dicom() -> Vec<u8> {
    [&[0; 128][..], b"DICM\x02\0\0\0UL\x04\0\xc0\0\0\0"].concat()
}

fn zip_of(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(name, SimpleFileOptions::default()).expect("a name");
    zip.write_all(bytes).expect("room in memory");
    zip.finish().expect("room in memory").into_inner()
}

fn with(place: &Place, data: &str, more: &[&str]) -> Run {
    let weights = weights("NCNN_k2.h5");
    let fixed = ["explain", "--weights", &weights, "--data", data, "--out", "out"];
    place.burncam(&[&fixed, more].concat())
}

/// That a run is refused with these words, and leaves nothing behind.
fn refused(place: &Place, data: &str, words: &[&str]) {
    let run = with(place, data, &[]);
    assert_eq!(run.code, 2, "{data}: {}", run.stderr);
    assert!(run.stderr.contains("hint:"), "{data}: {}", run.stderr);
    for word in words {
        assert!(run.stderr.contains(word), "{data}: no `{word}` in {}", run.stderr);
    }
    assert!(!place.path("out").exists(), "{data}");
}

fn warnings(place: &Place) -> Vec<(String, Vec<String>)> {
    let record: Value = serde_json::from_str(&place.read("out/run.json")).expect("JSON");
    let warnings = record["warnings"].as_array().expect("warnings").iter().map(|warning| {
        let items = warning["items"].as_array().expect("items").iter();
        let items = items.map(|item| item.as_str().expect("text").to_owned());
        (warning["text"].as_str().expect("text").to_owned(), items.collect())
    });
    warnings.collect()
}

/// The items of the only warning that has these words.
fn warning(place: &Place, words: &str) -> Vec<String> {
    let found: Vec<_> =
        warnings(place).into_iter().filter(|(text, _)| text.contains(words)).collect();
    assert_eq!(found.len(), 1, "{words}: {:?}", warnings(place));
    found[0].1.clone()
}

#[test]
fn an_archive_is_to_be_unpacked() {
    let place = Place::new();
    let face = fs::read(crate::program::faces().join(FACE)).expect("a golden face");
    let mut tar = vec![0; 512];
    tar[..8].copy_from_slice(b"face.png");
    tar[257..263].copy_from_slice(b"ustar\0");
    for (name, bytes, command) in [
        ("faces.zip", zip_of("face.png", &face), "unzip "),
        ("faces", zip_of("face.png", &face), "unzip "),
        ("faces.tar", tar, "tar -xf "),
        ("faces.tar.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec(), "tar -xf "),
        ("faces.7z", b"7z\xbc\xaf\x27\x1c\0\x04".to_vec(), "7z x "),
        ("faces.rar", b"Rar!\x1a\x07\x01\0".to_vec(), "unrar x "),
    ] {
        place.write(name, &bytes);
        refused(&place, name, &[&format!("--data {name} is an archive"), command]);
    }
    place.write("folder/faces.zip", &zip_of("face.png", &face));
    refused(&place, "folder", &["1 zip file, faces.zip", "unzip "]);
    let checkpoint = fs::read(weights("NCNN_k2.keras")).expect("a checkpoint");
    place.write("NCNN.keras", &checkpoint);
    refused(&place, "NCNN.keras", &["is a checkpoint", "--weights"]);
}

#[test]
fn one_image_is_explained_as_in_its_folder() {
    let place = Place::new();
    place.face(FACE, "faces/Fold0/S01_sem_dor_01.png");
    assert_eq!(with(&place, "faces", &[]).code, 0);
    let whole = place.predictions();
    let run = with(&place, "faces/Fold0/S01_sem_dor_01.png", &["--out", "one"]);
    assert_eq!(run.code, 2, "--out twice: {}", run.stderr);
    let weights = weights("NCNN_k2.h5");
    let one = [
        "explain",
        "--weights",
        &weights,
        "--data",
        "faces/Fold0/S01_sem_dor_01.png",
        "--out",
        "one",
    ];
    let run = place.burncam(&one);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stderr.contains("Explaining faces/Fold0/S01_sem_dor_01.png with"),
        "{}",
        run.stderr
    );
    let alone = place.predictions_in("one");
    assert_eq!((whole.len(), alone.len()), (1, 1));
    for column in ["fold", "label", "predicted", "logit_Pain", "logit_No_pain", "map_max"] {
        assert_eq!(alone[0][column], whole[0][column], "{column}");
    }
    assert_eq!(alone[0]["path"], "S01_sem_dor_01.png");
    let csv = |out: &str| place.read(&format!("{out}/NCNN_GradCAM/NCNN.csv"));
    assert_eq!(csv("one"), csv("out"));
    let resumed = place.burncam(&[&one[..], &["--resume"]].concat());
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    assert!(resumed.stderr.contains("1 of 1 image are done"), "{}", resumed.stderr);
}

#[test]
fn images_too_deep_are_counted_with_a_way_to_them() {
    let place = Place::new();
    for image in ["1", "2", "3"] {
        place.face(FACE, &format!("data/train/site1/Pain/x/{image}.png"));
    }
    place.write("data/notes.txt", b"");
    refused(
        &place,
        "data",
        &[
            "3 images deeper down",
            "such as train/site1/Pain/x/1.png (4 folders down)",
            "--data data/train",
        ],
    );
    place.face(FACE, "data/train/a.png");
    let run = with(&place, "data", &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("they lie too deep: 3 images in 1 folder"), "{}", run.stderr);
    assert_eq!(warning(&place, "lie too deep"), ["train/site1/: 3"]);
    assert_eq!(warning(&place, "not being images"), ["notes.txt"]);
}

#[test]
fn other_formats_are_called_by_their_names() {
    let place = Place::new();
    let files: [(&str, &[u8], &str); 6] = [
        ("a.heic", HEIC, "HEIC"),
        ("b.avif", AVIF, "AVIF"),
        ("c.gif", GIF, "GIF"),
        ("d.dcm", &dicom(), "DICOM"),
        ("e.psd", PSD, "PSD"),
        ("f.jp2", JPEG_2000, "JPEG 2000"),
    ];
    for (name, bytes, _) in files {
        place.write(&format!("data/{name}"), bytes);
    }
    place.write("data/IM-0001-0001", &dicom());
    let all: Vec<&str> = files.iter().map(|(.., format)| *format).collect();
    let more =
        ["2 DICOM files, such as IM-0001-0001", "magick mogrify -format png *.heic", "dcmj2pnm "];
    refused(&place, "data", &[&all[..], &more].concat());
    refused(&place, "data/a.heic", &["is a HEIC file", "magick mogrify"]);

    // What an image's name promises and its content does not keep.
    for (name, bytes, _) in files {
        place.write(&format!("data/wrong_{name}.jpg"), bytes);
    }
    place.face(FACE, "data/face_dor.png");
    let run = with(&place, "data", &[]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let items = warning(&place, "being of formats that Burncam does not read: 7 files");
    assert_eq!(items.len(), 6, "{items:?}");
    assert!(items.contains(&"2 DICOM: IM-0001-0001, …".to_owned()), "{items:?}");
    let failures = place.read("out/failures.csv");
    for (name, _, format) in files {
        let line = failures.lines().find(|line| line.contains(&format!("wrong_{name}.jpg")));
        let line = line.unwrap_or_else(|| panic!("{name} in {failures}"));
        assert!(line.contains(&format!("is a {format} file")), "{line}");
        assert!(line.contains("convert it with"), "{line}");
    }
}

/// A PNG with an eXIf chunk whose only tag, 0x0112, says that it is to be turned.
fn turned(png: &[u8]) -> Vec<u8> {
    let exif = b"eXIfMM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let length = u32::try_from(exif.len() - 4).expect("a short chunk").to_be_bytes();
    let chunk = [&length[..], exif, &crc32fast::hash(exif).to_be_bytes()].concat();
    // Behind the signature and the header.
    [&png[..33], &chunk, &png[33..]].concat()
}

#[test]
fn white_from_16_bits_and_ignored_orientation_are_told_once() {
    let place = Place::new();
    let face = fs::read(crate::program::faces().join(FACE)).expect("a golden face");
    for name in ["a", "b", "c"] {
        place.write(&format!("data/turned_{name}.png"), &turned(&face));
    }
    for (name, level) in [("x", 40_000_u16), ("y", 256), ("dark", 255)] {
        let grey = ImageBuffer::from_pixel(8, 8, Luma([level]));
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::ImageLuma16(grey).write_to(&mut bytes, ImageFormat::Png).expect("a PNG");
        place.write(&format!("data/grey_{name}.png"), bytes.get_ref());
    }
    let run = with(&place, "data", &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for words in
        ["in 2 images; save them with 8 bits", "in 3 images, so the network saw them as they"]
    {
        assert_eq!(run.stderr.matches(words).count(), 1, "{words}: {}", run.stderr);
    }
    let grey = ["grey_x.png", "grey_y.png"];
    assert_eq!(warning(&place, "16-bit grey became white"), grey);
    let turned = ["turned_a.png", "turned_b.png", "turned_c.png"];
    assert_eq!(warning(&place, "EXIF orientation was ignored"), turned);
    // A run that goes on knows of the images that it does not read again.
    place.face(FACE, "data/new.png");
    let run = with(&place, "data", &["--resume"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(warning(&place, "16-bit grey became white"), grey);
    assert_eq!(warning(&place, "EXIF orientation was ignored"), turned);
    let run = with(&place, "data", &["--exif", "apply", "--overwrite"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(!run.stderr.contains("EXIF"), "{}", run.stderr);
}

#[test]
fn one_network_in_several_formats_is_explained_once() {
    let place = Place::new();
    place.face(FACE, "data/face_dor.png");
    for name in ["NCNN_k2.h5", "NCNN_k2.keras", "NCNN_k2.weights.h5", "NCNN_k2.weights_legacy.h5"] {
        place.write(&format!("models/{name}"), &fs::read(weights(name)).expect("a checkpoint"));
    }
    for out in ["models/NCNN.bpk", "models/NCNN.safetensors"] {
        let run = place.burncam(&["convert", "models/NCNN_k2.h5", "--out", out]);
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    let explain = |out: &str| {
        let data = ["--data", "data", "--out", out];
        place.burncam(&[&["explain", "--weights", "models"], &data[..]].concat())
    };
    let run = explain("out");
    assert_eq!(run.code, 0, "{}", run.stderr);
    // The weights-only files come after the full models, of which the first by name is taken.
    let mut others =
        warning(&place, "models/NCNN.bpk holds the same network with the same weights");
    others.sort();
    let expected = [
        "models/NCNN.safetensors",
        "models/NCNN_k2.h5",
        "models/NCNN_k2.keras",
        "models/NCNN_k2.weights.h5",
        "models/NCNN_k2.weights_legacy.h5",
    ];
    assert_eq!(others, expected);
    assert_eq!(place.predictions().len(), 1);

    // Another network of the same kind is another model.
    let dead = fs::read(weights("NCNN_k2_dead.h5")).expect("a checkpoint");
    place.write("models/dead.h5", &dead);
    let run = explain("two");
    assert_eq!(run.code, 0, "{}", run.stderr);
    let models: Vec<String> =
        place.predictions_in("two").iter().map(|row| row["model"].clone()).collect();
    assert_eq!(models, ["NCNN", "NCNN_dead"]);
    // Files that are named one by one are explained one by one.
    let two = ["explain", "--weights", "models/NCNN.bpk", "models/NCNN_k2.h5", "--data", "data"];
    let run = place.burncam(&[&two[..], &["--out", "three"]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(place.predictions_in("three").len(), 2);
}

/// tests/reference/other_networks.py wrote the files with torchvision, timm and Keras 2.15.
#[test]
fn a_network_of_another_kind_is_named_with_a_way_on() {
    let place = Place::new();
    place.face(FACE, "faces/face_dor.png");
    let archive = fs::File::open(goldens().join("other.zip")).expect("the archive");
    ZipArchive::new(archive).expect("a zip").extract(place.path("")).expect("room");
    let torch = "torch.onnx.export(model.eval(), (torch.zeros(1, 3, 224, 224),)";
    let whole = "a file of the whole model says what its layers compute";
    for (file, words) in [
        (
            "resnet18.pth",
            &["with 20 convolutions and 20 batch", "it is ResNet18", torch, whole][..],
        ),
        ("densenet121.pth", &["with 120 convolutions", "it is DenseNet", torch, whole]),
        ("mobilenet_v2.pth", &["with 52 convolutions", "it is MobileNetV2", torch, whole]),
        ("vit_tiny.pth", &["it is a vision transformer", "convolutional networks"]),
    ] {
        for command in [&["inspect", file][..], &["explain", "--weights", file, "--data", "faces"]]
        {
            let run = place.burncam(command);
            assert_eq!(run.code, 2, "{command:?}: {}", run.stderr);
            for words in ["the closest by input size and structure is"].iter().chain(words) {
                assert!(run.stderr.contains(words), "{file}: no `{words}` in {}", run.stderr);
            }
        }
    }
    // A full model says what it computes.
    for (file, code, words) in [
        ("mobilenetv2.h5", 0, "as keras.applications does for it, x / 127.5 - 1"),
        ("small.h5", 2, "does not say how images are prepared"),
        ("small.keras", 2, "does not say how images are prepared"),
    ] {
        assert_eq!(place.burncam(&["inspect", file]).code, 0, "{file}");
        let run = place.burncam(&["explain", "--weights", file, "--data", "faces", "--out", "own"]);
        assert_eq!(run.code, code, "{file}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{file}: no `{words}` in {}", run.stderr);
    }
    // It has every layer of a ResNet50, and more.
    let run = place.burncam(&["explain", "--weights", "resnet101.pth", "--data", "faces"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("it is ResNet101") && run.stderr.contains(torch), "{}", run.stderr);
}

#[test]
fn a_checkpoint_is_the_first_argument_or_an_option() {
    let place = Place::new();
    let file = weights("NCNN_k2.h5");
    for command in ["inspect", "layers"] {
        let (first, option) =
            (place.burncam(&[command, &file]), place.burncam(&[command, "--weights", &file]));
        assert_eq!((first.code, option.code), (0, 0), "{command}: {}", option.stderr);
        assert_eq!(first.stdout, option.stdout, "{command}");
        let both = place.burncam(&[command, &file, "--weights", &file]);
        assert_eq!(both.code, 2, "{command}: {}", both.stdout);
        assert!(both.stderr.contains("cannot be used with"), "{command}: {}", both.stderr);
        let none = place.burncam(&[command]);
        assert_eq!(none.code, 2, "{command}");
        assert!(none.stderr.contains("FILE"), "{command}: {}", none.stderr);
    }
}

#[test]
fn the_console_speaks_the_language_of_the_page() {
    let place = Place::new();
    place.face(FACE, "data/A/face_dor.png");
    place.face(FACE, "data/B/face_sem.png");
    place.write("data/notes.txt", b"");
    let run = with(&place, "data", &["--lang", "pt"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for words in [
        "aviso: uma só rede explica as imagens de todos os 2 folds",
        "aviso: ignorados na pasta de dados por não serem imagens: 1 arquivo ou pasta",
        "Explicando 2 imagens em data com ",
        "Calculando em cpu (",
        "2/2 imagens, ",
    ] {
        assert!(run.stderr.contains(words), "no `{words}` in {}", run.stderr);
    }
    for english in ["warning", "Explaining", "Computing", "images/s"] {
        assert!(!run.stderr.contains(english), "`{english}` in {}", run.stderr);
    }
    assert!(run.stdout.contains("Resultados em out:"), "{}", run.stdout);
    assert!(place.read("out/index.html").contains("<html lang=\"pt-BR\">"));
    // Records are the same in every language.
    assert_eq!(warning(&place, "not being images"), ["notes.txt"]);
}

/// Mesa's drivers complain about a missing variable, so the program sets it before they are loaded.
#[cfg(target_os = "linux")]
#[test]
fn graphics_drivers_find_a_folder_for_their_files() {
    let place = Place::new();
    place.face(FACE, "data/face.png");
    let arguments = ["explain", "--device", "auto", "--data", "data", "--out", "out"];
    let network = weights("NCNN_k2.h5");
    let mut command = place.command(&[&arguments[..], &["--weights", &network]].concat());
    command.env_remove("XDG_RUNTIME_DIR").stderr(Stdio::piped());
    let mut program = command.spawn().expect("the program starts");
    let lines = BufReader::new(program.stderr.take().expect("its messages")).lines();
    let mut lines = lines.map(|line| line.expect("text"));
    assert!(lines.any(|line| line.starts_with("Computing on ")), "it has looked for devices");
    let environment = fs::read(format!("/proc/{}/environ", program.id())).expect("its environment");
    let named =
        environment.split(|byte| *byte == 0).any(|one| one.starts_with(b"XDG_RUNTIME_DIR="));
    lines.for_each(drop);
    assert!(program.wait().expect("its end").success());
    assert!(named);
}
