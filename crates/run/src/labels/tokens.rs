//! Classes from file names: the notebook's rule, and whole words.

use crate::data::{Image, stem};

/// Words of No_pain in a file name, read as whole words in any case.
const NO_PAIN: [&str; 2] = ["sem", "rest"];

/// iCOPE's stimuli that are not painful; the notebook takes them for Pain.
const ICOPE_NO_PAIN: [&str; 3] = ["cry", "air", "friction"];

/// Whether the notebook takes this name for No_pain: `sem` or `rest` anywhere, in small letters.
pub(super) fn notebook(name: &str) -> bool {
    name.contains("sem") || name.contains("rest")
}

/// The images where reading whole words, in any case, gives another class than the notebook's
/// rule, each with a sentence.
pub fn notebook_doubts(images: &[Image]) -> Vec<String> {
    let doubt = |image: &Image| {
        let has = |words: &[&str]| words.iter().any(|word| contains_word(&image.name, word));
        let read = has(&NO_PAIN) || has(&ICOPE_NO_PAIN);
        let class = |no_pain| if no_pain { "No_pain" } else { "Pain" };
        (read != notebook(&image.name)).then(|| {
            let (taken, read) = (class(!read), class(read));
            format!("{}: taken for {taken}, whole words say {read}", image.path)
        })
    };
    images.iter().filter_map(doubt).collect()
}

/// The first class one of whose words stands in the name.
pub(super) fn first_match(name: &str, rules: &[(usize, &[String])]) -> Option<usize> {
    let fits = |words: &[String]| words.iter().any(|word| contains_word(name, word));
    rules.iter().find(|(_, words)| fits(words)).map(|(class, _)| *class)
}

/// `tokens:No_pain=sem,rest;Pain=dor`.
pub(super) fn parse(text: &str) -> Result<Vec<(String, Vec<String>)>, String> {
    let rules = text.strip_prefix("tokens:").unwrap_or(text);
    let one = |rule: &str| {
        let (class, words) = rule.split_once('=').ok_or_else(|| {
            format!("`{rule}` has no `=`; write `tokens:No_pain=sem,rest;Pain=dor,stick`")
        })?;
        let words: Vec<String> =
            words.split(',').map(str::trim).filter(|w| !w.is_empty()).map(str::to_owned).collect();
        if let Some(word) = words.iter().find(|word| word.contains('=')) {
            return Err(format!("`{word}` has a `=`; classes are separated by `;`, words by `,`"));
        }
        if let Some(word) = words.iter().find(|word| runs(word, false).is_empty()) {
            return Err(format!("the word `{word}` has neither letters nor digits"));
        }
        match (class.trim(), words.is_empty()) {
            ("", _) => Err(format!("`{rule}` has no class before `=`")),
            (class, true) => Err(format!("class `{class}` has no words after `=`")),
            (class, false) => Ok((class.to_owned(), words)),
        }
    };
    rules
        .split(';')
        .filter(|rule| !rule.trim().is_empty())
        .map(one)
        .collect::<Result<_, _>>()
        .and_then(|rules: Vec<_>| match rules.is_empty() {
            true => Err("no class is given; write `tokens:No_pain=sem,rest;Pain=dor`".to_owned()),
            false => Ok(rules),
        })
}

/// Whether `word` stands in the name without its extension as a whole word: a run of letters and
/// digits, or the letters or digits alone of such a run (`rest` in `rest2`). A word of several
/// parts, such as `sem_dor`, is several runs in a row.
fn contains_word(name: &str, word: &str) -> bool {
    let name = stem(name);
    let spaced = |text: &str, split: bool| format!(" {} ", runs(text, split).join(" "));
    [false, true].iter().any(|&split| spaced(name, split).contains(&spaced(word, split)))
}

/// The runs of letters and digits in small letters; `split` parts letters from digits.
fn runs(text: &str, split: bool) -> Vec<String> {
    let mut runs: Vec<String> = Vec::new();
    let mut last: Option<char> = None;
    for letter in text.chars() {
        let joined = last.is_some_and(|last: char| {
            last.is_alphanumeric() && (!split || last.is_numeric() == letter.is_numeric())
        });
        if letter.is_alphanumeric() {
            if !joined || runs.is_empty() {
                runs.push(String::new());
            }
            if let Some(run) = runs.last_mut() {
                run.extend(letter.to_lowercase());
            }
        }
        last = Some(letter);
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole_and_caseless() {
        for (name, word, found) in [
            ("U07_SEM_DOR.PNG", "sem", true),
            ("assembly_dor.png", "sem", false),
            ("forest_dor.png", "rest", false),
            ("C03_rest_2.jpg", "rest", true),
            ("C03-rest2.jpg", "rest", true),
            ("P1_x.png", "p1", true),
            ("a.png_copia_dor.png", "png", true),
            ("a.png", "png", false),
            ("S01_sem_dor_01.png", "sem_dor", true),
            ("S01_sem_dor_01.png", "dor sem", false),
            ("S01_sem_dora_01.png", "sem_dor", false),
        ] {
            assert_eq!(contains_word(name, word), found, "{word} in {name}");
        }
    }

    #[test]
    fn the_first_class_that_fits_wins() {
        let rules = parse("tokens:No_pain=sem,rest;Pain=dor,stick").expect("a valid rule");
        let rules: Vec<_> =
            rules.iter().enumerate().map(|(i, (_, words))| (i, words.as_slice())).collect();
        assert_eq!(first_match("S01_sem_dor_01.png", &rules), Some(0));
        assert_eq!(first_match("S02_DOR_01.png", &rules), Some(1));
        assert_eq!(first_match("S02_air_01.png", &rules), None);
    }

    #[test]
    fn malformed_rules_say_what_is_missing() {
        for (rule, says) in [
            ("tokens:", "no class"),
            ("tokens:Pain", "no `=`"),
            ("tokens:=dor", "no class"),
            ("tokens:Pain= ,", "no words"),
            ("tokens:Pain=dor,No_pain=sem", "separated by `;`"),
            ("tokens:Pain=__", "neither letters"),
        ] {
            let error = parse(rule).expect_err(rule);
            assert!(error.contains(says), "{rule}: {error}");
        }
    }
}
