//! `--labels auto`: the rule that the names of folders and files suggest, or none.

use std::collections::BTreeSet;

use super::{Rule, tokens};
use crate::classes::{self, Known};
use crate::data::Image;
use crate::message::Message;

/// What the names have suggested.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The rule; none at all where nothing is clear.
    pub rule: Rule,
    /// Why, in the words that follow `since`.
    pub reason: Message,
    /// What else the user may do, where there is no rule.
    pub advice: Option<Message>,
}

/// Folders of the images, as far as they tell classes.
#[derive(Default)]
struct Folders<'a> {
    /// Class folders that are named after a class.
    named: BTreeSet<&'a str>,
    /// Class folders that are not.
    others: BTreeSet<&'a str>,
    /// Folds that are named after a class.
    above: BTreeSet<&'a str>,
}

/// Decides for a run of models with these classes. `by_class` are the images where each fold holds
/// class folders, `by_fold` those of the folds themselves.
pub fn decide(by_class: &[Image], by_fold: &[Image], models: &[&[String]]) -> Decision {
    let known: Vec<Known> = models.iter().map(|names| Known::new(names)).collect();
    // Folders that are called 0 and 1 are more often folds.
    let is_number = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
    let is_class = |name: &str| known.iter().any(|known| known.find(name).is_some());
    let folders = Folders::new(by_class, |name| is_class(name) && !is_number(name));
    if !folders.named.is_empty() && folders.others.is_empty() && folders.above.is_empty() {
        let (english, portuguese) = named(&folders.named);
        let reason = Message::new(
            format!("{english} after classes"),
            format!("{portuguese} nomes de classes"),
        );
        return Decision { rule: Rule::Dirs, reason, advice: None };
    }
    let partly = folders.partly();
    if partly.is_none() && knows_notebook(models) {
        let no_pain = by_fold.iter().filter(|image| tokens::notebook(&image.name)).count();
        if no_pain > 0 && no_pain < by_fold.len() {
            let reason = Message::new(
                "`sem` or `rest` in their names gives both No_pain and Pain",
                "`sem` ou `rest` nos nomes dá tanto No_pain quanto Pain",
            );
            return Decision { rule: Rule::Notebook, reason, advice: None };
        }
    }
    let reason = Message::new(
        "neither the names of folders nor the notebook's rule tell classes",
        "nem os nomes das pastas nem a regra do notebook indicam classes",
    );
    let advice = partly.or_else(|| folders.advice(models, is_class));
    Decision { rule: Rule::Unlabelled, reason, advice }
}

/// Whether a model has the notebook's classes.
fn knows_notebook(models: &[&[String]]) -> bool {
    let knows = |names: &[String], class: &str| names.iter().any(|n| n.eq_ignore_ascii_case(class));
    models.iter().any(|names| knows(names, "Pain") && knows(names, "No_pain"))
}

impl<'a> Folders<'a> {
    fn new(images: &'a [Image], is_class: impl Fn(&str) -> bool) -> Self {
        let mut folders = Self::default();
        for image in images {
            let class = image.class_folder.as_deref();
            match class {
                Some(class) if is_class(class) => folders.named.insert(class),
                Some(class) => folders.others.insert(class),
                None => false,
            };
            let on_path = image.path.split_once('/').is_some_and(|(first, _)| first == image.fold);
            if on_path && is_class(&image.fold) && !class.is_some_and(&is_class) {
                folders.above.insert(&image.fold);
            }
        }
        folders
    }

    /// What to say where only some of the folders are named after classes.
    fn partly(&self) -> Option<Message> {
        if !self.above.is_empty() {
            let (english, portuguese) = named(&self.above);
            let one = self.above.first().unwrap_or(&"Pain");
            return Some(Message::new(
                format!(
                    "{english} after classes and {} other folders inside or beside; the folder of a \
                     class holds images only and lies in --data or in a fold: {one}/a.png, \
                     Fold0/{one}/a.png",
                    if self.above.len() == 1 { "has" } else { "have" }
                ),
                format!(
                    "{portuguese} nomes de classes e outras pastas dentro ou ao lado; a pasta de uma \
                     classe só contém imagens e fica em --data ou em um fold: {one}/a.png, \
                     Fold0/{one}/a.png"
                ),
            ));
        }
        (!self.named.is_empty()).then(|| {
            let (english, portuguese) = named(&self.named);
            let others = listed(&self.others);
            Message::new(
                format!(
                    "{english} after classes, but {others} {} not; `--labels dirs` takes the class from \
                     folders all the same and leaves the images of {others} without",
                    are(&self.others)
                ),
                format!(
                    "{portuguese} nomes de classes, mas {others} não; `--labels dirs` toma a classe das \
                     pastas mesmo assim e deixa as imagens de {others} sem classe"
                ),
            )
        })
    }

