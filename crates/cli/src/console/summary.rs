//! What a run ends with: how each model did, and where the results are.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use burncam_attribution::MapStatus;
use burncam_evaluation::{Peaks, Values};
use burncam_page::{Language, swapped_sentence};
use burncam_record::{ExplanationSpec, FoldScore, Summary, Tree};

use super::harmless::{harmless, on_one_line};
use burncam_run::{counted, images};

use super::{list_in, say};

/// How a model did, in one sentence.
pub(crate) struct Head<'a> {
    /// Images with a result, and all.
    pub explained: usize,
    /// All images.
    pub images: usize,
    /// The model's name.
    pub model: &'a str,
    /// Its classes, in the order of the network's outputs.
    pub classes: &'a [String],
    /// What it is.
    pub variant: &'a str,
    /// How its images are explained.
    pub explanations: &'a [ExplanationSpec],
    /// What it was computed on.
    pub devices: &'a [&'a str],
    /// How long it took.
    pub seconds: f64,
}

impl Head<'_> {
    fn say(&self, language: Language) -> String {
        let rate = self.explained as f64 / self.seconds.max(1e-9);
        let and = format!(" {} ", say(language, "console_and", &[]));
        say(
            language,
            "console_head",
            &[
                ("explained", &self.explained.to_string()),
                ("images", &count(language, "image", self.images)),
                ("model", self.model),
                ("variant", self.variant),
                ("layer", &self.layers()),
                ("device", &self.devices.join(&and)),
                ("seconds", &language.number(self.seconds, 1)),
                ("rate", &language.number(rate, 1)),
            ],
        )
    }
}

impl Head<'_> {
    /// All layers, each once.
    fn layers(&self) -> String {
        let mut layers: Vec<&str> = Vec::new();
        for layer in self.explanations.iter().flat_map(|one| &one.layers) {
            if !layers.contains(&layer.as_str()) {
                layers.push(layer);
            }
        }
        layers.join(", ")
    }

    /// The title of an explanation, where there are several.
    fn title(&self, name: &str) -> Option<&str> {
        let own = self.explanations.iter().find(|one| one.name == name);
        own.filter(|_| self.explanations.len() > 1).map(|one| one.title.as_str())
    }

    /// What the values of an explanation's maps mean.
    fn values(&self, name: &str) -> Values {
        let own = self.explanations.iter().find(|one| one.name == name);
        own.map(|one| one.values).unwrap_or_default()
    }
}

/// `1 image`, `3 maps`, in the language.
fn count(language: Language, what: &str, number: usize) -> String {
    match number {
        1 => say(language, &format!("one_{what}"), &[]),
        _ => say(language, &format!("many_{what}s"), &[("n", &number.to_string())]),
    }
}

/// Prints a model's accuracy in all and by fold, whether its classes seem to have each other's names,
/// the maps that cannot be read or peak at the border, and the images that failed, the first of them by path and reason. `clean` is whether overlays are clean ones.
pub(crate) fn summary(
    language: Language,
    head: &Head<'_>,
    summary: &Summary,
    failed: &[(String, String)],
    clean: bool,
) {
    out!("{}\n", head.say(language));
    out!("{}", score_table(language, summary).trim_end());
    if let ([first, second], Some(found)) = (head.classes, summary.swapped_names(head.classes)) {
        out!("\n{}", swapped_sentence(head.model, [first, second], found, language));
    }
    for (name, maps) in &summary.maps {
        let title = head.title(name).map_or(String::new(), |title| format!("{title}: "));
        if maps.by_status.keys().any(|status| status != MapStatus::Ok.name()) {
            out!("");
        }
        let unreadable = MapStatus::ALL.into_iter().filter(|status| *status != MapStatus::Ok);
        for status in unreadable {
            if let Some(maps) = maps.by_status.get(status.name()) {
                out!("{title}{}: {status}", count(language, "map", *maps));
                out!("  {}", say(language, &format!("console_{status}"), &[]));
                let crossed = clean || head.values(name) != Values::Positive;
                let overlay = if crossed { "console_crossed" } else { "console_blue" };
                out!("  {}", say(language, overlay, &[]));
            }
        }
        if maps.peaks.are_notable() {
            out!("\n{title}{}", peaks(language, &maps.peaks));
        }
    }
    if !failed.is_empty() {
        let all = summary.total.failed;
        let images = count(language, "image", all);
        out!("{}", say(language, "console_failed", &[("images", &images)]));
        let failed: Vec<String> =
            failed.iter().map(|(path, reason)| format!("{path}: {reason}")).collect();
        list_in(language, &failed, all, |line| out!("{line}"));
    }
    out!("");
}

