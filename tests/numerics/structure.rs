//! What has to be touched for a new method: its own file, and one line in a list.

use std::fs;
use std::path::{Path, PathBuf};

use burncam_attribution::METHODS;

/// Sources of the program, tests left out: each path with its text.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut sources = Vec::new();
    for folder in ["crates", "models", "xtask"] {
        collect(&root.join(folder), &mut sources);
    }
    assert!(sources.len() > 200, "{} sources", sources.len());
    sources
}

fn collect(folder: &Path, sources: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() && !["tests", "target", "examples"].contains(&name.as_str()) {
            collect(&path, sources);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            let text = fs::read_to_string(&path).expect("text");
            let program = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
            sources.push((path, program));
        }
    }
}

/// Whether a text has this word, and not only as a part of a longer one.
fn has(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// The files whose code has one of these words.
fn files_with(sources: &[(PathBuf, String)], words: &[String]) -> Vec<PathBuf> {
    let code = |text: &str| -> String {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        lines.collect::<Vec<_>>().join("\n")
    };
    let with = sources.iter().filter(|(_, text)| {
        let code = code(text);
        words.iter().any(|word| has(&code, word))
    });
    with.map(|(path, _)| path.clone()).collect()
}

#[test]
fn a_method_is_one_file_and_one_line_in_a_list() {
    let sources = sources();
    assert!(METHODS.len() > 1, "a second method");
    for method in METHODS {
        let module = method.name.replace('-', "_").replace("++", "_plus_plus");
        let literal = format!("\"{}\"", method.name);
        // `cam` is part of other names, and what it stands for in text.
        let words = match method.name {
            "cam" => vec![literal, "cam::CAM".to_owned(), "static CAM".to_owned()],
            _ => vec![module.clone(), module.to_uppercase(), literal],
        };
        let files = files_with(&sources, &words);
        let names: Vec<String> = files
            .iter()
            .map(|path| path.file_name().expect("a name").to_string_lossy().into())
            .collect();
        assert_eq!(files.len(), 2, "{files:?}");
        assert!(names.contains(&format!("{module}.rs")), "{files:?}");
        let list = files.iter().find(|path| path.ends_with("attribution/src/methods/mod.rs"));
        let (_, text) = sources.iter().find(|(path, _)| Some(path) == list).expect("the list");
        let own = [format!("mod {module};"), format!("&{module}::{},", module.to_uppercase())];
        let lines = text.lines().filter(|line| own.iter().any(|own| line.trim().ends_with(own)));
        assert_eq!(lines.count(), 2, "its module and its place in the list");
    }
}