    /// What to say where as many folders as a model has classes are called otherwise.
    fn advice(&self, models: &[&[String]], is_class: impl Fn(&str) -> bool) -> Option<Message> {
        let names: Vec<&str> = self.others.iter().copied().collect();
        if names.len() > 1 && names.iter().all(|name| is_class(name)) {
            let listed = listed(&self.others);
            return Some(Message::new(
                format!(
                    "the folders {listed} may be classes or folds: `--labels dirs` takes them for classes"
                ),
                format!(
                    "as pastas {listed} podem ser classes ou folds: `--labels dirs` as toma por classes"
                ),
            ));
        }
        let is_fold = |name: &&str| {
            let name = name.to_lowercase();
            name.contains("fold") || SPLITS.contains(&&*name)
        };
        let fits = names.len() > 1
            && !names.iter().any(is_fold)
            && models.iter().any(|classes| classes.len() == names.len());
        if !fits || names.len() > MOST_ADVISED || names.iter().any(|name| name.contains(',')) {
            return None;
        }
        let numbered: Vec<String> =
            names.iter().enumerate().map(|(at, name)| format!("{name} = {at}")).collect();
        let (folders, numbered) = (listed(&self.others), numbered.join(", "));
        let option = quoted(&names.join(","));
        Some(Message::new(
            format!(
                "if the folders {folders} are the classes, say in which order the network has them; \
                 loaders that sort folders, such as ImageFolder and image_dataset_from_directory, have \
                 {numbered}: then add --classes {option}"
            ),
            format!(
                "se as pastas {folders} são as classes, diga em que ordem a rede as tem; carregadores que \
                 ordenam as pastas, como ImageFolder e image_dataset_from_directory, têm {numbered}: \
                 então acrescente --classes {option}"
            ),
        ))
    }
}

/// Folders that are called so are no classes.
const SPLITS: [&str; 6] = ["train", "training", "val", "valid", "validation", "test"];

/// Classes of a command that is shown.
const MOST_ADVISED: usize = 20;

/// A shell's word.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "_-,.".contains(letter);
    if word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

fn listed(names: &BTreeSet<&str>) -> String {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    classes::listed(&names)
}

/// `the folders Pain, No_pain are named`, and the same in Portuguese.
fn named(names: &BTreeSet<&str>) -> (String, String) {
    let (all, are) = (listed(names), are(names));
    match names.len() {
        1 => (format!("the folder {all} {are} named"), format!("a pasta {all} tem")),
        _ => (format!("the folders {all} {are} named"), format!("as pastas {all} têm")),
    }
}

fn are(names: &BTreeSet<&str>) -> &'static str {
    if names.len() == 1 { "is" } else { "are" }
}

