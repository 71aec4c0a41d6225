//! The only place that prints: results to stdout; errors, warnings and progress to stderr. Names come
//! from files, so nothing is printed that could do something to a terminal.

mod harmless;
mod language;

use std::fmt::Write as _;
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use burncam_net::LoadError;
use burncam_page::Language;
use burncam_run::networks::known;
use burncam_run::{Message, Observer, SHOWN, bounded, counted};
use burncam_weights::Error as WeightsError;
use indicatif::{HumanDuration, ProgressBar, ProgressState, ProgressStyle};
use zip::result::ZipError;

use crate::{other_network, program};
use harmless::{harmless, on_one_line};
pub(crate) use language::{language, speak, spoken};

/// Prints a line to stdout. A reader that went away is no reason to stop.
macro_rules! out {
    ($($text:tt)*) => {{
        let _ = writeln!(std::io::stdout(), "{}", harmless(&format!($($text)*)));
    }};
}

/// Prints a line to stderr.
macro_rules! err {
    ($($text:tt)*) => {{
        let _ = writeln!(std::io::stderr(), "{}", harmless(&format!($($text)*)));
    }};
}

// After the macros, which it uses.
mod summary;
mod verdicts;

pub(crate) use summary::{Head, figure, places, report, summary};
pub(crate) use verdicts::verdicts;

/// Prints an error with its causes and, where one helps, a hint.
pub(crate) fn error(error: &anyhow::Error) {
    let mut text = format!("error: {}", bounded(&error.to_string()));
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // Many libraries' errors quote what caused them.
        if !text.ends_with(&cause) {
            let _ = write!(text, "\n  because: {}", bounded(&cause));
        }
    }
    if !text.contains("hint:")
        && let Some(hint) = error.downcast_ref::<WeightsError>().and_then(weights_hint)
    {
        let _ = write!(text, "\nhint: {hint}");
    }
    err!("{text}");
}

/// What to do about it.
fn weights_hint(error: &WeightsError) -> Option<String> {
    let path = match error {
        WeightsError::Mismatch { path, .. }
        | WeightsError::Unsupported { path, .. }
        | WeightsError::Head { path, .. }
        | WeightsError::Unused { path, .. } => Some(path),
        _ => None,
    };
    let other = path.filter(|path| other_network::is_known(path));
    if let Some(way) = other.and_then(|path| other_network::way_on(path)) {
        return Some(format!("{}; {way}", known_networks()));
    }
    let hint = match error {
        WeightsError::Open { .. } => "check the path of the weights file",
        WeightsError::Format { .. } => {
            "in Keras, `model.save(\"model.h5\")` writes a file that Burncam reads, in PyTorch \
             `torch.save(model.state_dict(), \"model.pt\")`"
        }
        WeightsError::Zip { source, .. }
            if matches!(
                **source,
                ZipError::UnsupportedArchive(_)
                    | ZipError::CompressionMethodNotSupported(_)
                    | ZipError::FileNotFound
                    | ZipError::InvalidPassword
            ) || matches!(&**source, ZipError::Io(error) if error.kind() == ErrorKind::Unsupported) =>
        {
            "a .keras file is a zip archive without password that has config.json, metadata.json and \
             model.weights.h5 at its top, as they are or deflated; unpack it and pack them so"
        }
        WeightsError::Hdf5 { .. }
        | WeightsError::Truncated { .. }
        | WeightsError::Zip { .. }
        | WeightsError::Container { .. } => "copy the file again from where it came",
        WeightsError::Link { .. } => {
            "write the weights themselves in the link's place, as `model.save` does, or h5py's `copy`"
        }
        WeightsError::Description { .. } => {
            "Burncam reads the .bpk and .safetensors files that `burncam convert` wrote, and \
             state_dicts as .safetensors"
        }
        WeightsError::Opset { .. } => "export the model again, with operator set 17",
        WeightsError::Version { .. } => "use a later version of Burncam",
        WeightsError::ClassNames { .. } => {
            "--classes gives the names, in the order of the network's outputs"
        }
        WeightsError::Exists { .. } => "choose another --out, or pass --overwrite to replace it",
        WeightsError::Mismatch { path, .. } => {
            let graph = other_network::as_graph(path).map(|graph| format!("; {graph}"));
            return Some(known_networks() + &graph.unwrap_or_default());
        }
        WeightsError::Unknown(unknown) => {
            let way = other_network::way_on(&unknown.path).map(|way| format!("; {way}"));
            return Some(format!("{}{}", known_networks(), way.unwrap_or_default()));
        }
        WeightsError::Config { .. } => {
            "in Keras, save a functional or sequential model again with `model.save`"
        }
        WeightsError::Unsupported { path, .. } => {
            return Some(format!(
                "`{} inspect {}` lists the file's layers; build the model without this one, \
                 or with a supported one in its place, load the weights into it and save it",
                program::name(),
                path.display()
            ));
        }
        WeightsError::Head { .. } => {
            "a head is a Flatten or a global pooling, and then Dense, Dropout, BatchNormalization and \
             Activation layers in a row; save a model that ends so"
        }
        WeightsError::Unused { .. } => {
            "a network with a weight more is another network; save the whole model again with \
             `model.save`"
        }
        WeightsError::Weights { source, .. } => load_hint(source),
        _ => return None,
    };
    Some(hint.to_owned())
}

