//! The page at the end of a run, and of several runs together.

mod merge;
mod shards;
mod subject;
mod tables;

use std::path::{Path, PathBuf};

use anyhow::Result;
use burncam_page::{
    Language, MOST_COMPARED, Report, Settings, Source, Standalone, compute, gather, index_html,
    report_json, standalone_html,
};
use burncam_record::{Predictions, Run, write_atomic_with};

use crate::data::Image;
use crate::explain::ModelTrust;
use crate::message::{Message, counted, images};
use crate::{Observer, PageOptions};

pub use merge::{JoinedRuns, join};
pub(crate) use subject::LabelFile;
pub use subject::Subject;

impl PageOptions {
    /// What the report records of them.
    fn settings(&self) -> Settings {
        Settings {
            positive: self.positive.clone(),
            subject: self.subject.as_ref().map(ToString::to_string),
            title: self.title.clone().filter(|title| !title.trim().is_empty()),
            resampling: self.resampling(),
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
    (trust, mean_face): (&[ModelTrust], Option<String>),
    observer: &dyn Observer,
) -> Result<PathBuf> {
    let subject = |path: &str| {
        let found = subjects.binary_search_by(|(known, _)| known.as_str().cmp(path)).ok()?;
        Some(subjects[found].1.clone())
    };
    let mut report = gather(run, tables, options.settings(), subject)?;
    report.runs.iter_mut().for_each(name_data);
    compute(&mut report)?;
    report.mean_face = mean_face;
    set_trust(&mut report, trust);
    finish(out, &mut report, options, observer)
}

/// Says of models, by their names, whether their maps may be believed.
fn set_trust(report: &mut Report<'_>, trust: &[ModelTrust]) {
    for one in trust {
        let own = report.models.iter_mut().filter(|model| model.name == one.model);
        own.for_each(|model| model.trust = Some(one.trust.clone()));
    }
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
    observer: &dyn Observer,
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
    warn_of(rule, &unknown, observer);
    known.sort();
    Ok(known)
}

fn warn_of(rule: &Subject, unknown: &[String], observer: &dyn Observer) {
    if !unknown.is_empty() {
        let count = unknown.len();
        let text = Message::new(
            format!(
                "no subject for {} by `--subject {rule}`; confidence intervals are made over images:",
                images(count)
            ),
            format!(
                "sem sujeito para {} por `--subject {rule}`; os intervalos de confiança são sobre imagens:",
                counted(count, "imagem", "imagens")
            ),
        );
        observer.warning(text, unknown);
    }
}

fn finish(
    out: &Path,
    report: &mut Report<'_>,
    options: &PageOptions,
    observer: &dyn Observer,
) -> Result<PathBuf> {
    let language = options.lang;
    let home = std::env::home_dir();
    report.hide_homes(home.as_deref().and_then(Path::to_str));
    write_atomic_with(&out.join("report.json"), |to| report_json(&*report, to))?;
    let page = out.join("index.html");
    write_atomic_with(&page, |to| index_html(&*report, language, to))?;
    if let Some(most) = options.standalone {
        write_standalone(out, report, (most, language), observer)?;
    }
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
        observer.warning(text, &[]);
    }
    if let Some(asked) = &report.settings.positive {
        let without = report.models.iter().filter(|model| model.positive.is_none());
        let names: Vec<String> = without.map(|model| model.name.clone()).collect();
        if !names.is_empty() {
            let text = Message::new(
                format!("--positive: there is no class `{asked}` in"),
                format!("--positive: não há classe `{asked}` em"),
            );
            observer.warning(text, &names);
        }
    }
    Ok(page)
}

/// Writes the page with its pictures in it, of so many images at most, and says how large it is before.
fn write_standalone(
    out: &Path,
    report: &Report<'_>,
    (most, language): (usize, Language),
    observer: &dyn Observer,
) -> Result<()> {
    let pictures = Standalone::plan(report, out, most)?;
    let (path, (shown, all)) = (out.join("standalone.html"), pictures.images());
    let (count, megabytes) = (pictures.pictures(), pictures.bytes() as f64 / 1e6);
    observer.note(Message::new(
        format!(
            "{} will hold {count} pictures, {megabytes:.1} MB, of {shown} of {all} images (--max-images).",
            path.display()
        ),
        format!(
            "{} terá {count} figuras, {} MB, de {shown} de {all} imagens (--max-images).",
            path.display(),
            language.number(megabytes, 1)
        ),
    ));
    Ok(write_atomic_with(&path, |to| standalone_html(report, &pictures, language, to))?)
}
