//! Where to compute.

mod adapters;
mod batch;
mod precision;
mod request;

use anyhow::{Result, bail};
use burn::tensor::Device;

use crate::{Message, Observer};
pub use adapters::{Adapter, adapters};
pub use batch::{CPU_BATCH, Needs, at_once, batch, workers};
pub use precision::Precision;
pub use request::Request;

/// A device that was chosen, and why.
#[derive(Debug)]
pub struct Choice {
    /// The device.
    pub device: Device,
    /// The graphics adapter, unless it is the CPU.
    pub adapter: Option<Adapter>,
    /// The adapter's name, or how many threads the CPU has.
    pub name: String,
    /// Burn's backend, with the graphics API and driver of a GPU.
    pub backend: String,
    /// What it computes in.
    pub precision: Precision,
    /// Why this one.
    pub reason: Message,
    /// How it compares with the CPU, where that was asked.
    pub verified: Option<String>,
}

const INSTALL: &str = "a GPU is reached through Vulkan, Metal or DX12; install its driver (and on \
                       Linux the Vulkan loader, package `libvulkan1`), or use `--device cpu`";

/// Chooses devices; more than one only where several are asked for. `auto` never takes a software
/// rasteriser, and falls back to the CPU.
///
/// # Errors
///
/// If what is asked for is not there, cannot be opened, or cannot compute in `precision`.
pub fn choose(
    request: &Request,
    precision: Precision,
    observer: &dyn Observer,
) -> Result<Vec<Choice>> {
    let program = observer.program();
    let choices = find(request, precision, program)?;
    match choices.iter().find(|choice| choice.precision != precision) {
        Some(choice) => bail!(
            "the {} ({}) does not compute in {precision}: {}\nhint: leave out --precision, or name a \
             GPU with --device; `{} devices` says which can",
            choice.kind(),
            choice.name,
            choice.reason.english(),
            program,
        ),
        None => Ok(choices),
    }
}

fn find(request: &Request, precision: Precision, program: &str) -> Result<Vec<Choice>> {
    if *request == Request::Cpu {
        return Ok(vec![cpu(asked_for())]);
    }
    let all = adapters();
    let hardware: Vec<&Adapter> = all.iter().filter(|adapter| adapter.is_hardware()).collect();
    let wanted = match request {
        Request::Auto | Request::Cpu => match auto(&all) {
            Ok(adapter) => match open(adapter, precision, present(), program) {
                Ok(choice) => return Ok(vec![choice]),
                Err(error) => {
                    let text = error.to_string();
                    let first = text.lines().next().unwrap_or_default();
                    return Ok(vec![cpu(no_gpu(first))]);
                }
            },
            Err(reason) => return Ok(vec![cpu(reason)]),
        },
        Request::Gpu => hardware.into_iter().take(1).collect(),
        Request::AllGpus => hardware,
        Request::Number(number) => hardware.into_iter().skip(*number).take(1).collect(),
        Request::Named(names) => {
            let mut taken = Vec::new();
            return names
                .iter()
                .map(|name| named(name, (precision, program), &all, &mut taken))
                .collect();
        }
    };
    if wanted.is_empty() {
        let number = match request {
            Request::Number(number) => format!(" number {number}"),
            _ => String::new(),
        };
        bail!(
            "there is no GPU{number} to compute on: {}\nhint: {INSTALL}; `{} devices` lists what is \
             found",
            found(&all).english(),
            program
        );
    }
    wanted.into_iter().map(|adapter| open(adapter, precision, asked_for(), program)).collect()
}

/// Chooses the one device of a command that cannot use more.
///
/// # Errors
///
/// As [`choose`]; or if several are asked for.
pub fn one(request: &Request, precision: Precision, observer: &dyn Observer) -> Result<Choice> {
    let mut choices = choose(request, precision, observer)?;
    match (choices.pop(), choices.is_empty()) {
        (Some(choice), true) => Ok(choice),
        _ => bail!("--device {request} means several devices, and this command uses one"),
    }
}

/// The adapter that `auto` takes, or why it takes the CPU.
pub fn auto(adapters: &[Adapter]) -> Result<&Adapter, Message> {
    let hardware = adapters.iter().find(|adapter| adapter.is_hardware());
    hardware.ok_or_else(|| no_gpu(found(adapters)))
}

