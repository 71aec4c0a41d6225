//! The worker of `cargo xtask bench`, which measures what `explain` computes.
//!
//! It answers each line that it reads with one line. A number is a batch size: `explain`'s
//! computation is repeated for it, from prepared images to raw maps; on a GPU, the way there and back is
//! in it. `peak` is the processor's own limit, `device` what computes, `stages` with a batch size where
//! the time goes on a GPU, `layers` where on the CPU. `methods` and `measures` are lists, and `method` and `measure` measure one of them.
//! So whoever asks decides the order, and can take turns with other programs.

mod layers;
mod measures;
mod peak;
mod stages;
mod work;

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use burn::tensor::{Device, Tensor};
use burncam_attribution::{
    Explanation, METHODS, Method, MethodOption, Passes, Question, Target, Values, explain,
};
use burncam_imaging::{DecodeOptions, Resize, decode, fit, preprocess, stacked};
use burncam_models::ARCHS;
use burncam_net::{Build, Classifier, InputSpec};
use burncam_run::data::{self, Listing};
use burncam_run::device::{self, Precision};
use burncam_run::networks::{known, wanted};
use burncam_run::self_test::{default_explanation, generated, generated_head};
use burncam_run::{Message, MethodRequest, Observer};
use burncam_weights::Checkpoint;
use clap::Parser;
use cpu_time::ProcessTime;

/// Nobody is told: the one who asks reads answers only.
struct Silent;

impl Observer for Silent {
    fn note(&self, _: Message) {}

    fn warning(&self, _: Message, _: &[String]) {}

    fn confirm(&self, _: &Message) -> bool {
        false
    }

    fn begin(&self, _: usize, _: usize) {}

    fn passed(&self, _: usize) {}

    fn advance(&self, _: usize) {}

    fn end(&self) {}

    fn program(&self) -> &str {
        "burncam"
    }
}

/// As many different images as the largest usual batch.
const IMAGES: usize = 8;

/// One measurement repeats the computation for so long.
const MEASURED: Duration = Duration::from_millis(400);

/// A network and images for it.
struct Subject {
    classifier: Classifier,
    /// The layer that is explained.
    layer: String,
    input: InputSpec,
    /// What the network reads of each image.
    images: Vec<Vec<f32>>,
    device: String,
}

/// What is measured.
#[derive(Parser, Debug)]
pub struct Args {
    /// The network, with weights that need no file.
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,

    /// The network of this checkpoint instead.
    #[arg(long, value_name = "FILE", conflicts_with = "model")]
    pub weights: Option<PathBuf>,

    /// Folder of images.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,

    /// Where to compute.
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    pub device: device::Request,

    /// Make the network ready for every method.
    #[arg(long)]
    pub methods: bool,
}

/// Answers lines until there are none.
///
/// # Errors
///
/// If the network or its images cannot be read, or a line asks for nothing that can be measured.
pub fn run(args: &Args, to: &mut impl Write) -> Result<()> {
    let subject = Subject::new(args)?;
    let work = work::count(&subject.classifier);
    writeln!(
        to,
        "ready network={} multiplications={} fewest={} bytes={} weights={}",
        subject.classifier.arch.name,
        work.multiplications,
        work.fewest,
        work.bytes,
        subject.classifier.parameters * size_of::<f32>(),
    )?;
    to.flush()?;
    for line in std::io::stdin().lock().lines() {
        let line = line.context("cannot read what to measure")?;
        let answer = match line.trim().split_once(' ').unwrap_or((line.trim(), "")) {
            ("peak", _) => format!("gflops={}", peak::gflops_of_a_core()),
            ("device", _) => subject.device.clone(),
            ("methods", _) => METHODS.iter().map(brief).collect::<Vec<_>>().join(" "),
            ("method", asked) => subject.measure_method(asked)?,
            ("measures", _) => measures::COMPARED.join(" "),
            ("measure", asked) => measures::milliseconds(&subject, asked)?,
            ("layers", batch) => {
                let inputs = subject.batch(number(batch)?);
                let images = stacked(&inputs, &subject.input, subject.classifier.device());
                let explain = || subject.explain(images.clone());
                layers::milliseconds(&subject.classifier, &images, explain)?
            }
            ("stages", batch) => {
                let batch = subject.batch(number(batch)?);
                stages::milliseconds(&subject.classifier, &subject.layer, &batch, &subject.input)?
            }
            (batch, _) => subject.measure(number(batch)?)?,
        };
        writeln!(to, "{answer}")?;
        to.flush()?;
    }
    Ok(())
}