fn known_networks() -> String {
    let known: Vec<&str> = known().iter().map(|arch| arch.title).collect();
    format!("the networks that Burncam explains are {}", known.join(", "))
}

fn load_hint(error: &LoadError) -> &'static str {
    let sorted = |shape: &[usize]| {
        let mut shape = shape.to_vec();
        shape.sort_unstable();
        shape
    };
    match error {
        LoadError::Shape { expected, found, .. } if sorted(expected) == sorted(found) => {
            "the axes are in another order, as in PyTorch's files; Keras has [height, width, in, out] \
             for a convolution and [in, out] for a dense layer: transpose the weight and save it again"
        }
        LoadError::NotFinite { .. } | LoadError::Negative { .. } | LoadError::Folded { .. } => {
            "the training went wrong before it was saved; take an earlier checkpoint"
        }
        LoadError::Read { .. } => "copy the file again from where it came",
        _ => {
            "the file's description and its weights do not belong together; save the whole model again \
             with `model.save`"
        }
    }
}

/// Prints a result, whole; a reader that has seen enough (`| head`) is no error.
pub(crate) fn result(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{}", harmless(text.trim_end())).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// Prints a warning, and the items that it concerns as far as they fit.
pub(crate) fn warning(text: impl Into<Message>, items: &[String]) {
    let label = Message::new("warning", "aviso");
    err!("{}: {}", spoken(&label), spoken(&text.into()));
    list(items, |line| err!("{line}"));
}

/// Prints what the program does, or found out.
pub(crate) fn note(text: impl Into<Message>) {
    err!("{}", spoken(&text.into()));
}

fn list(items: &[String], print: impl Fn(String)) {
    list_in(language(), items, items.len(), print);
}

/// Prints the first of `all` items.
fn list_in(language: Language, items: &[String], all: usize, print: impl Fn(String)) {
    for item in items.iter().take(SHOWN) {
        print(format!("  {}", on_one_line(item)));
    }
    if all > SHOWN {
        let more = (all - SHOWN).to_string();
        print(format!("  {}", say(language, "console_more", &[("n", &more)])));
    }
}

/// A text in the language of the page.
fn say(language: Language, key: &str, values: &[(&str, &str)]) -> String {
    language.say(key, values).unwrap_or_default()
}

/// The program's console.
pub(crate) static CONSOLE: Console = Console { progress: Mutex::new(None) };

/// The console as a run's observer.
pub(crate) struct Console {
    progress: Mutex<Option<Progress>>,
}

impl Observer for Console {
    fn note(&self, text: Message) {
        note(text);
    }

    fn warning(&self, text: Message, items: &[String]) {
        warning(text, items);
    }

    /// Asks on the terminal; an empty answer is a yes.
    fn confirm(&self, question: &Message) -> bool {
        if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
            return false;
        }
        let answers = Message::new("[Y/n]", "[S/n]");
        let question = harmless(spoken(question)).into_owned();
        let _ = write!(std::io::stderr(), "{question} {} ", spoken(&answers));
        let mut answer = String::new();
        match std::io::stdin().read_line(&mut answer) {
            Ok(0) | Err(_) => false,
            Ok(_) => {
                matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes" | "s" | "sim")
            }
        }
    }

    fn begin(&self, images: usize, passes: usize) {
        *self.progress() = Some(Progress::new(images, passes));
    }

    fn passed(&self, images: usize) {
        if let Some(progress) = self.progress().as_mut() {
            progress.pass(images);
        }
    }

    fn advance(&self, images: usize) {
        if let Some(progress) = self.progress().as_mut() {
            progress.add(images);
        }
    }

    fn end(&self) {
        if let Some(progress) = self.progress().take() {
            progress.finish();
        }
    }

    fn program(&self) -> &str {
        program::name()
    }
}

