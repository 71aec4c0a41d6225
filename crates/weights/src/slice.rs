//! Slices of maps, by the rules that Python and ONNX share.

use burncam_net::Op;

/// A slice along height, width and channels.
#[derive(Clone, Copy)]
pub(crate) struct Slice {
    pub(crate) begin: [usize; 3],
    pub(crate) step: [isize; 3],
    pub(crate) size: [usize; 3],
}

/// Begin, step and count along one axis.
pub(crate) type Range = (usize, isize, usize);

impl Slice {
    /// All of a map of this shape.
    pub(crate) fn whole(size: [usize; 3]) -> Self {
        Self { begin: [0; 3], step: [1; 3], size }
    }

    /// Takes this range along an axis; there are three.
    pub(crate) fn along(&mut self, axis: usize, (begin, step, size): Range) {
        let own = self.begin.get_mut(axis).zip(self.step.get_mut(axis));
        if let Some(((own_begin, own_step), own_size)) = own.zip(self.size.get_mut(axis)) {
            (*own_begin, *own_step, *own_size) = (begin, step, size);
        }
    }

    pub(crate) fn op(self) -> Op {
        let Self { begin, step, size } = self;
        Op::Slice { begin, step, size }
    }
}

/// A place counted from the end where it is negative, from the start.
pub(crate) fn from_start(index: i64, length: i64) -> i64 {
    if index < 0 { index.saturating_add(length) } else { index }
}

/// The range of so many positions from `start` to before `end` by `step`, if it is not empty.
pub(crate) fn range([start, end, step]: [i64; 3], size: usize) -> Option<Range> {
    let size = i64::try_from(size).ok()?;
    let [start, end] = [from_start(start, size), from_start(end, size)];
    let last = size.checked_sub(1)?;
    let (begin, length) = match step {
        0 => return None,
        1.. => {
            let begin = start.clamp(0, size);
            (begin, end.clamp(0, size).checked_sub(begin)?)
        }
        _ => {
            let begin = start.clamp(0, last);
            (begin, begin.checked_sub(end.clamp(-1, last))?)
        }
    };
    let count = length.max(0).unsigned_abs().div_ceil(step.unsigned_abs());
    let count = usize::try_from(count).ok().filter(|&count| count > 0)?;
    Some((usize::try_from(begin).ok()?, isize::try_from(step).ok()?, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_pythons() {
        for (range_of, size, expected) in [
            ([0, i64::MAX, 1], 5, Some((0, 1, 5))),
            ([-1, i64::MIN, -1], 5, Some((4, -1, 5))),
            ([1, -1, 2], 6, Some((1, 2, 2))),
            ([2, 3, 1], 3, Some((2, 1, 1))),
            ([3, 3, 1], 5, None),
            ([0, 5, 0], 5, None),
        ] {
            assert_eq!(range(range_of, size), expected, "{range_of:?} of {size}");
        }
    }
}