impl Subject {
    fn new(args: &Args) -> Result<Self> {
        let choice = device::one(&args.device, Precision::Single, &Silent)?;
        let device = choice.device.clone();
        let (classifier, layer, input) = match &args.weights {
            Some(path) => {
                let checkpoint = Checkpoint::open(path)?.resolve(&known(), None)?;
                let taps = default_explanation(&checkpoint.cam_layer).taps();
                let taps = (!args.methods).then_some(&*taps);
                let how = Build { taps, ..Build::default() };
                let classifier = checkpoint.build_with(&device, how)?;
                (classifier, checkpoint.cam_layer.clone(), checkpoint.input.clone())
            }
            None => {
                let arch = wanted(args.model.as_deref())?.map_or(ARCHS[0], |w| w.arch);
                let (variant, head) = (&arch.variants[0], generated_head()?);
                let taps = default_explanation(variant.cam_layer).taps();
                let taps = (!args.methods).then_some(&*taps);
                let how = Build { taps, ..Build::default() };
                let classifier =
                    Classifier::build(arch, variant, head, &mut generated(), &device, how)?;
                (classifier, variant.cam_layer.to_owned(), variant.input.clone())
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
        Ok(Self { classifier, layer, input, images, device })
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
        let times = timed(batch, all)?;
        let memory = peak_memory().map_or(String::new(), |bytes| format!(" memory={bytes}"));
        Ok(times + &memory)
    }

    /// Wall and CPU time of an image by a method, `grad-cam 8`: its name, options and the images at a time; or
    /// `none`, if the network is not one that the method fits.
    fn measure_method(&self, asked: &str) -> Result<String> {
        let (method, batch) = asked.split_once(' ').context("a method and a batch size")?;
        let pieces: Vec<String> = method.split(',').map(str::to_owned).collect();
        let request = MethodRequest::all(&pieces, None, None)?.remove(0);
        let (table, head) = (&self.classifier.layers, self.classifier.head.config());
        let by_default = Explanation::at(request.method, &self.layer, table);
        let explanation = Explanation { settings: request.settings, ..by_default };
        if request.method.needs.network.check(table, head, &explanation.layers).is_err() {
            return Ok("none".to_owned());
        }
        let inputs = self.batch(number(batch)?);
        let images = stacked(&inputs, &self.input, self.classifier.device());
        let run = || {
            let explanations = std::slice::from_ref(&explanation);
            let question = Question::new(explanations, Target::Predicted);
            explain(&self.classifier, images.clone(), &question)?;
            Ok(())
        };
        // What takes long is not warmed up.
        if explanation.passes(512, [self.input.height, self.input.width]) < 64 {
            run()?;
        }
        timed(inputs.len(), run)
    }

    fn explain(&self, images: Tensor<4>) -> Result<()> {
        let explanation = default_explanation(&self.layer);
        let question = Question::new(std::slice::from_ref(&explanation), Target::Predicted);
        explain(&self.classifier, images, &question)?;
        Ok(())
    }

    fn there_and_back(&self, images: &[&[f32]]) -> Result<()> {
        self.explain(stacked(images, &self.input, self.classifier.device()))
    }
}

/// Wall and CPU time of an image in milliseconds, of a computation of so many.
fn timed(images: usize, mut run: impl FnMut() -> Result<()>) -> Result<String> {
    let (clock, cpu, mut computed) = (Instant::now(), ProcessTime::now(), 0);
    while computed == 0 || clock.elapsed() < MEASURED {
        run()?;
        computed += images;
    }
    let an_image = |time: Duration| time.as_secs_f64() * 1e3 / computed as f64;
    let (cpu, wall) = (an_image(cpu.elapsed()), an_image(clock.elapsed()));
    Ok(format!("wall={wall} cpu={cpu}"))
}

/// A method with so few passes as show how long one takes: `smooth-grad:samples=4`.
fn brief(method: &&Method) -> String {
    const SIDE: usize = 32;
    const MANY: usize = 10;
    let few = if matches!(method.needs.passes, Passes::ChannelsTimes(_)) { 1 } else { 4 };
    let option = |option: &MethodOption| match (option.values, method.needs.passes) {
        (Values::Count(_), Passes::Windows { .. }) => Some(format!("{}={SIDE}", option.name)),
        (Values::Count(count), _) if count >= MANY => Some(format!("{}={few}", option.name)),
        _ => None,
    };
    let options: Vec<String> = method.options.iter().filter_map(option).collect();
    match options.as_slice() {
        [] => method.name.to_owned(),
        options => format!("{}:{}", method.name, options.join(",")),
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
