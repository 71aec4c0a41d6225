//! A folder of networks, each as several files and with one reference.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, ensure};
use burn::tensor::Device;
use burncam_net::{Arch, GRAPH, Variant};
use burncam_weights::{ENDINGS, Error, Resolved, is_checkpoint_name};

use super::{Comparison, DIFFERS, Row, compare, difference, number};
use crate::FATAL;
use burncam_run::networks::known;
use burncam_run::{counted, device};

use crate::args::{Compare, NetworkArgs};
use crate::console::{self, CONSOLE};
use crate::npz::Npz;
use crate::text::{self, Column};

/// The head in words, beside checkpoints that hold weights only and whose family has another.
const HEAD: &str = "head.txt";

/// What the other framework computed, beside the checkpoints.
const REFERENCE: &str = "reference.npz";

/// One checkpoint.
struct Line {
    /// The name of the folder that it lies in.
    folder: String,
    /// Its own name.
    file: String,
    /// Nothing, where it cannot be used.
    found: Option<FolderComparison>,
}

impl Line {
    fn is_graph(&self) -> bool {
        self.found.as_ref().is_none_or(|found| found.variant == GRAPH.variants[0].name)
    }

    fn has_maps(&self) -> bool {
        self.found.as_ref().is_some_and(|found| found.map().is_some())
    }
}

/// What was found of one checkpoint.
struct FolderComparison {
    network: String,
    variant: &'static str,
    format: String,
    comparison: Comparison,
}

impl FolderComparison {
    /// The row that is farthest from the reference.
    fn worst(&self) -> Option<&Row> {
        self.comparison.rows.iter().max_by(|a, b| a.relative.total_cmp(&b.relative))
    }

    /// The relative difference of the map that differs most, if the reference has one.
    fn map(&self) -> Option<f32> {
        let maps = self.comparison.maps.iter().filter(|row| row.layer.starts_with("map "));
        maps.map(|row| row.relative).reduce(f32::max)
    }

    /// The largest difference of a logit.
    fn logits(&self) -> f32 {
        self.comparison.rows.last().map_or(f32::INFINITY, |row| row.absolute)
    }
}

/// Compares every checkpoint with the reference beside it.
pub(super) fn run(args: &Compare) -> Result<ExitCode> {
    let files = checkpoints(args.checkpoint.path())?;
    let choice = device::one(&args.device, device::Precision::Single, &CONSOLE)?;
    let lines: Vec<Line> = (files.iter())
        .map(|path| {
            console::note(format!("Comparing {}", path.display()));
            let found = found(path, &args.network, &choice.device);
            let found = found.map_err(|error| console::error(&error)).ok();
            let folder = path.parent().unwrap_or(path);
            Line { folder: name(folder), file: name(path), found }
        })
        .collect();
    let table = if args.markdown { markdown(&lines) } else { plain(&lines) };
    let text = format!("{table}\n{}{}", spread(&lines), verdict(&lines, args.tolerance));
    console::result(&text)?;
    Ok(match () {
        () if lines.iter().any(|line| line.found.is_none()) => ExitCode::from(FATAL),
        () if past(&lines, args.tolerance).next().is_some() => ExitCode::from(DIFFERS),
        () => ExitCode::SUCCESS,
    })
}

/// The checkpoints beside a reference, in `folder` and the folders in it, sorted.
fn checkpoints(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = vec![folder.to_owned()];
    folders.extend(entries(folder)?.into_iter().filter(|path| path.is_dir()));
    let mut files = Vec::new();
    for folder in folders.iter().filter(|folder| folder.join(REFERENCE).is_file()) {
        let is_checkpoint = |path: &PathBuf| path.is_file() && is_checkpoint_name(path);
        files.extend(entries(folder)?.into_iter().filter(is_checkpoint));
    }
    ensure!(
        !files.is_empty(),
        "no folder in {} has checkpoints (.{}) and a {REFERENCE} beside them, as \
         tests/reference/make_checkpoints.py and make_torch_checkpoints.py write them",
        folder.display(),
        ENDINGS.join(", .")
    );
    Ok(files)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let paths = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>());
    let mut paths = paths.with_context(|| format!("cannot list {}", folder.display()))?;
    paths.sort();
    Ok(paths)
}

