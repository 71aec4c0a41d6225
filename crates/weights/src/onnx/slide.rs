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
    /// Positions from one number of the window to the next.
    pub(crate) dilation: [usize; 2],
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
        let [sparse, far] = self.dilation;
        let extent = |size: usize, dilation: usize| {
            size.saturating_sub(1).saturating_mul(dilation).saturating_add(1)
        };
        let (height, width) = (extent(height, sparse), extent(width, far));
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
    pair_of(values, 1)
}

/// Two sizes, each of so much at least.
pub(crate) fn pair_of(values: Option<&[i64]>, least: usize) -> Option<[usize; 2]> {
    let sizes = values?.iter().map(|&v| usize::try_from(v).ok().filter(|&v| v >= least));
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
    let dilation = match node.ints("dilations") {
        Some(dilation) => pair(Some(dilation)).ok_or_else(|| odd("dilations"))?,
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
    Ok(Window { size, strides, dilation, pads, same, ceil })
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

/// What must be around a map for whole windows, of which the last may reach past its pads.
pub(crate) fn border(window: &Window, sizes: [Option<usize>; 2]) -> Option<Sides> {
    if !window.ceil {
        return Some(window.pads).filter(|_| !window.same);
    }
    let counts = windows(window, sizes);
    let mut sides = window.pads;
    let along = sides.iter_mut().zip(window.axes()).zip(sizes.into_iter().zip(counts));
    for (([before, after], Along { kernel, stride, .. }), (size, count)) in along {
        let reach = count?.checked_sub(1)?.checked_mul(stride)?.checked_add(kernel)?;
        *after = reach.saturating_sub(size?.checked_add(*before)?);
    }
    Some(sides)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn pooling(size: usize, stride: usize, pads: usize) -> Window {
        Window {
            size: [size; 2],
            strides: [stride; 2],
            dilation: [1; 2],
            pads: [[pads; 2]; 2],
            same: false,
            ceil: true,
        }
    }

    #[test]
    fn a_last_window_that_reaches_past_the_border_is_padding() {
        // An even side has a window more than whole ones, an odd one has not.
        let window = pooling(3, 2, 0);
        assert_eq!(padding(&window, [Some(12), Some(14)]), Some(Padding::Same));
        assert_eq!(padding(&window, [Some(13), Some(15)]), Some(Padding::Valid));
        let uneven = [Some(12), Some(15)];
        assert_eq!(padding(&window, uneven), None);
        assert_eq!(windows(&window, uneven), [Some(6), Some(7)]);
        assert_eq!(border(&window, uneven), Some([[0, 1], [0, 0]]));
        // A window must begin before what is padded behind the map: there are 4, not 5.
        let window = pooling(2, 2, 1);
        assert_eq!(windows(&window, [Some(7), Some(8)]), [Some(4), Some(5)]);
        assert_eq!(border(&window, [Some(7), Some(8)]), Some([[1, 0], [1, 1]]));
        assert_eq!(border(&pooling(3, 2, 0), [None, Some(8)]), None);
    }

    #[test]
    fn a_window_with_gaps_is_as_large_as_what_it_spans() {
        let window = Window { dilation: [2, 3], ceil: false, ..pooling(3, 1, 0) };
        assert_eq!(windows(&window, [Some(10), Some(10)]), [Some(6), Some(4)]);
        let same = Window { pads: [[2; 2], [3; 2]], ..window };
        assert_eq!(padding(&same, [Some(10), Some(10)]), Some(Padding::Same));
        let far = Window { dilation: [usize::MAX, 1], ..same };
        assert_eq!(windows(&far, [Some(10), Some(10)])[0], None);
    }
}
