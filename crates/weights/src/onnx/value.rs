//! What flows through an ONNX graph: activations with named axes, tensors, and sizes.
//!
//! The axes are why a layout does not matter: a transposition renames no layer, it only changes
//! the order in which the same axes stand.

use crate::keras::op::Refused;

/// What one axis of an activation runs along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Axis {
    Batch,
    Channel,
    Height,
    Width,
    /// Height, width and channels in one.
    Flat,
}

/// The order of ONNX's own operators.
pub(crate) const NCHW: [Axis; 4] = [Axis::Batch, Axis::Channel, Axis::Height, Axis::Width];
/// The order of Keras.
pub(crate) const NHWC: [Axis; 4] = [Axis::Batch, Axis::Height, Axis::Width, Axis::Channel];

/// One axis and its size, where that is known.
pub(crate) type Extent = (Axis, Option<usize>);

/// The output of a layer, as an operator meets it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Flow {
    /// The layer.
    pub(crate) node: String,
    /// Its axes, in this order.
    pub(crate) axes: Vec<Extent>,
    /// What was flattened, in which order; empty where nothing was.
    pub(crate) flat: Vec<(Axis, usize)>,
    /// Whether no other operator reads what the layer gives.
    pub(crate) alone: bool,
}

/// A value of the graph.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Flow(Flow),
    /// The tensor of this name.
    Tensor(String),
    /// Sizes, computed; the batch's is open.
    Sizes(Vec<Option<i64>>),
}

impl Flow {
    /// What a new layer gives.
    pub(crate) fn new(node: String, axes: Vec<Extent>) -> Self {
        Self { node, axes, flat: Vec::new(), alone: true }
    }

    pub(crate) fn order(&self) -> Vec<Axis> {
        self.axes.iter().map(|(axis, _)| *axis).collect()
    }

    /// The size of an axis; 1 if there is no such axis.
    pub(crate) fn size(&self, axis: Axis) -> Option<usize> {
        self.axes.iter().find(|(own, _)| *own == axis).map_or(Some(1), |(_, size)| *size)
    }

    /// An axis by its index, which may count from the end.
    pub(crate) fn axis(&self, index: i64) -> Option<usize> {
        let count = self.axes.len() as i64;
        let index = from_start(index, count);
        usize::try_from(index).ok().filter(|&index| index < self.axes.len())
    }

    /// The sizes without the batch's, all known.
    fn inner_sizes(&self) -> Result<Vec<usize>, Refused> {
        let sizes = self.axes.iter().skip(1).map(|(_, size)| *size);
        sizes.collect::<Option<_>>().ok_or_else(|| {
            let why = "the height and width of its input are open; export with an input of a fixed \
                       size";
            Refused(why.to_owned())
        })
    }

    /// The same numbers in another shape, given without the batch's size; -1 stands for what is
    /// left. True if height and width went into one axis with the channels.
    pub(crate) fn reshape(&self, target: &[i64]) -> Result<(Self, bool), Refused> {
        let refused = || Refused(format!("it makes {:?} of {}", target, self.describe()));
        let Some((&batch @ (Axis::Batch, _), inner)) = self.axes.split_first() else {
            return Err(refused());
        };
        let sizes = self.inner_sizes()?;
        let target = filled(target, &sizes).ok_or_else(refused)?;
        let own: Vec<Extent> = inner.iter().filter(|(_, s)| *s != Some(1)).copied().collect();
        let kept: Vec<usize> = target.iter().copied().filter(|&size| size != 1).collect();
        let same = own.iter().map(|(_, size)| *size).eq(kept.iter().map(|&size| Some(size)));
        if same {
            let axes = relabelled(&own, &target).ok_or_else(refused)?;
            let lost =
                |axis| self.order().contains(&axis) && !axes.iter().any(|(own, _)| *own == axis);
            let flattens = lost(Axis::Height) || lost(Axis::Width);
            return Ok((Self { axes, ..self.clone() }, flattens));
        }
        if let (&[all], [_], []) = (kept.as_slice(), target.as_slice(), self.flat.as_slice()) {
            let flat = inner.iter().map(|&(axis, size)| (axis, size.unwrap_or(1)));
            let axes = vec![batch, (Axis::Flat, Some(all))];
            return Ok((Self { axes, flat: flat.collect(), ..self.clone() }, true));
        }
        Err(refused())
    }

