//! What a page is called.

use crate::document::{Report, Source};
use crate::text::Language;
use burncam_record::Run;

/// How many data folders are named.
const NAMED: usize = 3;

/// The name of a run's data folder; nothing where its path ends in none, as `.` does.
pub(super) fn folder_name(run: &Run) -> Option<&str> {
    let windows = run.platform.os == "windows";
    let is_separator = |c: char| c == '/' || (windows && c == '\\');
    let name = run.data.path.rsplit(is_separator).find(|part| !matches!(*part, "" | "."))?;
    let is_drive = windows && name.ends_with(':');
    (!matches!(name, ".." | "~") && !is_drive).then_some(name)
}

/// The data folder's name as it is shown.
fn data(source: &Source) -> &str {
    let name = source.data.as_deref().or_else(|| folder_name(&source.run));
    name.unwrap_or(&source.run.data.path)
}

/// The title that was asked for, or one with the names of the data folders.
pub(super) fn title(report: &Report<'_>, language: Language) -> String {
    if let Some(title) = &report.settings.title {
        return title.clone();
    }
    let mut names: Vec<&str> = Vec::new();
    for name in report.runs.iter().map(data) {
        if names.len() <= NAMED && !names.contains(&name) {
            names.push(name);
        }
    }
    let more = if names.len() > NAMED { ", …" } else { "" };
    names.truncate(NAMED);
    let names = names.join(", ") + more;
    language.say("title", &[("data", &names)]).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests;

    #[test]
    fn the_data_folder_is_named_not_its_path() {
        let mut report = tests::report(&["NCNN"], &["A"], ["Pain", "No_pain"]);
        for (os, path, expected) in [
            ("linux", "/home/ana/faces", "faces"),
            ("linux", "faces/./", "faces"),
            ("linux", r"faces\a", r"faces\a"),
            ("windows", r"C:\Users\ana\faces\", "faces"),
            ("linux", ".", "."),
            ("windows", r"D:\", r"D:\"),
        ] {
            let run = &mut report.runs[0].run;
            (run.platform.os, run.data.path) = (os.to_owned(), path.to_owned());
            let title = title(&report, Language::English);
            assert_eq!(title, format!("What the networks looked at: {expected}"), "{path}");
        }
        report.runs[0].data = Some("scans".to_owned());
        assert!(title(&report, Language::Portuguese).ends_with(": scans"));
        let other = |name: &str| Source { data: Some(name.to_owned()), ..report.runs[0].clone() };
        report.runs = ["a", "b", "a", "c", "d"].map(other).into();
        assert!(title(&report, Language::English).ends_with(": a, b, c, …"));
        report.settings.title = Some("Unit 3".to_owned());
        assert_eq!(title(&report, Language::English), "Unit 3");
    }
}