/// The warning where nothing gives true classes.
pub fn without(decision: &Decision, models: &[&[String]]) -> Message {
    let classes = models.first().map_or(String::new(), |names| classes::listed(names));
    let advice = match &decision.advice {
        Some(advice) => Message::from("; ").then(advice.clone()),
        None => Message::from(""),
    };
    let no_rule = Message::new(
        format!(
            "no true classes: no folders are named after the classes ({classes}), and the notebook's rule, \
             `sem` or `rest` in a name, does not give both of its classes; so nothing is counted as right \
             or wrong"
        ),
        format!(
            "sem classes verdadeiras: nenhuma pasta tem nome de classe ({classes}), e a regra do notebook, \
             `sem` ou `rest` no nome, não dá as duas classes; assim nada conta como certo ou errado"
        ),
    );
    no_rule.then(advice).then(Message::new(
        ". Three ways give true classes: --labels dirs, with a folder for each class in each fold; --labels \
         'tokens:No_pain=sem,rest;Pain=dor', by words of the file names; --labels labels.csv, a table of \
         images and classes",
        ". Há três maneiras de dá-las: --labels dirs, com uma pasta para cada classe em cada fold; --labels \
         'tokens:No_pain=sem,rest;Pain=dor', por palavras dos nomes; --labels labels.csv, uma tabela de \
         imagens e classes",
    ))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// Images as [`crate::data::list`] gives them with class folders.
    fn images(paths: &[&str]) -> Vec<Image> {
        let image = |path: &&str| {
            let parts: Vec<&str> = path.split('/').collect();
            let (fold, class) = match parts[..] {
                [fold, class, _] => (fold, Some(class)),
                [class, _] if !paths.iter().any(|path| path.matches('/').count() > 1) => {
                    ("faces", Some(class))
                }
                [fold, _] => (fold, None),
                _ => ("faces", None),
            };
            Image {
                fold: fold.to_owned(),
                name: parts[parts.len() - 1].to_owned(),
                path: (*path).to_owned(),
                class_folder: class.map(str::to_owned),
                file: PathBuf::new(),
            }
        };
        paths.iter().map(image).collect()
    }

    fn of(paths: &[&str], classes: &[&str]) -> Decision {
        let classes: Vec<String> = classes.iter().map(|&name| name.to_owned()).collect();
        let all = images(paths);
        let flat: Vec<Image> =
            all.iter().filter(|image| image.path.matches('/').count() < 2).cloned().collect();
        decide(&all, &flat, &[&classes])
    }

    const PAIN: [&str; 2] = ["Pain", "No_pain"];

    #[test]
    fn folders_that_are_called_as_classes_decide() {
        for paths in [
            &["Pain/p1.png", "No_pain/n1.png"][..],
            &["pain/S01_rest.png", "no-pain/S01.png"],
            &["train/Pain/1.png", "val/NO PAIN/2.png"],
            &["Fold0/Pain/1.png", "Fold0/loose.png", "a.png"],
            &["Pain/1.png"],
        ] {
            assert_eq!(of(paths, &PAIN).rule, Rule::Dirs, "{paths:?}");
        }
    }

    #[test]
    fn the_notebooks_rule_needs_both_classes() {
        let both = of(&["Fold0/S01_sem_dor.png", "Fold1/S02_dor.png"], &PAIN);
        assert_eq!(both.rule, Rule::Notebook);
        for paths in [
            &["Fold0/a.png", "Fold1/b.png"][..],
            &["Fold0/rest.png", "Fold1/sem.png"],
            &["Fold0/S01/rest.png", "Fold0/S01/dor.png"],
        ] {
            assert_eq!(of(paths, &PAIN).rule, Rule::Unlabelled, "{paths:?}");
        }
        let other = of(&["Fold0/S01_sem_dor.png", "Fold1/S02_dor.png"], &["cats", "dogs"]);
        assert_eq!(other.rule, Rule::Unlabelled);
    }

    #[test]
    fn folders_of_which_some_are_called_as_classes_do_not_decide() {
        for (paths, says) in [
            (&["Pain/1.png", "No_pain/sem.png", "other/2.png"][..], "but other is not"),
            (&["Pain/S01/1.png", "No_pain/S01/sem.png"], "the folder of a class holds"),
            (&["Pain/1.png", "No_pain/deep/sem.png"], "the folder of a class holds"),
        ] {
            let found = of(paths, &PAIN);
            assert_eq!(found.rule, Rule::Unlabelled, "{paths:?}");
            let advice = found.advice.expect("advice").english().to_owned();
            assert!(advice.contains(says), "{advice}");
        }
    }

    #[test]
    fn other_names_are_not_made_classes() {
        let found = of(&["dogs/1.png", "cats/2.png"], &PAIN);
        assert_eq!(found.rule, Rule::Unlabelled);
        let advice = found.advice.expect("advice").english().to_owned();
        assert!(
            advice.ends_with("have cats = 0, dogs = 1: then add --classes cats,dogs"),
            "{advice}"
        );
        // Python's `sorted(["b b", "a", "B"])`.
        let found = of(&["b b/1.png", "a/2.png", "B/3.png"], &["x", "y", "z"]);
        let advice = found.advice.expect("advice").english().to_owned();
        assert!(advice.ends_with("--classes 'B,a,b b'"), "{advice}");
        let numbers = of(&["0/1.png", "1/2.png"], &["0", "1"]);
        assert_eq!(numbers.rule, Rule::Unlabelled);
        assert!(numbers.advice.expect("advice").english().contains("`--labels dirs`"));
        assert_eq!(of(&["A/1.png", "B/2.png", "C/2.png"], &PAIN).advice, None);
        assert_eq!(of(&["Fold0/1.png", "Fold1/2.png"], &PAIN).advice, None);
    }

    #[test]
    fn models_of_other_classes_have_one_rule() {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let (pain, pets) = (owned(&PAIN), owned(&["cats", "dogs"]));
        let all = images(&["cats/1.png", "dogs/sem.png"]);
        assert_eq!(decide(&all, &all, &[&pain, &pets]).rule, Rule::Dirs);
        let all = images(&["Fold0/1.png", "Fold1/sem.png"]);
        assert_eq!(decide(&all, &all, &[&pets, &pain]).rule, Rule::Notebook);
    }
}
