//! A map with a factor for each channel, onto another map.

use burn::tensor::DType;
use burncam_kernels::Activation;

use super::Map;
use super::function::Function;
use super::launch::{Program, launch};

const THREADS: usize = 256;

/// Workgroups across; others lie below them.
const ACROSS: usize = 1024;

/// `function(map * factors + shortcut)`, where `factors` has one position. `None` where the number of
/// channels is none that the program can do.
pub(crate) fn scale_and_add(
    map: &Map,
    factors: &Map,
    shortcut: &Map,
    function: Activation,
) -> Option<Map> {
    let shape = map.shape;
    if !shape.channels.is_multiple_of(4) {
        return None;
    }
    let output = map.room(shape);
    let program = Scale {
        half: map.tensor.dtype == DType::F16,
        channels: shape.channels,
        positions: shape.height * shape.width,
        function: Function::from_activation(function),
    };
    let count = shape.len() / 4;
    let down = count.div_ceil(THREADS).div_ceil(ACROSS);
    let reads = [&map.tensor, &factors.tensor, &shortcut.tensor];
    launch(program, &reads, &output.tensor, [ACROSS, down], count);
    Some(output)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Scale {
    half: bool,
    channels: usize,
    positions: usize,
    function: Function,
}

impl Program for Scale {
    fn threads(&self) -> usize {
        THREADS
    }

    fn text(&self) -> String {
        let (enable, element) = if self.half { ("enable f16;\n", "f16") } else { ("", "f32") };
        let channels4 = self.channels / 4;
        format!(
            "{enable}
@group(0) @binding(0) var<storage, read_write> input: array<vec4<{element}>>;
@group(0) @binding(1) var<storage, read_write> factors: array<vec4<{element}>>;
@group(0) @binding(2) var<storage, read_write> shortcut: array<vec4<{element}>>;
@group(0) @binding(3) var<storage, read_write> output: array<vec4<{element}>>;
@group(0) @binding(4) var<storage, read> info: array<u32>;

@compute @workgroup_size({THREADS})
fn main(
    @builtin(local_invocation_index) thread: u32,
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {{
    let at = ((group.z * groups.y + group.y) * {ACROSS}u + group.x) * {THREADS}u + thread;
    if at >= info[0] {{
        return;
    }}
    let factor = vec4<f32>(factors[at / {image}u * {channels4}u + at % {channels4}u]);
    let value = vec4<f32>(input[at]) * factor + vec4<f32>(shortcut[at]);
    output[at] = vec4<{element}>({result});
}}
",
            image = self.positions * channels4,
            result = self.function.of_value("value"),
        )
    }
}