impl Console {
    fn progress(&self) -> MutexGuard<'_, Option<Progress>> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The command line with one more option, to be typed again.
pub(crate) fn command(arguments: &[String], option: &str) -> String {
    let kept = arguments.iter().filter(|one| *one != option && *one != "--overwrite");
    let words = kept.map(|one| quoted(one)).chain([option.to_owned()]);
    format!("{} {}", program::name(), words.collect::<Vec<_>>().join(" "))
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:,=+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Progress over the images, or over passes where an image takes many: a bar on a terminal, a line for each tenth
/// elsewhere.
struct Progress {
    bar: ProgressBar,
    started: Instant,
    unit: Unit,
    done: u64,
    told: u64,
    /// When the first pass was done, until an image is.
    first_pass: Option<Instant>,
    /// Whether the time that all will take is to be told.
    untold: bool,
}

/// What is counted.
#[derive(Clone, Copy, PartialEq)]
enum Unit {
    Images,
    Passes,
}

impl Progress {
    /// Starts at none of `images`, which take so many passes.
    fn new(images: usize, passes: usize) -> Self {
        let unit = if passes > images { Unit::Passes } else { Unit::Images };
        let (length, word) = (passes.max(images), unit.word().text(language()).to_owned());
        let style =
            ProgressStyle::with_template(&format!("{{bar:32}} {{pos}}/{{len}} {word}{{rate}}"))
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .with_key("rate", move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                    // Nothing is known before the first batch is done.
                    if state.pos() > 0 {
                        let left = state.len().is_some_and(|all| all > state.pos());
                        let left = left.then(|| state.eta());
                        let _ = out.write_str(spoken(&rate(unit, state.per_sec(), left)));
                    }
                });
        let bar = ProgressBar::new(length as u64).with_style(style);
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(250));
        }
        let (started, untold) = (Instant::now(), passes > images && images > 1);
        Self { bar, started, unit, done: 0, told: 0, first_pass: None, untold }
    }

    /// `images` went through a network once more.
    fn pass(&mut self, images: usize) {
        if self.untold {
            self.first_pass.get_or_insert_with(Instant::now);
        }
        if self.unit == Unit::Passes {
            self.count(images);
        }
    }

    /// `images` more are done.
    fn add(&mut self, images: usize) {
        if let Some(first) = self.first_pass.filter(|_| self.untold && self.done > 0) {
            self.untold = false;
            let all = self.bar.length().unwrap_or(1) as f64;
            let seconds = first.elapsed().as_secs_f64();
            let whole = HumanDuration(Duration::from_secs_f64(seconds * all / self.done as f64));
            let (whole, done) = (whole.to_string(), self.done);
            let said = Message::new(
                format!("{done} passes took {seconds:.1} s; all {all} will take about {whole}."),
                format!(
                    "{done} passagens levaram {} s; todas as {all} levarão cerca de {}.",
                    Language::Portuguese.number(seconds, 1),
                    in_portuguese(&whole)
                ),
            );
            self.bar.suspend(|| err!("{}", spoken(&said)));
        }
        if self.unit == Unit::Images {
            self.count(images);
        }
    }

    fn count(&mut self, more: usize) {
        let all = self.bar.length().unwrap_or(1).max(1);
        // Where two classes are equally likely, an image is computed twice.
        self.done = (self.done + more as u64).min(all);
        self.bar.set_position(self.done);
        let tenth = self.done * 10 / all;
        if self.bar.is_hidden() && tenth > self.told {
            self.told = tenth;
            let seconds = self.started.elapsed().as_secs_f64().max(1e-9);
            let speed = self.done as f64 / seconds;
            let left = all.checked_sub(self.done).filter(|left| *left > 0);
            let left = left.map(|left| Duration::from_secs_f64(left as f64 / speed));
            let unit = self.unit;
            err!(
                "{}/{all} {}{}",
                self.done,
                spoken(&unit.word()),
                spoken(&rate(unit, speed, left))
            );
        }
    }

    /// Takes the bar away.
    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Images a second, and the time left as long as there are images left: never less than a second,
