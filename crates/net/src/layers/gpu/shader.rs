//! The text of the convolution's program.

use std::fmt::Write as _;

use burncam_kernels::Window;

use super::function::Function;
use super::launch::Program;

/// Everything that the text depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Convolving {
    pub tile: Tile,
    pub half: bool,
    /// Height and width.
    pub input: [usize; 2],
    pub output: [usize; 2],
    pub channels: usize,
    pub filters: usize,
    pub size: [usize; 2],
    pub strides: [usize; 2],
    pub before: [usize; 2],
    pub onto: bool,
    pub function: Function,
}

/// What a workgroup computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Tile {
    /// Output positions, and those of a thread.
    pub rows: usize,
    pub rows_each: usize,
    /// Filters, and those of a thread.
    pub columns: usize,
    pub columns_each: usize,
    /// Numbers of each window at a time.
    pub depth: usize,
}

/// rows and those of a thread, columns and those of a thread, depth; the largest first. Both buffers of
/// each take 16 KiB at most, which every GPU has.
pub(super) const TILES: [Tile; 4] = [
    tile([128, 8], [128, 8], 8),
    tile([128, 8], [64, 8], 8),
    tile([64, 4], [64, 4], 16),
    tile([32, 4], [32, 4], 16),
];

const fn tile(rows: [usize; 2], columns: [usize; 2], depth: usize) -> Tile {
    Tile { rows: rows[0], rows_each: rows[1], columns: columns[0], columns_each: columns[1], depth }
}

impl Tile {
    fn threads(self) -> usize {
        self.across() * (self.rows / self.rows_each)
    }

    fn across(self) -> usize {
        self.columns / self.columns_each
    }

    /// Fours of the windows that a thread brings for a step.
    fn windows_each(self) -> usize {
        self.rows * self.depth / 4 / self.threads()
    }

    fn filters_each(self) -> usize {
        self.columns * self.depth / 4 / self.threads()
    }
}

impl Program for Convolving {
    fn threads(&self) -> usize {
        self.tile.threads()
    }

    fn text(&self) -> String {
        self.source()
    }
}

const BODY: &str = include_str!("shader.wgsl");

impl Convolving {
    pub(super) fn new(
        window: Window,
        [channels, filters]: [usize; 2],
        [input, output]: [[usize; 2]; 2],
        tile: Tile,
    ) -> Self {
        let Window { size, strides, before, .. } = window;
        let (half, onto, function) = (false, false, Function::Linear);
        Self { tile, half, input, output, channels, filters, size, strides, before, onto, function }
    }

    /// Numbers of a window.
    fn depth(&self) -> usize {
        self.size[0] * self.size[1] * self.channels
    }

    /// Whether each step lies within one place of the window.
    fn by_fours(&self) -> bool {
        self.channels.is_multiple_of(self.tile.depth)
    }

    fn source(&self) -> String {
        let Tile { rows, columns, depth, .. } = self.tile;
        let numbers = [
            ("window_room", 2 * rows * depth / 4),
            ("filter_room", 2 * columns * depth / 4),
            ("window_half", rows * depth / 4),
            ("filter_half", columns * depth / 4),
            ("threads", self.tile.threads()),
            ("threads_across", self.tile.across()),
            ("rows", rows),
            ("columns4", columns / 4),
            ("depth4", depth / 4),
            ("steps", self.depth().div_ceil(depth)),
        ];
        let parts = [
            ("places", self.places()),
            ("accumulators", self.accumulators()),
            ("fetch", self.fetch(true)),
            ("fetch_next", self.fetch(false)),
            ("store_first", self.store("0u")),
            ("store_next", self.store("other")),
            ("multiply", self.multiply()),
            ("finish", self.finish()),
        ];
        let mut text = self.head() + BODY;
        for (name, number) in numbers {
            text = text.replace(&format!("{{{{{name}}}}}"), &number.to_string());
        }
        for (name, part) in parts {
            text = text.replace(&format!("{{{{{name}}}}}"), &part);
        }
        text
    }

    /// Types and buffers, and the functions that read them.
    fn head(&self) -> String {
        [self.buffers(), self.window(), self.part_of(), self.weight()].concat()
    }