    pub(crate) fn describe(&self) -> String {
        let axis = |(axis, size): &Extent| match size {
            Some(size) => format!("{axis:?} {size}").to_lowercase(),
            None => format!("{axis:?}").to_lowercase(),
        };
        let axes: Vec<String> = self.axes.iter().map(axis).collect();
        format!("[{}]", axes.join(", "))
    }
}

/// An index that counts from the end where it is negative, from the start.
pub(crate) fn from_start(index: i64, length: i64) -> i64 {
    if index < 0 { index.saturating_add(length) } else { index }
}

/// A shape whose -1 is what the others leave of all numbers.
fn filled(target: &[i64], sizes: &[usize]) -> Option<Vec<usize>> {
    let all = sizes.iter().try_fold(1_usize, |all, &size| all.checked_mul(size))?;
    let given = target.iter().filter(|&&size| size != -1);
    let mut given = given.map(|&size| usize::try_from(size).ok().filter(|&size| size > 0));
    let given = given.try_fold(1_usize, |all, size| all.checked_mul(size?))?;
    let open = target.iter().filter(|&&size| size == -1).count();
    let left = all.checked_div(given).filter(|left| left.checked_mul(given) == Some(all))?;
    if open > 1 || open == 0 && left != 1 {
        return None;
    }
    target
        .iter()
        .map(|&size| if size == -1 { Some(left) } else { usize::try_from(size).ok() })
        .collect()
}

/// Axes for sizes that are those of `own` and ones: the ones are axes that have no place yet.
fn relabelled(own: &[Extent], target: &[usize]) -> Option<Vec<Extent>> {
    let mut free: Vec<Axis> = [Axis::Height, Axis::Width, Axis::Channel]
        .into_iter()
        .filter(|axis| !own.iter().any(|(taken, _)| taken == axis))
        .collect();
    let mut own = own.iter();
    let mut axes = vec![(Axis::Batch, None)];
    for &size in target {
        axes.push(match size {
            1 if free.is_empty() => return None,
            1 => (free.remove(0), Some(1)),
            _ => *own.next()?,
        });
    }
    Some(axes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(order: [Axis; 4], sizes: [usize; 3]) -> Flow {
        let sizes = [None, Some(sizes[0]), Some(sizes[1]), Some(sizes[2])];
        Flow::new("a".to_owned(), order.into_iter().zip(sizes).collect())
    }

    #[test]
    fn a_vector_of_channels_becomes_a_map_in_either_layout() {
        let pooled = flow(NCHW, [256, 1, 1]);
        let (vector, _) = pooled.reshape(&[256]).expect("a vector");
        assert_eq!(vector.order(), [Axis::Batch, Axis::Channel]);
        for (target, order) in [([256, 1, 1], NCHW), ([1, 1, -1], NHWC)] {
            assert_eq!(vector.reshape(&target).expect("a map").0.order(), order);
        }
    }

    #[test]
    fn flattening_remembers_the_order() {
        let (flat, flattens) = flow(NCHW, [64, 6, 5]).reshape(&[-1]).expect("flat");
        assert!(flattens);
        assert_eq!(flat.flat, [(Axis::Channel, 64), (Axis::Height, 6), (Axis::Width, 5)]);
    }

    #[test]
    fn shapes_that_mix_axes_are_refused() {
        let map = flow(NCHW, [64, 6, 5]);
        for target in [&[64, 5, 6][..], &[2, 32, 6, 5], &[64, 30], &[7], &[-1, -1], &[0]] {
            assert!(map.reshape(target).is_err(), "{target:?}");
        }
    }
}