/// which would round to none.
fn rate(unit: Unit, speed: f64, left: Option<Duration>) -> Message {
    let left = left.map(|left| HumanDuration(left.max(Duration::from_secs(1))).to_string());
    let portuguese = left.as_deref().map(|left| format!(", {}", left_in_portuguese(left)));
    let english = left.as_deref().map(|left| format!(", {left} left"));
    let word = unit.word();
    let speed = |language: Language| language.number(speed, 1);
    Message::new(
        format!(
            ", {} {}/s{}",
            speed(Language::English),
            word.text(Language::English),
            english.unwrap_or_default()
        ),
        format!(
            ", {} {}/s{}",
            speed(Language::Portuguese),
            word.text(Language::Portuguese),
            portuguese.unwrap_or_default()
        ),
    )
}

impl Unit {
    fn word(self) -> Message {
        match self {
            Self::Images => Message::new("images", "imagens"),
            Self::Passes => Message::new("passes", "passagens"),
        }
    }
}

/// That so much time is left, such as `2 minutes`.
fn left_in_portuguese(duration: &str) -> String {
    let words = in_portuguese(duration);
    if words.starts_with("1 ") { format!("falta {words}") } else { format!("faltam {words}") }
}

/// A time such as `2 minutes`.
fn in_portuguese(duration: &str) -> String {
    const UNITS: [(&str, &str, &str); 6] = [
        ("second", "segundo", "segundos"),
        ("minute", "minuto", "minutos"),
        ("hour", "hora", "horas"),
        ("day", "dia", "dias"),
        ("week", "semana", "semanas"),
        ("year", "ano", "anos"),
    ];
    let (count, unit) = duration.split_once(' ').unwrap_or((duration, ""));
    let known = UNITS.iter().find(|(english, ..)| unit.trim_end_matches('s') == *english);
    match known {
        Some((_, one, _)) if count == "1" => format!("{count} {one}"),
        Some((.., many)) => format!("{count} {many}"),
        None => duration.to_owned(),
    }
}

/// `1 layer`, `3 layers`.
pub(crate) fn layers(count: usize) -> String {
    counted(count, "layer", "layers")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_left_as_long_as_images_are() {
        let said = |left| {
            let rate = rate(Unit::Images, 10.25, left);
            [Language::English, Language::Portuguese].map(|language| rate.text(language).to_owned())
        };
        let soon = said(Some(Duration::from_millis(200)));
        assert_eq!(soon, [", 10.2 images/s, 1 second left", ", 10,2 imagens/s, falta 1 segundo"]);
        let later = said(Some(Duration::from_secs(90)));
        assert_eq!(
            later,
            [", 10.2 images/s, 2 minutes left", ", 10,2 imagens/s, faltam 2 minutos"]
        );
        assert_eq!(said(None), [", 10.2 images/s", ", 10,2 imagens/s"]);
    }
}