/// How many maps peak in a border cell, in a sentence.
fn peaks(language: Language, peaks: &Peaks) -> String {
    let share = language.number(peaks.border_cells * 100.0, 0);
    say(
        language,
        "console_peaks",
        &[
            ("border", &peaks.border.to_string()),
            ("maps", &peaks.maps.to_string()),
            ("share", &format!("{share} %")),
        ],
    )
}

/// Prints where the results are.
pub(crate) fn places(
    language: Language,
    out: &Path,
    trees: &[Tree],
    failed: bool,
    (measured, page): (bool, Option<&Path>),
) {
    let place = |path: PathBuf, key: &str| {
        out!("  {}\n      {}", path.display(), say(language, key, &[]));
    };
    out!("{}", say(language, "console_results", &[("out", &out.display().to_string())]));
    if let [tree] = trees {
        place(tree.root().join("All"), "console_overlays");
        place(tree.csv_path(), "console_csv");
    } else {
        for tree in trees {
            place(tree.root().to_owned(), "console_tree");
        }
    }
    place(out.join("predictions.csv"), "console_predictions");
    if trees.len() > 1 {
        place(out.join("maps.csv"), "console_maps");
    }
    if measured {
        place(out.join("measures.csv"), "console_measures");
        place(out.join("measures.json"), "console_assessments");
    }
    if failed {
        place(out.join("failures.csv"), "console_failures");
    }
    place(out.join("run.json"), "console_run");
    if let Some(page) = page {
        place(page.to_owned(), "console_page");
    }
}

/// Prints where a page of finished runs is.
pub(crate) fn report(page: &Path, runs: usize, models: usize, count: usize) {
    let (runs, models) = (counted(runs, "run", "runs"), counted(models, "model", "models"));
    out!("{runs}, {models}, {}.\n  {}", images(count), page.display());
}

/// Prints where a figure is, and its size in millimetres.
pub(crate) fn figure(path: &Path, width: f32, height: f32) {
    out!("{}: {width:.0} × {height:.0} mm", path.display());
}

fn score_table(language: Language, summary: &Summary) -> String {
    let name = |score: &FoldScore| on_one_line(&score.fold).chars().count();
    let all = FoldScore { fold: say(language, "console_all", &[]), ..summary.total.clone() };
    let scores = || summary.folds.iter().chain([&all]);
    let width = scores().map(name).max().unwrap_or(0).max(4);
    let heading = say(language, "console_table", &[]);
    // Two spaces part the columns, since a heading may hold one.
    let widths: Vec<usize> = heading.split("  ").map(|column| column.chars().count()).collect();
    let mut table = format!("{:width$}  {heading}\n", "fold");
    for score in scores() {
        let counts = [score.images, score.right, score.wrong, score.unknown, score.failed];
        let accuracy = score.accuracy.map_or("-".to_owned(), |accuracy| {
            format!("{} %", language.number(accuracy * 100.0, 1))
        });
        let cells = counts.map(|count| count.to_string()).into_iter().chain([accuracy]);
        let _ = write!(table, "{:width$}", on_one_line(&score.fold));
        for (cell, width) in cells.zip(&widths) {
            let _ = write!(table, "  {cell:>width$}");
        }
        table.push('\n');
    }
    table
}
