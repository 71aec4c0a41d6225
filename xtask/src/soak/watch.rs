//! The memory of a running program, and how far it has come.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How long is waited between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// What was seen when so many images were done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub images: usize,
    pub seconds: f64,
    /// Bytes of memory in use, and the most so far.
    pub memory: [f64; 2],
}

/// What was seen of a run.
pub(super) struct Watched {
    /// At the first mark, and at each tenth.
    pub marks: Vec<Seen>,
    /// At the last look before it ended: the reports are written.
    pub end: Seen,
    /// The exit code.
    pub code: Option<i32>,
    /// What it told on its way, progress left out.
    pub told: Vec<String>,
}

/// Watches `explain` until it ends. `first` images are counted in the output folder `all`, later ones
/// by the tenths that the program tells.
pub(super) fn watch(mut child: Child, all: &Path, first: usize) -> Result<Watched, String> {
    let clock = Instant::now();
    let lines = lines(child.stderr.take().ok_or("the program's stderr is not here")?);
    let (mut marks, mut told, mut open) = (Vec::new(), Vec::new(), true);
    let mut end = Seen { images: 0, seconds: 0.0, memory: [0.0; 2] };
    loop {
        let memory = memory(child.id());
        let seen = |images| {
            memory.map(|memory| Seen { images, seconds: clock.elapsed().as_secs_f64(), memory })
        };
        while open {
            match lines.try_recv() {
                Ok(line) => match done(&line) {
                    Some(images) => marks.extend(seen(images).filter(|_| images > first)),
                    None => told.push(line),
                },
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => open = false,
            }
        }
        if marks.is_empty() && count(all) >= first {
            marks.extend(seen(first));
        }
        end = seen(marks.last().map_or(0, |seen| seen.images)).unwrap_or(end);
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Ok(Watched { marks, end, code: status.code(), told });
        }
        thread::sleep(PAUSE);
    }
}

fn lines(stderr: ChildStderr) -> Receiver<String> {
    let (to, from) = channel();
    thread::spawn(move || {
        // When nobody listens any more, or the program has ended.
        BufReader::new(stderr).lines().map_while(Result::ok).all(|line| to.send(line).is_ok())
    });
    from
}

/// The number of images of a line such as `5000/50000 images, 81.2 images/s, 9 minutes left`.
fn done(line: &str) -> Option<usize> {
    line.split_once(" images, ")?.0.split_once('/')?.0.parse().ok()
}

/// Overlays in the folders of right and wrong ones.
fn count(all: &Path) -> usize {
    let of = |outcome| fs::read_dir(all.join(outcome)).map_or(0, Iterator::count);
    ["Right", "Wrong"].into_iter().map(of).sum()
}

/// `VmRSS` and `VmHWM` of a process in bytes, as Linux tells them.
fn memory(process: u32) -> Option<[f64; 2]> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.parse().ok().map(|kib: f64| kib * 1024.0)
    };
    Some([of("VmRSS:")?, of("VmHWM:")?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_read() {
        assert_eq!(done("5000/50000 images, 81.2 images/s, 9 minutes left"), Some(5000));
        assert_eq!(done("warning: no true class for 3 images, of 7/8"), None);
        assert_eq!(done("Explaining 50000 images in x with NCNN."), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_is_that_of_the_process() {
        let before = memory(std::process::id()).expect("a number");
        let much = vec![1_u8; 50 << 20];
        let after = memory(std::process::id()).expect("a number");
        assert!(after[0] - before[0] > 40e6, "{before:?} {after:?} {}", much[much.len() / 2]);
        assert!(after[1] >= after[0]);
        assert_eq!(memory(u32::MAX), None);
    }
}