/// A checkpoint as the network that it says it is; where it does not say so, as that which its folder
/// is called after, with the head that is written beside it.
fn resolve(path: &Path, network: &NetworkArgs) -> Result<Resolved> {
    let error = match network.open(path) {
        Ok(resolved) => return Ok(resolved),
        Err(error) => error,
    };
    if !matches!(
        error.downcast_ref(),
        Some(Error::SeveralNetworks { .. } | Error::UnknownHead { .. })
    ) {
        return Err(error);
    }
    // `VGG16-torchvision-bn`, or with the maker behind it, `ResNet50-torchvision-timm`.
    let folder = path.parent().map(name).unwrap_or_default();
    let archs = known();
    let variants = archs.iter().flat_map(|arch| arch.variants.iter().map(move |own| (arch, own)));
    let called = |(arch, own): &(&&Arch, &Variant)| {
        let rest = folder.strip_prefix(&format!("{}-{}", arch.title, own.name));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    let model = variants.filter(called).max_by_key(|(_, own)| own.name.len());
    let head = fs::read_to_string(path.with_file_name(HEAD)).ok();
    let named = NetworkArgs {
        model: model.map(|(arch, own)| format!("{}:{}", arch.name, own.name)),
        head: head
            .map(|text| text.parse().map_err(|error: String| anyhow!("{HEAD}: {error}")))
            .transpose()?,
        ..network.clone()
    };
    named.open(path)
}

fn found(path: &Path, network: &NetworkArgs, device: &Device) -> Result<FolderComparison> {
    let checkpoint = resolve(path, network)?;
    let classifier = checkpoint.build(device)?;
    let mut reference = Npz::open(&path.with_file_name(REFERENCE))?;
    let comparison = compare(&checkpoint, &classifier, &mut reference);
    Ok(FolderComparison {
        // A network of no name is called as its folder.
        network: match checkpoint.arch.name == GRAPH.name {
            true => path.parent().map(name).unwrap_or_default(),
            false => checkpoint.arch.title.to_owned(),
        },
        variant: checkpoint.variant.name,
        format: checkpoint.format().to_string(),
        comparison: comparison.with_context(|| format!("cannot compare {}", path.display()))?,
    })
}

/// One line a file.
fn plain(lines: &[Line]) -> String {
    const HEAD: [(&str, Column); 8] = [
        ("network", Column::Words),
        ("variant", Column::Words),
        ("file", Column::Words),
        ("format", Column::Words),
        ("layers", Column::Numbers),
        ("worst layer", Column::Words),
        ("relative", Column::Numbers),
        ("logits", Column::Numbers),
    ];
    let cells = |line: &Line| {
        let file = line.file.clone();
        let Some(found) = &line.found else {
            let folder = line.folder.clone();
            let none = String::new;
            return [folder, none(), file, "cannot be used".into(), none(), none(), none(), none()];
        };
        let worst = found.worst();
        [
            found.network.clone(),
            found.variant.to_owned(),
            file,
            found.format.clone(),
            // The logits stand among the rows.
            (found.comparison.rows.len() - 1).to_string(),
            worst.map_or(String::new(), |row| row.layer.clone()),
            worst.map_or(String::new(), |row| number(row.relative)),
            number(found.logits()),
        ]
    };
    text::table(HEAD, &lines.iter().map(cells).collect::<Vec<_>>())
}

/// One table for the networks that have the same files: one line a network, one column a file,
/// the worst layer's relative difference in it.
fn markdown(lines: &[Line]) -> String {
    let mut tables: Vec<(Vec<&str>, Vec<&[Line]>)> = Vec::new();
    for group in groups(lines) {
        let files: Vec<&str> = group.iter().map(|line| line.file.as_str()).collect();
        match tables.iter_mut().find(|(known, _)| *known == files) {
            Some((_, groups)) => groups.push(group),
            None => tables.push((files, vec![group])),
        }
    }
    let tables: Vec<String> =
        tables.iter().map(|(files, groups)| of_files(files, groups)).collect();
    tables.join("\n")
}

fn of_files(files: &[&str], groups: &[&[Line]]) -> String {
    let titles = files.iter().map(|file| format!("`{file}`")).collect::<Vec<_>>().join(" | ");
    let has_maps = groups.iter().flat_map(|group| group.iter()).any(Line::has_maps);
    // Networks that run as their files describe them have no variants.
    let of_graphs = groups.iter().flat_map(|group| group.iter()).all(Line::is_graph);
    let (own, map) =
        (if of_graphs { "" } else { " Variant |" }, if has_maps { " Map |" } else { "" });
    let mut text = format!("| Network |{own} {titles} | Worst layer | Logits |{map}\n|");
    let columns = 3 + usize::from(!of_graphs) + usize::from(has_maps);
    text.push_str(&" --- |".repeat(files.len() + columns));
    text.push('\n');
    for group in groups {
        let used = || group.iter().filter_map(|line| line.found.as_ref());
        let folder = group[0].folder.as_str();
        let (network, variant) = used().next().map_or((folder, ""), |found| {
            // The folder may be called after its maker, too: `ResNet50-torchvision-timm`.
            let own =
                folder.strip_prefix(found.network.as_str()).and_then(|rest| rest.strip_prefix('-'));
            let own = own.filter(|own| own.starts_with(found.variant));
            (found.network.as_str(), own.unwrap_or(found.variant))
        });
        let cell = |line: &Line| match &line.found {
            None => "cannot be used".to_owned(),
            Some(found) => found.worst().map_or(String::new(), |row| number(row.relative)),
        };
        let cells = group.iter().map(cell).collect::<Vec<_>>().join(" | ");
        let worst = used().filter_map(FolderComparison::worst);
        let worst = worst.max_by(|a, b| a.relative.total_cmp(&b.relative));
        let worst = worst.map_or("", |row| row.layer.as_str());
        let logits = number(used().map(FolderComparison::logits).fold(0.0, f32::max));
        let variant = if of_graphs { String::new() } else { format!(" {variant} |") };
        let _ = write!(text, "| {network} |{variant} {cells} | `{worst}` | {logits} |");
        if has_maps {
            let map = used().filter_map(FolderComparison::map).reduce(f32::max);
            let _ = write!(text, " {} |", map.map_or(String::new(), number));
        }
        text.push('\n');
    }
    text
}

/// How many files of a network give the same logits as its first, and how far the others are: an
/// exporter to ONNX may have folded weights into others.
fn spread(lines: &[Line]) -> String {
    let mut text = String::new();
    for group in groups(lines).filter(|group| group.len() > 1) {
        let mut logits =
            group.iter().filter_map(|line| Some(&line.found.as_ref()?.comparison.logits));
        let Some(first) = logits.next() else { continue };
        let bits = |logits: &[f32]| logits.iter().map(|z| z.to_bits()).collect::<Vec<_>>();
        let (equal, others): (Vec<_>, Vec<_>) = logits.partition(|own| bits(own) == bits(first));
        let folder = &group[0].folder;
        let count = equal.len() + 1;
        let _ = write!(text, "{folder}: the logits of {count} files are equal to the last bit");
        if !others.is_empty() {
            let apart = others.iter().map(|other| match other.len() == first.len() {
                true => difference(other, first).0,
                false => f32::INFINITY,
            });
            let (count, apart) = (others.len(), number(apart.fold(0.0, f32::max)));
            let _ = write!(text, ", {count} more are up to {apart} from them");
        }
        text.push_str(".\n");
    }
    text
}

fn verdict(lines: &[Line], tolerance: f32) -> String {
    let networks = counted(groups(lines).count(), "network", "networks");
    let unusable = lines.iter().filter(|line| line.found.is_none()).count();
    let files = counted(lines.len() - unusable, "file", "files");
    let mut text = format!("\nCompared {files} of {networks}: ");
    let count = past(lines, tolerance).count();
    let _ = match past(lines, tolerance).next() {
        None => writeln!(text, "all within the tolerance of {tolerance:e}."),
        Some(Line { folder, file, .. }) => writeln!(
            text,
            "{count} past the tolerance of {tolerance:e}, first {folder}/{file}; \
             `compare FILE --reference {REFERENCE}` shows each layer."
        ),
    };
    if unusable > 0 {
        let _ = writeln!(text, "{} cannot be used.", counted(unusable, "file", "files"));
    }
    text
}

/// The files with a layer past the tolerance.
fn past(lines: &[Line], tolerance: f32) -> impl Iterator<Item = &Line> {
    lines.iter().filter(move |line| {
        let found = line.found.as_ref();
        found.is_some_and(|found| found.comparison.first_past(tolerance).is_some())
    })
}

/// The files of one folder each.
fn groups(lines: &[Line]) -> impl Iterator<Item = &[Line]> {
    lines.chunk_by(|a, b| a.folder == b.folder)
}

/// The last part of a path.
fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
