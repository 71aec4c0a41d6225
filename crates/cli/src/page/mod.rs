//! The page at the end of a run, and of several runs together.

mod merge;
mod parts;
mod subject;
mod tables;

use std::path::{Path, PathBuf};

use anyhow::Result;
use burncam_report::page::{
    Language, MOST_COMPARED, Report, Settings, Source, compute, gather, index_html, report_json,
};
use burncam_report::statistics::Resampling;
use burncam_report::{Predictions, Run, write_atomic_with};
use clap::Args;

use crate::console::{self, Message, counted};
use crate::data::Image;

pub(crate) use merge::run;
pub(crate) use subject::{LabelFile, Subject};

/// What the page is asked for.
#[derive(Args, Debug, Clone)]
pub(crate) struct PageOptions {
    /// The page's title [default: the name of the data folder].
    ///
    /// Where reports are made again or joined it is that of the first. An empty one takes an earlier one away.
    #[arg(long, value_name = "TEXT", help_heading = "Report")]
    pub title: Option<String>,

    /// The class that the measures are about.
    ///
    /// Sensitivity, specificity, AUC, F1 and Brier score are about it [default: Pain where there is one, else the
    /// first of two classes].
    #[arg(long, value_name = "CLASS", help_heading = "Report")]
    pub positive: Option<String>,

    /// Whom each image shows, as '(S[0-9]+)_' or column:NAME.
    ///
    /// A regular expression with one group, found in the image's path; or a column of the label file. Images of one
    /// subject are alike, and confidence intervals are then made over subjects.
    #[arg(long, value_name = "REGEX|column:NAME", help_heading = "Report")]
    pub subject: Option<Subject>,

    /// The language of page and messages: en or pt-BR (pt).
    ///
    /// Errors are English.
    #[arg(long, value_name = "LANG", default_value_t, help_heading = "Report")]
    pub lang: Language,

    /// Where the random draws of the confidence intervals begin [default: 1].
    ///
    /// Where reports are made again or joined it is that of the first.
    #[arg(long, value_name = "N", help_heading = "Report")]
    pub seed: Option<u64>,
}

impl PageOptions {
    /// What the report records of them.
    fn settings(&self) -> Settings {
        let resampling = Resampling::default();
        Settings {
            positive: self.positive.clone(),
            subject: self.subject.as_ref().map(ToString::to_string),
            title: self.title.clone().filter(|title| !title.trim().is_empty()),
            resampling: Resampling { seed: self.seed.unwrap_or(resampling.seed), ..resampling },
        }
    }
}

/// Writes the page of a run and the numbers behind it; gives the page's path.
pub(crate) fn write(
    out: &Path,
    options: &PageOptions,
    run: Run,
    tables: &[Predictions<'_>],
    subjects: &[(String, String)],
) -> Result<PathBuf> {
    let subject = |path: &str| {
        let found = subjects.binary_search_by(|(known, _)| known.as_str().cmp(path)).ok()?;
        Some(subjects[found].1.clone())
    };
    let mut report = gather(run, tables, options.settings(), subject)?;
    report.runs.iter_mut().for_each(name_data);
    compute(&mut report)?;
    finish(out, &mut report, options.lang)
}

/// Names the data folder of a run that is given as `.` or the like.
fn name_data(source: &mut Source) {
    let path = Path::new(&source.run.data.path);
    if path.file_name().is_none() {
        let real = path.canonicalize().ok();
        let name = real.as_deref().and_then(Path::file_name);
        source.data = name.map(|name| name.to_string_lossy().into_owned());
    }
}

/// Whom the images show, by path; warns of those of which it is not known.
pub(crate) fn subjects(
    options: &PageOptions,
    images: &[Image],
    labels: Option<LabelFile<'_>>,
) -> Result<Vec<(String, String)>> {
    let Some(rule) = &options.subject else { return Ok(Vec::new()) };
    let read = rule.reader(labels)?;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for image in images {
        match read(&image.path) {
            Some(subject) => known.push((image.path.clone(), subject)),
            None => unknown.push(image.path.clone()),
        }
    }
    warn_of(rule, &unknown);
    known.sort();
    Ok(known)
}

fn warn_of(rule: &Subject, unknown: &[String]) {
    if !unknown.is_empty() {
        let count = unknown.len();
        let text = Message::new(
            format!(
                "no subject for {} by `--subject {rule}`; confidence intervals are made over images:",
                console::images(count)
            ),
            format!(
                "sem sujeito para {} por `--subject {rule}`; os intervalos de confiança são sobre imagens:",
                counted(count, "imagem", "imagens")
            ),
        );
        console::warning(text, unknown);
    }
}

fn finish(out: &Path, report: &mut Report<'_>, language: Language) -> Result<PathBuf> {
    let home = std::env::home_dir();
    report.hide_homes(home.as_deref().and_then(Path::to_str));
    write_atomic_with(&out.join("report.json"), |to| report_json(&*report, to))?;
    let page = out.join("index.html");
    write_atomic_with(&page, |to| index_html(&*report, language, to))?;
    if !report.is_compared() {
        let models = report.models.len();
        let text = Message::new(
            format!(
                "there are {models} models, and pairs of models are compared where there are at most \
                 {MOST_COMPARED}: the page lists them without"
            ),
            format!(
                "há {models} modelos, e pares de modelos são comparados até {MOST_COMPARED}: a página os \
                 lista sem comparação"
            ),
        );
        console::warning(text, &[]);
    }
    if let Some(asked) = &report.settings.positive {
        let without = report.models.iter().filter(|model| model.positive.is_none());
        let names: Vec<String> = without.map(|model| model.name.clone()).collect();
        if !names.is_empty() {
            let text = Message::new(
                format!("--positive: there is no class `{asked}` in"),
                format!("--positive: não há classe `{asked}` em"),
            );
            console::warning(text, &names);
        }
    }
    Ok(page)
}
