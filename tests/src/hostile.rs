//! Images and classes whose names would be markup, formulas or commands where they are not shown as
//! text.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Paths of images. A name cannot hold a slash, so a folder that is a fold gives it.
pub const PATHS: [&[u8]; 13] = [
    b"<script>alert(1)</script>.png",
    b"\"><img src=x onerror=alert(1)>/\"><img src=x onerror=alert(1)>.png",
    b"=cmd()|' /C calc'!A0.png",
    b"=cmd()|' /=cmd().png",
    b"=cmd()|' /+1+1.png",
    b"=cmd()|' /-2+3.png",
    b"=cmd()|' /@x.png",
    b"</script>.png",
    b"&amp;/&amp;.png",
    b"&amp;/line\xe2\x80\xa8end, \xe2\x80\xaegnp.exe.png",
    b"&amp;/two\nlines;\r\t\"quoted\".png",
    b"&amp;/\x1b[2J\x1b]0;owned\x07\x7f\xc2\x9b.png",
    b"&amp;/not UTF-8: \xff\xfe.png",
];

/// Names of two classes.
pub const CLASSES: [&str; 2] = ["=1+1</script><script>alert(2)</script>", "@b\u{1b}[2J\u{202e}\""];

/// What a run calls an image: bytes that are no UTF-8 stand as `\xFF`.
#[must_use]
pub fn shown(path: &[u8]) -> String {
    let text = |chunk: std::str::Utf8Chunk<'_>| {
        let odd: String = chunk.invalid().iter().map(|byte| format!("\\x{byte:02X}")).collect();
        format!("{}{odd}", chunk.valid())
    };
    path.utf8_chunks().map(text).collect()
}

/// Writes `faces`, each of the [`PATHS`] with the bytes of a PNG file; `classes.json` and
/// `labels.csv`. The image whose name commands a terminal is broken.
///
/// # Panics
///
/// If `folder` cannot be written.
pub fn write(folder: &Path, png: &[u8]) {
    let mut labels = csv::Writer::from_path(folder.join("labels.csv")).expect("a file");
    for (at, name) in PATHS.into_iter().enumerate() {
        let path = folder.join("faces").join(OsStr::from_bytes(name));
        let bytes = if name.contains(&0x1b) { &png[..png.len() / 2] } else { png };
        fs::create_dir_all(path.parent().expect("a fold")).expect("a folder");
        fs::write(path, bytes).expect("a file");
        labels.write_record([&*shown(name), CLASSES[at % 2]]).expect("a row");
    }
    labels.flush().expect("a file");
    let classes = serde_json::to_vec(&CLASSES).expect("text");
    fs::write(folder.join("classes.json"), classes).expect("a file");
}
