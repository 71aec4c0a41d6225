//! How PNG encoders and their settings do on the overlays of a run: CPU time and size of each, as a
//! Markdown table. Every one gives the same pixels back.
//!
//! ```sh
//! cargo run --release --package burncam-render --example encoders -- burncam-demo/NCNN_GradCAM/All
//! ```
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cpu_time::ProcessTime;
use image::RgbImage;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};

/// The least time of so many trials is taken.
const TRIALS: usize = 5;

const LEVELS: [(&str, CompressionType); 5] = [
    ("fdeflate (`Fast`)", CompressionType::Fast),
    ("zlib, level 1", CompressionType::Level(1)),
    ("zlib, level 2", CompressionType::Level(2)),
    ("zlib, level 6 (`Default`)", CompressionType::Default),
    ("zlib, level 9 (`Best`)", CompressionType::Best),
];

const FILTERS: [(&str, FilterType); 6] = [
    ("none", FilterType::NoFilter),
    ("sub", FilterType::Sub),
    ("up", FilterType::Up),
    ("average", FilterType::Avg),
    ("Paeth", FilterType::Paeth),
    ("the best of each line", FilterType::Adaptive),
];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("give a folder of PNG overlays")?;
    let pictures: Vec<RgbImage> =
        pngs(Path::new(&folder))?.iter().map(read).collect::<Result<_, _>>()?;
    let size = pictures.first().ok_or("the folder has no PNG")?.dimensions();
    println!("{} overlays, the first of {} x {} pixels.\n", pictures.len(), size.0, size.1);
    println!("| Compression | Filter | CPU µs | bytes |\n| --- | --- | ---: | ---: |");
    for (level, compression) in LEVELS {
        for (filter, how) in FILTERS {
            let (time, bytes) = measured(&pictures, compression, how)?;
            let an_image = |sum: f64| sum / pictures.len() as f64;
            let (time, bytes) = (an_image(time.as_secs_f64() * 1e6), an_image(bytes as f64));
            println!("| {level} | {filter} | {time:.0} | {bytes:.0} |");
        }
    }
    Ok(())
}

/// The PNG files in a folder and its folders.
fn pngs(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(pngs(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "png") {
            files.push(path);
        }
    }
    Ok(files)
}

fn read(path: &PathBuf) -> Result<RgbImage, image::ImageError> {
    Ok(image::open(path)?.into_rgb8())
}

/// The least CPU time for all pictures, and their bytes.
fn measured(
    pictures: &[RgbImage],
    compression: CompressionType,
    filter: FilterType,
) -> Result<(Duration, usize), Box<dyn Error>> {
    let encoded = |picture: &RgbImage| -> Result<Vec<u8>, image::ImageError> {
        let mut bytes = Vec::new();
        let encoder = PngEncoder::new_with_quality(&mut bytes, compression, filter);
        picture.write_with_encoder(encoder)?;
        Ok(bytes)
    };
    let (mut least, mut bytes) = (Duration::MAX, 0);
    for _ in 0..TRIALS {
        let clock = ProcessTime::now();
        let files = pictures.iter().map(encoded).collect::<Result<Vec<_>, _>>()?;
        least = least.min(clock.elapsed());
        bytes = files.iter().map(Vec::len).sum();
        for (file, picture) in files.iter().zip(pictures) {
            if image::load_from_memory(file)?.into_rgb8() != *picture {
                return Err("an encoder changed the pixels".into());
            }
        }
    }
    Ok((least, bytes))
}
