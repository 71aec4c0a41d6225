//! The arguments of `figure`.

use std::path::PathBuf;

use burncam_page::Language;
use burncam_render::Colormap;
use clap::{Args, ValueHint};

use super::examples::FIGURE_EXAMPLES;

/// Make a figure for a paper: images and maps, mean maps, or curves.
///
/// Reads the report.json that `explain` left in an output folder. Rows are images, columns the original and maps; under
/// each map are the predicted class, the confidence, and whether it is right. Without --images the figure shows the four
/// images that the page shows first: the most confident right and wrong predictions, one on which networks disagree, and one with
/// a map that must not be read; without --columns the original and the first explanation of each network.
///
/// SVG, PDF and PNG are made from one description. In PDF text is text, and its font is embedded; in SVG it is outlines.
/// Pictures have their own pixels, if the images are still where they were explained, or in --data; else they are the
/// page's small ones.
#[derive(Args, Debug)]
#[command(after_long_help = FIGURE_EXAMPLES)]
pub(crate) struct Figure {
    /// An output folder of `explain` or `report`.
    #[arg(value_name = "RESULTS", value_hint = ValueHint::DirPath)]
    pub results: PathBuf,

    /// The file to write, .svg, .pdf or .png; may be given again [default: RESULTS/figure.pdf].
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Vec<PathBuf>,

    /// A file that lists images, or conditions, as outcome=wrong,fold=Fold0.
    ///
    /// A list has a path a line, or a column `path`, as predictions.csv has. Conditions with commas between them must
    /// all hold: fold, class, predicted, outcome (right, wrong, unknown), confidence (0.5..0.9), status, network,
    /// method, subject, text (part of the path) and disagree (yes, no).
    #[arg(long, value_name = "LIST|FILTER", conflicts_with_all = ["mean", "curves"])]
    pub images: Option<String>,

    /// How many images the conditions of --images choose at most, in the report's order.
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..=500), requires = "images")]
    pub first: u16,

    /// Columns, as original,VGG16:grad-cam,VGG16:layer-cam.
    ///
    /// A network alone stands for its first explanation, a method alone for that of every network. With --mean they are
    /// the rows.
    #[arg(long, value_name = "COLUMN,...", conflicts_with = "curves")]
    pub columns: Option<String>,

    /// Mean maps: columns are classes and outcomes, rows explanations.
    #[arg(long, conflicts_with = "curves")]
    pub mean: bool,

    /// ROC curves and reliability of all networks; deletion, insertion and ROAD, where they were measured.
    #[arg(long)]
    pub curves: bool,

    /// The folder of the images, where it has moved.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data: Option<PathBuf>,

    /// The figure's width in millimetres [default: what it needs, at most 180].
    #[arg(long, value_name = "MM", value_parser = width)]
    pub width: Option<f32>,

    /// Pixels an inch of a PNG.
    #[arg(long, value_name = "DPI", default_value_t = 300.0, value_parser = dpi)]
    pub dpi: f32,

    /// The colours: viridis, magma, turbo or jet. Signed maps have their own.
    #[arg(long, value_name = "MAP", default_value_t = Colormap::Viridis, hide_short_help = true)]
    pub colormap: Colormap,

    /// A title above the figure.
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,

    /// A font file, .ttf or .otf, for all text.
    ///
    /// It is embedded in PDF. Characters that it lacks are those of the program's own font, Inter; without it, all are.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub font: Option<PathBuf>,

    /// The language of the figure: en or pt-BR (pt).
    #[arg(long, value_name = "LANG", default_value_t)]
    pub lang: Language,
}

fn width(text: &str) -> Result<f32, String> {
    between(text, 30.0, 1000.0, "millimetres")
}

fn dpi(text: &str) -> Result<f32, String> {
    between(text, 36.0, 2400.0, "pixels an inch")
}

fn between(text: &str, least: f32, most: f32, what: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if (least..=most).contains(&value) => Ok(value),
        _ => Err(format!("{least} to {most} {what} are possible")),
    }
}
