//! How a window moves over a map: its size, strides and padding, and how many places it has.

use burncam_net::Padding;

use crate::keras::op::Refused;
use crate::onnx::model::NodeProto;

/// Before and after, along height and width.
pub(crate) type Sides = [[usize; 2]; 2];

/// A window and how it moves.
pub(crate) struct Window {
    pub(crate) size: [usize; 2],
    pub(crate) strides: [usize; 2],
    pub(crate) pads: Sides,
    /// TensorFlow's `same`, which ONNX calls `SAME_UPPER`.
    pub(crate) same: bool,
    /// A last window may begin before the end and reach past it.
    pub(crate) ceil: bool,
}

/// A window along one axis.
struct Along {
    kernel: usize,
    stride: usize,
    pads: [usize; 2],
}

impl Window {
    /// Along height and width.
    fn axes(&self) -> [Along; 2] {
        let ([height, width], [down, across]) = (self.size, self.strides);
        let [vertical, horizontal] = self.pads;
        [
            Along { kernel: height, stride: down, pads: vertical },
            Along { kernel: width, stride: across, pads: horizontal },
        ]
    }
}

pub(crate) fn odd(name: &str) -> Refused {
    Refused(format!("`{name}` is not a pair of sizes"))
}

pub(crate) fn pair(values: Option<&[i64]>) -> Option<[usize; 2]> {
    let sizes = values?.iter().map(|&v| usize::try_from(v).ok().filter(|&v| v > 0));
    sizes.collect::<Option<Vec<_>>>()?.try_into().ok()
}

pub(crate) fn window(node: &NodeProto, size: [usize; 2]) -> Result<Window, Refused> {
    if node.ints("kernel_shape").is_some_and(|_| pair(node.ints("kernel_shape")) != Some(size)) {
        return Err(odd("kernel_shape"));
    }
    let strides = match node.ints("strides") {
        Some(strides) => pair(Some(strides)).ok_or_else(|| odd("strides"))?,
        None => [1; 2],
    };
    let auto_pad = node.text("auto_pad", "NOTSET");
    let pads = node.ints("pads").unwrap_or(&[0; 4]);
    let pads: Option<Vec<usize>> = pads.iter().map(|&pad| pad.try_into().ok()).collect();
    // ONNX lists what comes before on each axis, then what comes after.
    let pads = match (auto_pad, pads.as_deref()) {
        ("NOTSET", Some(&[top, left, bottom, right])) => [[top, bottom], [left, right]],
        ("VALID" | "SAME_UPPER", _) => [[0; 2]; 2],
        (other, _) => return Err(Refused(format!("`auto_pad` is {other}, `pads` {pads:?}"))),
    };
    let (same, ceil) = (auto_pad == "SAME_UPPER", node.int("ceil_mode", 0) != 0);
    Ok(Window { size, strides, pads, same, ceil })
}

/// Which of Keras's two paddings a window has on an input of this size, if it is one.
pub(crate) fn padding(window: &Window, sizes: [Option<usize>; 2]) -> Option<Padding> {
    let none = window.pads == [[0; 2]; 2] && !window.same;
    if none && !window.ceil {
        return Some(Padding::Valid);
    }
    if window.same {
        return Some(Padding::Same);
    }
    let counts = windows(window, sizes);
    let fits = |padding: Padding| {
        sizes.into_iter().zip(counts).zip(window.axes()).all(|((size, count), along)| {
            let (Some(size), Some(count)) = (size, count) else { return false };
            let Along { kernel, stride, pads: [own_before, own_after] } = along;
            let [before, after] = same_pads(padding, size, kernel, stride);
            // With `ceil_mode` a window may reach past what is padded.
            let reach = (count.saturating_sub(1)).saturating_mul(stride).saturating_add(kernel);
            let past = reach.saturating_sub(size.saturating_add(own_before));
            let own_after = if window.ceil { past } else { own_after };
            count == padding.windows(size, kernel, stride)
                && [own_before, own_after] == [before, after]
        })
    };
    [Padding::Valid, Padding::Same].into_iter().find(|&padding| fits(padding))
}

/// PyTorch's padding: the same on all sides, and whole windows only.
pub(crate) fn around(window: &Window) -> Option<Padding> {
    let [[zeros, _], _] = window.pads;
    let alike = window.pads == [[zeros; 2]; 2] && !window.same && !window.ceil;
    alike.then_some(Padding::Around(zeros))
}

/// What a padding adds before and after an axis of this size.
pub(crate) fn same_pads(padding: Padding, size: usize, kernel: usize, stride: usize) -> [usize; 2] {
    match padding {
        Padding::Valid => [0; 2],
        Padding::Around(zeros) => [zeros; 2],
        Padding::Same => {
            let reach = size.div_ceil(stride).saturating_sub(1).saturating_mul(stride);
            let all = reach.saturating_add(kernel).saturating_sub(size);
            [all / 2, all.div_ceil(2)]
        }
    }
}

/// How many windows there are along each axis.
pub(crate) fn windows(window: &Window, sizes: [Option<usize>; 2]) -> [Option<usize>; 2] {
    let along = |size: Option<usize>, along: Along| {
        let (size, stride) = (size?, along.stride);
        if window.same {
            return size.checked_add(stride.checked_sub(1)?)?.checked_div(stride);
        }
        let [before, after] = along.pads;
        let padded = size.checked_add(before)?.checked_add(after)?;
        let room = padded.checked_sub(along.kernel)?;
        let rounded = if window.ceil { room.checked_add(stride.checked_sub(1)?)? } else { room };
        let moves = rounded.checked_div(stride)?;
        // The last window must begin inside the input or what is padded before it.
        let begins = moves.checked_mul(stride)?;
        let outside = window.ceil && begins >= size.checked_add(before)?;
        if outside { Some(moves) } else { moves.checked_add(1) }
    };
    let ([height, width], [down, across]) = (sizes, window.axes());
    [along(height, down), along(width, across)]
}
