//! A program that answers each line with a line.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::measured::Sample;

/// Threads that wait in a loop would count as work, and slow down whoever's turn it is.
pub(super) const PASSIVE: [(&str, &str); 3] =
    [("KMP_BLOCKTIME", "0"), ("OMP_WAIT_POLICY", "PASSIVE"), ("GOMP_SPINCOUNT", "0")];

/// A program that was started and waits for its turn. It ends with this value.
pub(super) struct Worker {
    pub name: String,
    /// What it said when it was ready.
    pub ready: Answer,
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// What a program answered: words, some of them `name=value`.
pub(super) struct Answer(pub String);

impl Worker {
    /// Starts a program and waits until it is ready.
    pub(super) fn start(name: &str, mut command: Command) -> Result<Self, String> {
        let failed = |what: &str| format!("{name} {what}, as told above");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("cannot start {name}: {error}"))?;
        let (Some(questions), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed("cannot be talked to"));
        };
        let mut worker = Self {
            name: name.to_owned(),
            ready: Answer(String::new()),
            child,
            questions: Some(questions),
            answers: BufReader::new(answers),
        };
        worker.ready = worker.answer()?;
        match worker.ready.0.starts_with("ready") {
            true => Ok(worker),
            false => Err(failed("did not get ready")),
        }
    }

    /// Asks, and waits for the answer.
    pub(super) fn ask(&mut self, question: &str) -> Result<Answer, String> {
        let ended = |_| format!("{} has ended", self.name);
        if let Some(questions) = &mut self.questions {
            writeln!(questions, "{question}").and_then(|()| questions.flush()).map_err(ended)?;
        }
        self.answer()
    }

    /// Its name and version.
    pub(super) fn version(&self) -> (String, String) {
        (self.name.clone(), self.ready.0.trim_start_matches("ready").trim().to_owned())
    }

    fn answer(&mut self) -> Result<Answer, String> {
        let mut line = String::new();
        match self.answers.read_line(&mut line) {
            Ok(length) if length > 0 => Ok(Answer(line.trim().to_owned())),
            _ => Err(format!("{} has ended, as told above", self.name)),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Without questions it ends; and whether it ended well does not matter any more.
        drop(self.questions.take());
        let _ = self.child.wait();
    }
}

impl Answer {
    /// The number called `name`.
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        let value = |word: &'_ str| {
            let (own, value) = word.split_once('=')?;
            (own == name).then(|| value.parse().ok())?
        };
        self.0.split_whitespace().find_map(value)
    }

    /// All numbers, with their names, in order.
    pub(super) fn numbers(&self) -> Vec<(String, f64)> {
        let named = |word: &str| {
            let (name, value) = word.split_once('=')?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        self.0.split_whitespace().filter_map(named).collect()
    }

    /// The answer to a batch size.
    pub(super) fn sample(&self) -> Result<Sample, String> {
        match (self.number("wall"), self.number("cpu")) {
            (Some(wall), Some(cpu)) => Ok(Sample { wall, cpu, memory: self.number("memory") }),
            _ => Err(format!("a program answered `{}`, which is no measurement", self.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Answer;

    #[test]
    fn numbers_are_found_by_name() {
        let answer = Answer("ready wall=12.5 cpu=7 x=y memory=1e9".to_owned());
        assert_eq!(answer.number("wall"), Some(12.5));
        assert_eq!(answer.number("memory"), Some(1e9));
        assert_eq!((answer.number("all"), answer.number("x")), (None, None));
        let sample = answer.sample().expect("a measurement");
        assert_eq!((sample.wall, sample.cpu, sample.memory), (12.5, 7.0, Some(1e9)));
        assert!(Answer("wall=1".to_owned()).sample().is_err());
        assert_eq!(Answer("b=2 a=1".to_owned()).numbers()[0], ("b".to_owned(), 2.0));
    }
}
