//! The pages of finished runs again, or as one.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use burncam_page::{
    Source, compute, count_missing_parts, merge, missing_parts, parts, read_report, unfinished_runs,
};
use burncam_record::JOURNAL;

use super::{Subject, finish, set_trust, shards as one_run, tables, warn_of};
use crate::relative_path::relative;
use crate::version;
use crate::{JoinOptions, Message, Observer};

/// Where a page of several runs goes unless it is said.
const OUT: &str = "burncam-report";

/// What tells that a folder holds a report, or a run that has none.
const RESULTS: [&str; 4] = ["report.json", "predictions.csv", "failures.csv", JOURNAL];

/// A page that was made of finished runs.
pub struct JoinedRuns {
    /// The page.
    pub page: PathBuf,
    /// The number of runs.
    pub runs: usize,
    /// The number of models.
    pub models: usize,
    /// The number of images.
    pub images: usize,
    /// Whether it lacks images that whole runs would have.
    pub is_partial: bool,
}

/// Rebuilds the page of one run, or joins several.
///
/// # Errors
///
/// If a folder holds no run, runs do not belong together, or the page cannot be written.
pub fn join(args: &JoinOptions, observer: &dyn Observer) -> Result<JoinedRuns> {
    let out = match (&args.out, args.runs.as_slice()) {
        (Some(out), _) => out.clone(),
        (None, [run]) => run.clone(),
        (None, _) => PathBuf::from(OUT),
    };
    let mut known: Vec<(PathBuf, &Path)> = Vec::new();
    for run in &args.runs {
        let folder = real(run)?;
        match known.iter().find(|(other, _)| *other == folder) {
            Some((_, name)) if *name == run => bail!("{} is given twice", run.display()),
            Some((_, name)) => {
                bail!("{} and {} are the same folder, given twice", name.display(), run.display())
            }
            None => known.push((folder, run)),
        }
        if !run.join("report.json").is_file() {
            let hint = match run.join(JOURNAL).is_file() {
                true => {
                    "its run is unfinished or has no report: the same `explain` with --resume goes on \
                         with it"
                }
                false => "give the output folders of `explain`",
            };
            bail!("{} holds no report.json\nhint: {hint}", run.display());
        }
    }
    std::fs::create_dir_all(&out)
        .with_context(|| format!("cannot make the folder {}", out.display()))?;
    let here = real(&out)?;
    let mut reports = Vec::new();
    for run in &args.runs {
        let folder = real(run)?;
        let path = run.join("report.json");
        if args.runs.len() > 1 && folder == here {
            bail!(
                "the page of several runs would replace that of {}\nhint: choose another --out",
                run.display()
            );
        }
        reports.push((relative(&here, &folder), read_report(&path)?));
    }
    let in_place = args.runs.len() == 1 && real(&args.runs[0])? == here;
    let earlier = RESULTS.iter().find(|name| out.join(name).symlink_metadata().is_ok());
    if let Some(earlier) = earlier.filter(|_| !in_place && !args.overwrite) {
        bail!(
            "{} already holds {earlier}\nhint: choose another --out, or pass --overwrite to replace it",
            out.display()
        );
    }
    version::warn_of_others(&others(&args.runs, &reports), observer);
    one_run::check(&args.runs, &reports)?;
    let joined = args.runs.iter().zip(&reports).find(|(_, (_, one))| one.runs.len() != 1);
    let joined = joined.map(|(run, _)| run.display().to_string());
    let all_whole = reports.iter().all(|(_, report)| one_run::is_joined_whole(report));
    let mut report = merge(reports)?;
    if let Some(positive) = &args.page.positive {
        report.settings.positive = Some(positive.clone());
    }
    if let Some(title) = &args.page.title {
        report.settings.title = Some(title.clone()).filter(|title| !title.trim().is_empty());
    }
    if let Some(seed) = args.page.seed {
        report.settings.resampling.seed = seed;
    }
    if let Some(rule) = &args.page.subject {
        if matches!(rule, Subject::Column(_)) {
            bail!(
                "--subject {rule} is for `explain`, which reads the label file\nhint: a regular \
                 expression with one group works here too"
            );
        }
        let read = rule.reader(None)?;
        report.settings.subject = Some(rule.to_string());
        report.images.name_subjects(read);
        let mut unknown = Vec::new();
        for image in report.images.plain() {
            let image = image?;
            if image.subject.is_none() {
                unknown.push(image.path);
            }
        }
        warn_of(rule, &unknown, observer);
    }
    compute(&mut report)?;
    if args.runs.len() > 1 && !all_whole && parts(&report).is_some() {
        if let Some(joined) = joined {
            bail!(
                "{joined} is itself joined of several runs, whose tables it cannot give again\n\
                 hint: give the folders of all parts at once"
            );
        }
        let trust = tables::write(&out, &args.runs, &report)?;
        set_trust(&mut report, &trust);
    }
    let page = finish(&out, &mut report, &args.page, observer)?;
    let (runs, models, images) = (report.runs.len(), report.models.len(), report.images.len());
    let is_partial = tell_missing(&report, observer);
    Ok(JoinedRuns { page, runs, models, images, is_partial })
}

/// The runs of another Burncam than this one.
fn others(runs: &[PathBuf], reports: &[(String, burncam_page::Report<'_>)]) -> Vec<String> {
    let sources = runs
        .iter()
        .zip(reports)
        .flat_map(|(folder, (_, report))| report.runs.iter().map(move |source| (folder, source)));
    let other = |(folder, source): (&PathBuf, &Source)| {
        let inner = if source.folder == "." { folder.clone() } else { folder.join(&source.folder) };
        Some(format!("{}: {}", inner.display(), version::other(&source.run)?))
    };
    sources.filter_map(other).collect()
}

/// Warns of images that a whole run would have; whether there are any.
fn tell_missing(report: &burncam_page::Report<'_>, observer: &dyn Observer) -> bool {
    let missing = missing_parts(report);
    if !missing.is_empty() {
        let count = count_missing_parts(report);
        let text = match count == missing.len() {
            true => Message::new(
                "parts of the images are not in the report:",
                "partes das imagens não estão no relatório:",
            ),
            false => Message::new(
                format!("{count} parts of the images are not in the report, among them:"),
                format!("{count} partes das imagens não estão no relatório, entre elas:"),
            ),
        };
        observer.warning(text, &missing);
    }
    let unfinished = unfinished_runs(report);
    let line = |&(folder, done, all): &(&str, usize, usize)| format!("{folder}: {done} of {all}");
    if !unfinished.is_empty() {
        let text = Message::new(
            "runs that are unfinished, with the results that they have (the same `explain` with \
             --resume goes on with them):",
            "execuções inacabadas, com os resultados que têm (o mesmo `explain` com --resume as \
             continua):",
        );
        observer.warning(text, &unfinished.iter().map(line).collect::<Vec<_>>());
    }
    !missing.is_empty() || !unfinished.is_empty()
}

fn real(path: &Path) -> Result<PathBuf> {
    path.canonicalize().with_context(|| format!("cannot open the folder {}", path.display()))
}
