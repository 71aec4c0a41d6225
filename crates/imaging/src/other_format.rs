//! Formats of images, and of archives, that are not read, so that they can be called by their names.

use std::path::Path;

/// A format that people keep images in and that this crate does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum OtherFormat {
    /// HEIC and HEIF: photographs of telephones.
    Heic,
    /// AVIF.
    Avif,
    /// GIF.
    Gif,
    /// DICOM: a medical image, or several.
    Dicom,
    /// Photoshop's documents, PSD and PSB.
    Psd,
    /// JPEG 2000.
    Jpeg2000,
    /// JPEG XL.
    JpegXl,
    /// A camera's raw data.
    Raw,
    /// A zip archive.
    Zip,
    /// A tar archive, compressed or not, or any other file that gzip, bzip2, xz or Zstandard compressed.
    Tar,
    /// A 7z archive.
    SevenZip,
    /// A RAR archive.
    Rar,
}

/// Bytes from a file's beginning that [`OtherFormat::of_content`] looks at.
pub const SIGNATURE: usize = 512;

const ENDINGS: [(OtherFormat, &[&str]); 12] = [
    (OtherFormat::Heic, &["heic", "heif", "hif"]),
    (OtherFormat::Avif, &["avif", "avifs"]),
    (OtherFormat::Gif, &["gif"]),
    (OtherFormat::Dicom, &["dcm", "dicom", "ima"]),
    (OtherFormat::Psd, &["psd", "psb"]),
    (OtherFormat::Jpeg2000, &["jp2", "j2k", "j2c", "jpf", "jpx"]),
    (OtherFormat::JpegXl, &["jxl"]),
    (OtherFormat::Raw, &["cr2", "cr3", "nef", "arw", "dng", "orf", "raf", "rw2", "pef"]),
    (OtherFormat::Zip, &["zip"]),
    (OtherFormat::Tar, &["tar", "tgz", "tbz2", "txz", "tar.gz", "tar.bz2", "tar.xz", "tar.zst"]),
    (OtherFormat::SevenZip, &["7z"]),
    (OtherFormat::Rar, &["rar"]),
];

const MAGIC: [(OtherFormat, usize, &[u8]); 18] = [
    (OtherFormat::Gif, 0, b"GIF87a"),
    (OtherFormat::Gif, 0, b"GIF89a"),
    (OtherFormat::Dicom, 128, b"DICM"),
    (OtherFormat::Psd, 0, b"8BPS"),
    (OtherFormat::Jpeg2000, 0, b"\0\0\0\x0cjP  "),
    (OtherFormat::Jpeg2000, 0, b"\xff\x4f\xff\x51"),
    (OtherFormat::JpegXl, 0, b"\0\0\0\x0cJXL "),
    (OtherFormat::JpegXl, 0, b"\xff\x0a"),
    (OtherFormat::Zip, 0, b"PK\x03\x04"),
    (OtherFormat::Zip, 0, b"PK\x05\x06"),
    (OtherFormat::Tar, 257, b"ustar"),
    (OtherFormat::Tar, 0, b"\x1f\x8b"),
    (OtherFormat::Tar, 0, b"BZh"),
    (OtherFormat::Tar, 0, b"\xfd7zXZ\0"),
    (OtherFormat::Tar, 0, b"\x28\xb5\x2f\xfd"),
    (OtherFormat::SevenZip, 0, b"7z\xbc\xaf\x27\x1c"),
    (OtherFormat::Rar, 0, b"Rar!\x1a\x07"),
    (OtherFormat::Raw, 0, b"FUJIFILMCCD-RAW"),
];

impl OtherFormat {
    /// The format that the end of a file's name says, in any mixture of cases.
    #[must_use]
    pub fn of_name(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let ends = |ending: &&str| {
            name.strip_suffix(*ending).and_then(|rest| rest.strip_suffix('.')).is_some()
        };
        let known = ENDINGS.iter().find(|(_, endings)| endings.iter().any(&ends));
        known.map(|(format, _)| *format)
    }

