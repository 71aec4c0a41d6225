//! `burncam figure`: a figure for a paper, of a finished run.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use burncam_figure::{
    Look, Scene, Typeface, columns, curves, images, mean_maps, panel, pdf, png, svg,
};
use burncam_imaging::{DecodeOptions, Exif, RgbImage, decode};
use burncam_page::{ImageReport, Report, read_report};
use burncam_record::write_atomic;
use burncam_run::{Message, read_record};

use crate::args::Figure;
use crate::console;

/// The file that is written unless others are asked for.
const FILE: &str = "figure.pdf";

/// Makes a figure and writes it in each format that is asked for.
pub(crate) fn run(args: &Figure) -> Result<ExitCode> {
    console::speak(args.lang);
    let out = match args.out.as_slice() {
        [] => vec![args.results.join(FILE)],
        some => some.to_vec(),
    };
    let formats: Vec<Format> =
        out.iter().map(|path| Format::from_name(path)).collect::<Result<_>>()?;
    let report = report(&args.results)?;
    let look = Look {
        language: args.lang,
        width: args.width,
        colormap: args.colormap,
        title: args.title.clone(),
        typeface: args.font.as_deref().map(Typeface::read).transpose()?.unwrap_or_default(),
    };
    let scene = scene(args, &report, &look)?;
    for (path, format) in out.iter().zip(formats) {
        let bytes = match format {
            Format::Svg => svg(&scene).into_bytes(),
            Format::Pdf => pdf(&scene)?,
            Format::Png => png(&scene, args.dpi)?,
        };
        write_atomic(path, &bytes)?;
        console::figure(path, scene.width, scene.height);
    }
    Ok(ExitCode::SUCCESS)
}

fn report(results: &Path) -> Result<Report<'static>> {
    let path = results.join("report.json");
    if !path.is_file() {
        bail!(
            "{} holds no report.json\nhint: figures are made of an output folder of `explain`, `evaluate` or `report`",
            results.display()
        );
    }
    Ok(read_report(&path)?)
}

fn scene(args: &Figure, report: &Report<'_>, look: &Look) -> Result<Scene> {
    if args.curves {
        return Ok(curves(report, look)?);
    }
    if args.mean {
        let asked =
            args.columns.as_deref().map(|asked| columns(report, Some(asked))).transpose()?;
        return Ok(mean_maps(report, asked.as_deref(), look)?);
    }
    let columns = columns(report, args.columns.as_deref())?;
    let rows = images(report, args.images.as_deref(), args.first.into())?;
    let mut folders: BTreeMap<usize, Option<Folder>> = BTreeMap::new();
    let mut small: Vec<String> = Vec::new();
    let scene = panel(report, &rows, &columns, look, &mut |image| {
        let run = image.results.first()?.run;
        let folder = folders
            .entry(run)
            .or_insert_with(|| Folder::of_run(&args.results, report, run, args.data.as_deref()));
        let own = folder.as_ref().and_then(|folder| folder.photograph(image));
        own.or_else(|| {
            small.push(image.path.clone());
            thumbnail(&args.results, report, image)
        })
    })?;
    if !small.is_empty() {
        console::warning(
            Message::new(
                "the page's small pictures stand in the figure for images that are not found\n\
                 hint: --data DIR says where the images are",
                "as imagens pequenas da página estão na figura no lugar de imagens não encontradas\n\
                 hint: --data DIR diz onde as imagens estão",
            ),
            &small,
        );
    }
    Ok(scene)
}

#[derive(Clone, Copy)]
enum Format {
    Svg,
    Pdf,
    Png,
}

impl Format {
    fn from_name(path: &Path) -> Result<Self> {
        let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        match ending.to_ascii_lowercase().as_str() {
            "svg" => Ok(Self::Svg),
            "pdf" => Ok(Self::Pdf),
            "png" => Ok(Self::Png),
            _ => bail!(
                "{}: a figure is .svg, .pdf or .png\nhint: the name's ending says which",
                path.display()
            ),
        }
    }
}

/// Where the images of a run are, and how they are decoded.
struct Folder {
    data: PathBuf,
    options: DecodeOptions,
}

impl Folder {
    fn of_run(
        results: &Path,
        report: &Report<'_>,
        run: usize,
        data: Option<&Path>,
    ) -> Option<Self> {
        let folder = results.join(&report.runs.get(run)?.folder);
        // `report.json` does not say where the images are, since it is sent to others.
        let record = read_record(&folder.join("run.json"));
        let turned = record.as_ref().is_some_and(|run| run.options.exif == Exif::Apply.name());
        let exif = if turned { Exif::Apply } else { Exif::Ignore };
        let own = record.map(|run| folder.join(run.working_folder).join(run.data.path));
        let data = data.map(Path::to_owned).or(own)?;
        Some(Self { data, options: DecodeOptions { exif, ..DecodeOptions::default() } })
    }

    fn photograph(&self, image: &ImageReport) -> Option<RgbImage> {
        // A run of one image has the file for its data folder.
        let path =
            if self.data.is_file() { self.data.clone() } else { self.data.join(&image.path) };
        decode(&path, self.options).ok().map(|image| RgbImage::clone(&image))
    }
}

/// The image as the page has it: the first of the three parts of a small picture.
fn thumbnail(results: &Path, report: &Report<'_>, image: &ImageReport) -> Option<RgbImage> {
    let all = image.results.iter().flat_map(|result| {
        let maps = result.attributions.iter().filter_map(|map| map.thumbnail.as_ref());
        maps.map(|path| (result.run, path))
    });
    let path = |(run, path): (usize, &String)| {
        Some(results.join(&report.runs.get(run)?.folder).join(path))
    };
    let strip =
        all.filter_map(path).find_map(|path| decode(&path, DecodeOptions::default()).ok())?;
    let (width, height) = strip.dimensions();
    let part = |x, y| *strip.get_pixel(x, y);
    (width >= 3).then(|| RgbImage::from_fn(width / 3, height, part))
}