    fn buffers(&self) -> String {
        let (enable, element) = if self.half { ("enable f16;\n", "f16") } else { ("", "f32") };
        let input = if self.by_fours() { format!("vec4<{element}>") } else { element.to_owned() };
        let four = format!("vec4<{element}>");
        let mut buffers =
            vec![("input", input), ("weights", four.clone()), ("bias", "vec4<f32>".to_owned())];
        if self.onto {
            buffers.push(("shortcut", four.clone()));
        }
        buffers.push(("output", four));
        let mut text = enable.to_owned();
        for (number, (name, kind)) in buffers.iter().enumerate() {
            // Burn keeps tensors in common buffers, which have to be writable as a whole.
            let _ = writeln!(
                text,
                "@group(0) @binding({number}) var<storage, read_write> {name}: array<{kind}>;"
            );
        }
        let number = buffers.len();
        let _ = writeln!(text, "@group(0) @binding({number}) var<storage, read> info: array<u32>;");
        text
    }

    /// The first position of the image that a row belongs to, and where its window begins.
    fn window(&self) -> String {
        let [height, width] = self.input;
        let [output_height, output_width] = self.output;
        let [stride_y, stride_x] = self.strides;
        let [top, left] = self.before;
        format!(
            "fn window(row: u32, rows: u32) -> vec3<i32> {{
    if row >= rows {{ return vec3<i32>(0, -1000000, 0); }}
    let image = row / {positions}u;
    let position = row % {positions}u;
    let y = i32(position / {output_width}u) * {stride_y} - {top};
    let x = i32(position % {output_width}u) * {stride_x} - {left};
    return vec3<i32>(i32(image) * {pixels}, y, x);
}}
",
            positions = output_height * output_width,
            pixels = height * width,
        )
    }

    /// Four numbers of a window, and where the next step finds them.
    fn part_of(&self) -> String {
        let ([height, width], [_, window_width]) = (self.input, self.size);
        let inside = format!("y >= 0 && y < {height} && x >= 0 && x < {width}");
        let (channels, channels4) = (self.channels, self.channels / 4);
        let (depth4, all) = (self.tile.depth / 4, self.depth());
        if self.by_fours() {
            return format!(
                "fn next(place: vec3<u32>) -> vec3<u32> {{
    var found = place + vec3<u32>(0u, 0u, {depth4}u);
    if found.z == {channels4}u {{ found = vec3<u32>(found.x, found.y + 1u, 0u); }}
    if found.y == {window_width}u {{ found = vec3<u32>(found.x + 1u, 0u, 0u); }}
    return found;
}}
fn part_of(window: vec3<i32>, place: vec3<u32>, part: u32) -> vec4<f32> {{
    let y = window.y + i32(place.x);
    let x = window.z + i32(place.y);
    if {inside} {{
        return vec4<f32>(input[u32(window.x + y * {width} + x) * {channels4}u + place.z + part]);
    }}
    return vec4<f32>(0.0);
}}
"
            );
        }
        format!(
            "fn next(place: vec3<u32>) -> vec3<u32> {{ return place + vec3<u32>(0u, 0u, {depth4}u); }}
fn one(window: vec3<i32>, number: u32) -> f32 {{
    let tap = number / {channels}u;
    let y = window.y + i32(tap / {window_width}u);
    let x = window.z + i32(tap % {window_width}u);
    if number < {all}u && {inside} {{
        return f32(input[u32(window.x + y * {width} + x) * {channels}u + number % {channels}u]);
    }}
    return 0.0;
}}
fn part_of(window: vec3<i32>, place: vec3<u32>, part: u32) -> vec4<f32> {{
    let number = 4u * (place.z + part);
    return vec4<f32>(one(window, number), one(window, number + 1u), one(window, number + 2u), one(window, number + 3u));
}}
"
        )
    }

    fn weight(&self) -> String {
        format!(
            "fn weight(step: u32, row: u32, column: u32) -> vec4<f32> {{
    let number = step * {depth}u + row;
    if number < {all}u && column < {filters4}u {{
        return vec4<f32>(weights[number * {filters4}u + column]);
    }}
    return vec4<f32>(0.0);
}}
",
            depth = self.tile.depth,
            all = self.depth(),
            filters4 = self.filters / 4,
        )
    }

    /// Where the windows begin that a thread brings.
    fn places(&self) -> String {
        let (threads, depth4) = (self.tile.threads(), self.tile.depth / 4);
        let mut text = String::new();
        for part in 0..self.tile.windows_each() {
            let _ = writeln!(
                text,
                "    let window{part} = window(first_row + (thread + {}u) / {depth4}u, positions);",
                part * threads
            );
        }
        text
    }

    fn accumulators(&self) -> String {
        let mut text = String::new();
        for (row, column) in self.own() {
            let _ = writeln!(text, "    var sum{row}_{column} = vec4<f32>(0.0);");
        }
        text
    }

    /// Rows and fours of columns of a thread.
    fn own(&self) -> impl Iterator<Item = (usize, usize)> {
        let fours = self.tile.columns_each / 4;
        (0..self.tile.rows_each).flat_map(move |row| (0..fours).map(move |column| (row, column)))
    }

    fn fetch(&self, first: bool) -> String {
        let (threads, depth4) = (self.tile.threads(), self.tile.depth / 4);
        let columns4 = self.tile.columns / 4;
        let (declare, step) = if first { ("var ", "0u") } else { ("", "step + 1u") };
        let mut text = String::new();
        for part in 0..self.tile.windows_each() {
            let _ = writeln!(
                text,
                "    {declare}of_window{part} = part_of(window{part}, place, (thread + {}u) % {depth4}u);",
                part * threads
            );
        }
        for part in 0..self.tile.filters_each() {
            let index = part * threads;
            let _ = writeln!(
                text,
                "    {declare}of_filter{part} = weight({step}, (thread + {index}u) / {columns4}u, first_column + (thread + {index}u) % {columns4}u);"
            );
        }
        text
    }

    fn store(&self, half: &str) -> String {
        let Tile { rows, columns, depth, .. } = self.tile;
        let threads = self.tile.threads();
        let mut text = String::new();
        for (name, count, room) in [
            ("window", self.tile.windows_each(), rows * depth / 4),
            ("filter", self.tile.filters_each(), columns * depth / 4),
        ] {
            for part in 0..count {
                let index = part * threads;
                let _ = writeln!(
                    text,
                    "    {name}s[{half} * {room}u + thread + {index}u] = of_{name}{part};"
                );
            }
        }
        text
    }

    fn multiply(&self) -> String {
        let Tile { rows, rows_each, columns, columns_each, depth } = self.tile;
        let (down, across) = (rows / rows_each, self.tile.across());
        let mut text = String::new();
        for four in 0..depth / 4 {
            let _ = writeln!(text, "    {{");
            for row in 0..rows_each {
                let at = row * down * depth / 4 + four;
                let _ = writeln!(text, "    let a{row} = windows[from_window + {at}u];");
            }
            for (number, part) in ["x", "y", "z", "w"].into_iter().enumerate() {
                for column in 0..columns_each / 4 {
                    let at = (4 * four + number) * columns / 4 + column * across;
                    let _ = writeln!(
                        text,
                        "    let b{number}_{column} = filters[from_filter + {at}u];"
                    );
                }
                for (row, column) in self.own() {
                    let _ = writeln!(
                        text,
                        "    sum{row}_{column} += a{row}.{part} * b{number}_{column};"
                    );
                }
            }
            let _ = writeln!(text, "    }}");
        }
        text
    }

    /// Bias, shortcut and activation, and into memory.
    fn finish(&self) -> String {
        let (down, across) = (self.tile.rows / self.tile.rows_each, self.tile.across());
        let filters4 = self.filters / 4;
        let element = if self.half { "f16" } else { "f32" };
        let mut text = String::new();
        for column in 0..self.tile.columns_each / 4 {
            let _ = writeln!(
                text,
                "    let column{column} = first_column + own_column + {}u;
    if column{column} < {filters4}u {{
    let bias{column} = bias[column{column}];",
                column * across
            );
            for row in 0..self.tile.rows_each {
                let shortcut = if self.onto { " + vec4<f32>(shortcut[at])" } else { "" };
                let value = self.function.of_value("value");
                let _ = writeln!(
                    text,
                    "    {{ let row = first_row + own_row + {}u;
    if row < positions {{
        let at = row * {filters4}u + column{column};
        let value = sum{row}_{column} + bias{column}{shortcut};
        output[at] = vec4<{element}>({value});
    }} }}",
                    row * down
                );
            }
            let _ = writeln!(text, "    }}");
        }
        text
    }
}
