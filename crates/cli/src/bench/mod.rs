//! `burncam bench`: the worker of `cargo xtask bench`, which measures what `explain` computes.
//!
//! It answers each line that it reads with one line. A number is a batch size: `explain`'s
//! computation is repeated for it, from prepared images to raw maps; on a GPU, the way there and back is
//! in it. `peak` is the processor's own limit, `device` what computes, and `stages` with a batch size where
//! the time goes on a GPU. So whoever asks decides the order, and can take turns with other programs.

mod peak;
mod stages;
mod work;

use std::io::BufRead;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use burn::tensor::{Device, Tensor};
use burncam_cam::methods::grad_cam;
use burncam_cam::{Explanation, Scene, Target};
use burncam_imaging::{DecodeOptions, Resize, decode, fit, preprocess, stacked};
use burncam_models::ARCHS;
use burncam_net::{Build, Classifier, InputSpec};
use burncam_weights::Checkpoint;
use cpu_time::ProcessTime;

use crate::args::Bench;
use crate::data::Listing;
use crate::device::Precision;
use crate::verify::{generated, generated_head};
use crate::{console, data, device, models};

/// As many different images as the largest usual batch.
const IMAGES: usize = 8;

/// One measurement repeats the computation for so long.
const MEASURED: Duration = Duration::from_millis(400);

/// A network and images for it.
struct Subject {
    classifier: Classifier,
    input: InputSpec,
    /// What the network reads of each image.
    images: Vec<Vec<f32>>,
    device: String,
}

/// Answers lines until there are none.
pub(crate) fn run(args: &Bench) -> Result<ExitCode> {
    let subject = Subject::new(args)?;
    let work = work::of(&subject.classifier);
    console::result(&format!(
        "ready network={} multiplications={} fewest={} bytes={} weights={}",
        subject.classifier.arch.name,
        work.multiplications,
        work.fewest,
        work.bytes,
        subject.classifier.parameters * size_of::<f32>(),
    ))?;
    for line in std::io::stdin().lock().lines() {
        let line = line.context("cannot read what to measure")?;
        let answer = match line.trim().split_once(' ').unwrap_or((line.trim(), "")) {
            ("peak", _) => format!("gflops={}", peak::gflops_of_a_core()),
            ("device", _) => subject.device.clone(),
            ("stages", batch) => {
                let batch = subject.batch(number(batch)?);
                stages::milliseconds(&subject.classifier, &batch, &subject.input)?
            }
            (batch, _) => subject.measure(number(batch)?)?,
        };
        console::result(&answer)?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Subject {
    fn new(args: &Bench) -> Result<Self> {
        let choice = device::one(&args.device, Precision::Single)?;
        let device = choice.device.clone();
        let (classifier, input) = match &args.weights {
            Some(path) => {
                let checkpoint = Checkpoint::open(path)?.resolve(&models::known(), None)?;
                let layer = Some(checkpoint.variant.cam_layer);
                let how = Build { layer, ..Build::default() };
                (checkpoint.build_with(&device, how)?, checkpoint.input.clone())
            }
            None => {
                let arch = models::wanted(args.model.as_deref())?.map_or(ARCHS[0], |w| w.arch);
                let (variant, head) = (&arch.variants[0], generated_head()?);
                let how = Build { layer: Some(variant.cam_layer), ..Build::default() };
                let classifier =
                    Classifier::build(arch, variant, head, &mut generated(), &device, how)?;
                (classifier, variant.input.clone())
            }
        };
        let images = data::list(&args.data, Listing::default())?.images.into_iter().take(IMAGES);
        let images: Vec<Vec<f32>> = images
            .map(|image| {
                let pixels = decode(&image.file, DecodeOptions::default())?;
                Ok(preprocess(&fit(&pixels, &input, Resize::default()), &input))
            })
            .collect::<Result<_>>()?;
        let device = format!("{}, {}, {}", choice.name, choice.backend, Precision::Single);
        Ok(Self { classifier, input, images, device })
    }

    /// So many images, one after another.
    fn batch(&self, size: usize) -> Vec<&[f32]> {
        self.images.iter().map(Vec::as_slice).cycle().take(size).collect()
    }

    /// Wall and CPU time of an image in milliseconds, and the process's largest memory so far.
    fn measure(&self, batch: usize) -> Result<String> {
        let inputs = self.batch(batch);
        // As `explain` does it.
        let parts = inputs.chunks(device::at_once(batch, &self.classifier));
        let device = self.classifier.device();
        let on_cpu = *device == Device::flex();
        let tensors: Vec<_> = match on_cpu {
            true => parts.clone().map(|part| stacked(part, &self.input, device)).collect(),
            false => Vec::new(),
        };
        let all = || match on_cpu {
            true => tensors.iter().try_for_each(|images| self.explain(images.clone())),
            false => parts.clone().try_for_each(|part| self.there_and_back(part)),
        };
        all()?;
        let (clock, cpu, mut computed) = (Instant::now(), ProcessTime::now(), 0);
        while computed == 0 || clock.elapsed() < MEASURED {
            all()?;
            computed += batch;
        }
        let an_image = |time: Duration| time.as_secs_f64() * 1e3 / computed as f64;
        let (cpu, wall) = (an_image(cpu.elapsed()), an_image(clock.elapsed()));
        let memory = peak_memory().map_or(String::new(), |bytes| format!(" memory={bytes}"));
        Ok(format!("wall={wall} cpu={cpu}{memory}"))
    }

    fn explain(&self, images: Tensor<4>) -> Result<()> {
        let layer = self.classifier.variant.cam_layer;
        let scene = Scene::observe(&self.classifier, images, layer, Target::Predicted)?;
        grad_cam(&scene)?;
        Ok(())
    }

    fn there_and_back(&self, images: &[&[f32]]) -> Result<()> {
        let images = stacked(images, &self.input, self.classifier.device());
        let layer = self.classifier.variant.cam_layer;
        Explanation::of(&self.classifier, images, layer, Target::Predicted)?;
        Ok(())
    }
}

/// A batch size.
fn number(text: &str) -> Result<usize> {
    match text.parse().context("a batch size is a number")? {
        0 => bail!("a batch has one image at least"),
        size => Ok(size),
    }
}

/// The most memory that the process has had, in bytes, where the system tells it.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