/// The first adapter that is not taken and whose name holds `name`, in any case; or the CPU.
fn named<'a>(
    name: &str,
    (precision, program): (Precision, &str),
    all: &'a [Adapter],
    taken: &mut Vec<&'a Adapter>,
) -> Result<Choice> {
    if name.eq_ignore_ascii_case("cpu") {
        return Ok(cpu(asked_for()));
    }
    let lower = name.to_lowercase();
    let fits = |adapter: &&Adapter| adapter.name.to_lowercase().contains(&lower);
    match all.iter().filter(fits).find(|adapter| !taken.contains(adapter)) {
        Some(adapter) if !name.is_empty() => {
            taken.push(adapter);
            open(adapter, precision, asked_for(), program)
        }
        _ => bail!(
            "there is no {}device `{name}`: {}\nhint: --device takes auto, cpu, gpu, gpu:N, gpu:all or \
             part of an adapter's name; `{} devices` lists them",
            if !name.is_empty() && all.iter().any(|one| fits(&one)) { "other " } else { "" },
            found(all).english(),
            program
        ),
    }
}

fn open(adapter: &Adapter, precision: Precision, reason: Message, program: &str) -> Result<Choice> {
    if precision == Precision::Half && !adapter.half {
        bail!(
            "{} does not compute in {precision}: its driver has no 16-bit floating point\nhint: leave \
             out --precision, or choose another device; `{} devices` says which can",
            adapter.name,
            program
        );
    }
    match adapter.open(precision) {
        Ok(device) => Ok(Choice {
            device,
            precision,
            name: adapter.name.clone(),
            backend: format!(
                "wgpu without fusion and autotune, {}, {}",
                adapter.api, adapter.driver
            ),
            reason,
            adapter: Some(adapter.clone()),
            verified: None,
        }),
        Err(error) => bail!("the driver of {} refuses: {error}\nhint: {INSTALL}", adapter.name),
    }
}

/// The CPU, for a reason.
pub fn cpu(reason: Message) -> Choice {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    Choice {
        device: Device::flex(),
        adapter: None,
        name: format!("{threads} threads, {}", std::env::consts::ARCH),
        backend: "flex".to_owned(),
        precision: Precision::Single,
        reason,
        verified: None,
    }
}

impl Choice {
    /// `cpu`, `gpu`, or `software GPU` for a rasteriser.
    pub fn kind(&self) -> &'static str {
        match &self.adapter {
            None => "cpu",
            Some(adapter) if adapter.is_hardware() => "gpu",
            Some(_) => "software GPU",
        }
    }
}

/// Says what will compute.
pub fn tell(choices: &[Choice], observer: &dyn Observer) {
    for choice in choices {
        let (kind, name) = (choice.kind(), &choice.name);
        let (backend, reason) = (&choice.backend, &choice.reason);
        let half = match choice.precision {
            Precision::Single => Message::from(""),
            Precision::Half => {
                Message::new(format!(" in {}", Precision::Half), format!(" em {}", Precision::Half))
            }
        };
        let start = Message::new(
            format!("Computing on the {kind} ({name}, {backend})"),
            format!("Calculando em {kind} ({name}, {backend})"),
        );
        observer.note(start.then(half).then(": ").then(reason.clone()).then("."));
    }
}

fn asked_for() -> Message {
    Message::new("asked for", "escolha do usuário")
}

fn present() -> Message {
    Message::new("a hardware GPU is present", "há uma GPU física")
}

fn no_gpu(why: impl Into<Message>) -> Message {
    Message::new("no GPU: ", "sem GPU: ").then(why)
}

/// What adapters there are, in words.
fn found(adapters: &[Adapter]) -> Message {
    let listed = |software: &str| {
        let names = adapters.iter().map(|adapter| match adapter.is_hardware() {
            true => format!("`{}`", adapter.name),
            false => format!("`{}` {software}", adapter.name),
        });
        names.collect::<Vec<_>>().join(", ")
    };
    match adapters {
        [] => {
            Message::new("no graphics adapter is found", "nenhum adaptador gráfico foi encontrado")
        }
        _ => Message::new(
            listed("is a software rasteriser, far slower than the CPU itself"),
            listed("é um rasterizador por software, muito mais lento que a própria CPU"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observer::Silent;

    #[test]
    fn the_cpu_is_there_when_asked_for() {
        let choices = choose(&Request::Cpu, Precision::Single, &Silent).expect("a CPU");
        assert_eq!((choices[0].kind(), choices[0].backend.as_str()), ("cpu", "flex"));
    }

    #[test]
    fn the_cpu_does_not_compute_in_half_precision() {
        let error = choose(&Request::Cpu, Precision::Half, &Silent).expect_err("no half precision");
        assert!(error.to_string().contains("does not compute in f16"), "{error}");
    }
}