    /// The format that the first [`SIGNATURE`] bytes of a file say. A camera's raw data are mostly TIFF by
    /// their content, and not recognised.
    #[must_use]
    pub fn of_content(bytes: &[u8]) -> Option<Self> {
        if bytes.get(4..8) == Some(b"ftyp") {
            return of_brands(bytes);
        }
        let has = |at: usize, magic: &[u8]| bytes.get(at..).is_some_and(|b| b.starts_with(magic));
        let known = MAGIC.iter().find(|(_, at, magic)| has(*at, magic));
        known.map(|(format, ..)| *format)
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Heic => "HEIC",
            Self::Avif => "AVIF",
            Self::Gif => "GIF",
            Self::Dicom => "DICOM",
            Self::Psd => "PSD",
            Self::Jpeg2000 => "JPEG 2000",
            Self::JpegXl => "JPEG XL",
            Self::Raw => "camera raw",
            Self::Zip => "zip",
            Self::Tar => "tar or compressed",
            Self::SevenZip => "7z",
            Self::Rar => "RAR",
        }
    }

    /// Whether it is an archive of files rather than an image.
    #[must_use]
    pub const fn is_archive(self) -> bool {
        matches!(self, Self::Zip | Self::Tar | Self::SevenZip | Self::Rar)
    }

    /// A command that makes PNG files of such files, or unpacks them.
    #[must_use]
    pub const fn command(self) -> &'static str {
        match self {
            Self::Heic => "magick mogrify -format png *.heic",
            Self::Avif => "magick mogrify -format png *.avif",
            Self::Gif => "magick 'face.gif[0]' face.png",
            Self::Dicom => "dcmj2pnm --use-window 1 --write-png face.dcm face.png",
            Self::Psd => "magick 'face.psd[0]' face.png",
            Self::Jpeg2000 => "magick mogrify -format png *.jp2",
            Self::JpegXl => "magick mogrify -format png *.jxl",
            Self::Raw => "magick mogrify -format png *.nef",
            Self::Zip => "unzip faces.zip -d faces",
            Self::Tar => "tar -xf faces.tar.gz",
            Self::SevenZip => "7z x faces.7z -ofaces",
            Self::Rar => "unrar x faces.rar faces/",
        }
    }
}

/// HEIC or AVIF by the brands of an ISO media file; nothing of a film.
fn of_brands(bytes: &[u8]) -> Option<OtherFormat> {
    let length = bytes.first_chunk().map_or(0, |length| u32::from_be_bytes(*length));
    let end = usize::try_from(length).unwrap_or(usize::MAX).min(bytes.len()).min(SIGNATURE);
    let (brands, _) = bytes.get(8..end).unwrap_or_default().as_chunks::<4>();
    let any = |known: &[&[u8; 4]]| brands.iter().any(|brand| known.contains(&brand));
    if any(&[b"avif", b"avis"]) {
        Some(OtherFormat::Avif)
    } else if any(&[b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"]) {
        Some(OtherFormat::Heic)
    } else if any(&[b"crx "]) {
        Some(OtherFormat::Raw)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_count_in_any_case() {
        for (name, format) in [
            ("a.HEIC", OtherFormat::Heic),
            ("dir.png/IMG.Dcm", OtherFormat::Dicom),
            ("faces.tar.gz", OtherFormat::Tar),
            ("faces.tgz", OtherFormat::Tar),
            ("x.NEF", OtherFormat::Raw),
        ] {
            assert_eq!(OtherFormat::of_name(Path::new(name)), Some(format), "{name}");
        }
        for name in ["gif", "a.gif.txt", "a.png", "notes.gz", ""] {
            assert_eq!(OtherFormat::of_name(Path::new(name)), None, "{name}");
        }
    }

    #[test]
    fn a_file_is_known_by_its_first_bytes() {
        let dicom = [&[0; 128][..], b"DICM\x02\0"].concat();
        let tar = [&[b'a'; 257][..], b"ustar\x0000"].concat();
        let cases: [(&[u8], Option<OtherFormat>); 11] = [
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", Some(OtherFormat::Heic)),
            (b"\0\0\0\x1cftypmif1\0\0\0\0avifmif1miaf", Some(OtherFormat::Avif)),
            (b"\0\0\0\x18ftypisom\0\0\0\0isomavc1", None),
            (b"\0\0\0\x10ftypisom\0\0\0\0heic", None),
            (b"GIF89a\x01\0\x01\0", Some(OtherFormat::Gif)),
            (&dicom, Some(OtherFormat::Dicom)),
            (&tar, Some(OtherFormat::Tar)),
            (b"8BPS\0\x01", Some(OtherFormat::Psd)),
            (b"PK\x03\x04\x14", Some(OtherFormat::Zip)),
            (b"\x89PNG\r\n\x1a\n", None),
            (b"", None),
        ];
        for (bytes, format) in cases {
            assert_eq!(OtherFormat::of_content(bytes), format, "{bytes:?}");
        }
    }
}
