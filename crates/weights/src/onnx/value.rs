//! What flows through an ONNX graph: activations with named axes, tensors, and sizes.
//!
//! The axes are why a layout does not matter: a transposition renames no layer, it only changes
//! the order in which the same axes stand.

use std::iter;

use crate::keras::op::Refused;
use crate::slice::from_start;

/// What one axis of an activation runs along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Axis {
    Batch,
    Channel,
    Height,
    Width,
    /// Height, width and channels in one.
    Flat,
    /// Height and width in one.
    Place,
    /// Which of some equal groups of channels.
    Group,
    /// Which channel of a group.
    Member,
    /// Where in a group: its channels, height and width in one.
    Rest,
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

/// What is done to a map as its axes are split and joined.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Moved {
    Nothing,
    /// Height and width went into one axis with the channels.
    Flat,
    /// The channels of so many groups were sorted by their place in the group.
    Shuffled(usize),
}

/// A value of the graph.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Flow(Flow),
    /// All numbers of a layer in one row, of one image.
    Row(Flow),
    /// The tensor of this name.
    Tensor(String),
    /// The transpose of the matrix of this name.
    Transposed(String),
    /// A number, as often as the operator that reads it needs it.
    Filled(f32),
    /// Sizes, computed; the batch's is open.
    Sizes(Vec<Option<i64>>),
    /// Sizes in two columns, as PyTorch writes pads.
    Pairs(Vec<[Option<i64>; 2]>),
    /// The same in two rows.
    Rows(Vec<[Option<i64>; 2]>),
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
    /// left.
    pub(crate) fn reshape(&self, target: &[i64]) -> Result<(Self, Moved), Refused> {
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
            let axes = relabelled(batch, &own, &target).ok_or_else(refused)?;
            let lost =
                |axis| self.order().contains(&axis) && !axes.iter().any(|(own, _)| *own == axis);
            let flattens = lost(Axis::Height) || lost(Axis::Width);
            let moved = if flattens { Moved::Flat } else { Moved::Nothing };
            return Ok((Self { axes, ..self.clone() }, moved));
        }
        const MAP: [Axis; 3] = [Axis::Height, Axis::Width, Axis::Channel];
        let is_map = inner.iter().all(|(axis, _)| MAP.contains(axis));
        if let (&[all], [_], [], true) =
            (kept.as_slice(), target.as_slice(), self.flat.as_slice(), is_map)
        {
            let flat = inner.iter().map(|&(axis, size)| (axis, size.unwrap_or(1)));
            let axes = vec![batch, (Axis::Flat, Some(all))];
            return Ok((Self { axes, flat: flat.collect(), ..self.clone() }, Moved::Flat));
        }
        self.regrouped(&own, &target).ok_or_else(refused)
    }

    /// Axes that are split or joined; `own` are those that are wider than 1.
    fn regrouped(&self, own: &[Extent], target: &[usize]) -> Option<(Self, Moved)> {
        let (&batch, inner) = self.axes.split_first()?;
        let sizes = inner.iter().map(|(_, size)| *size);
        let flat = || inner.iter().map(|&(axis, size)| (axis, size.unwrap_or(1))).collect();
        // Back to what was joined.
        let same = self.flat.iter().map(|(_, size)| *size).eq(target.iter().copied());
        if same && own.iter().any(|(axis, _)| matches!(axis, Axis::Rest | Axis::Place)) {
            let axes = self.flat.iter().map(|&(axis, size)| (axis, Some(size)));
            let axes = iter::once(batch).chain(axes).collect();
            return Some((Self { axes, flat: Vec::new(), ..self.clone() }, Moved::Nothing));
        }
        if let (&[groups, rest], [Axis::Channel, Axis::Height, Axis::Width]) =
            (target, self.order().get(1..)?)
            && let Some(Some(channels)) = sizes.clone().next()
            && channels > groups
            && channels.checked_rem(groups) == Some(0)
        {
            let axes = vec![batch, (Axis::Group, Some(groups)), (Axis::Rest, Some(rest))];
            return Some((Self { axes, flat: flat(), ..self.clone() }, Moved::Nothing));
        }
        let kept: Vec<usize> = target.iter().copied().filter(|&size| size != 1).collect();
        let (mut own, mut kept, mut axes, mut moved) = (own, &kept[..], Vec::new(), Moved::Nothing);
        while let (&[(axis, size), ref after @ ..], &[wanted, ref later @ ..]) = (own, kept) {
            let both = |next: Option<usize>| size?.checked_mul(next?);
            match (axis, after, later) {
                _ if size == Some(wanted) => {
                    axes.push((axis, size));
                    (own, kept) = (after, later);
                }
                (Axis::Height, &[(Axis::Width, width), ref after @ ..], _)
                    if both(width) == Some(wanted) =>
                {
                    axes.push((Axis::Place, Some(wanted)));
                    (own, kept) = (after, later);
                }
                (Axis::Group, &[(Axis::Member, next), ref after @ ..], _)
                | (Axis::Member, &[(Axis::Group, next), ref after @ ..], _)
                    if both(next) == Some(wanted) =>
                {
                    if axis == Axis::Member {
                        moved = Moved::Shuffled(next?);
                    }
                    axes.push((Axis::Channel, Some(wanted)));
                    (own, kept) = (after, later);
                }
                (Axis::Channel, _, &[members, ref later @ ..])
                    if wanted.checked_mul(members) == size =>
                {
                    axes.push((Axis::Group, Some(wanted)));
                    axes.push((Axis::Member, Some(members)));
                    (own, kept) = (after, later);
                }
                _ => return None,
            }
        }
        if !own.is_empty() || !kept.is_empty() {
            return None;
        }
        let joins = axes.iter().any(|(axis, _)| *axis == Axis::Place);
        let flat = if joins { flat() } else { self.flat.clone() };
        let axes = relabelled(batch, &axes, target)?;
        Some((Self { axes, flat, ..self.clone() }, moved))
    }

    /// Height, width and channels, where no two of them are one axis.
    pub(crate) fn map_shape(&self) -> Option<[usize; 3]> {
        const MAP: [Axis; 4] = [Axis::Batch, Axis::Height, Axis::Width, Axis::Channel];
        let sizes = [Axis::Height, Axis::Width, Axis::Channel].map(|axis| self.size(axis));
        let [Some(height), Some(width), Some(channels)] = sizes else { return None };
        let known = self.axes.iter().all(|(axis, _)| MAP.contains(axis));
        known.then_some([height, width, channels])
    }

    /// The place of an axis among height, width and channels.
    pub(crate) fn place(&self, index: i64) -> Option<usize> {
        match self.axes.get(self.axis(index)?)?.0 {
            Axis::Height => Some(0),
            Axis::Width => Some(1),
            Axis::Channel => Some(2),
            _ => None,
        }
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
fn relabelled(batch: Extent, own: &[Extent], target: &[usize]) -> Option<Vec<Extent>> {
    let mut free: Vec<Axis> = [Axis::Height, Axis::Width, Axis::Channel]
        .into_iter()
        .filter(|axis| !own.iter().any(|(taken, _)| taken == axis))
        .collect();
    let mut own = own.iter();
    let mut axes = vec![batch];
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
        let (flat, moved) = flow(NCHW, [64, 6, 5]).reshape(&[-1]).expect("flat");
        assert_eq!(moved, Moved::Flat);
        assert_eq!(flat.flat, [(Axis::Channel, 64), (Axis::Height, 6), (Axis::Width, 5)]);
    }

    #[test]
    fn channels_that_change_places_with_their_groups_are_shuffled() {
        for (order, sizes, split, joined) in [
            (NCHW, [6, 5, 4], vec![3, 2, 5, 4], vec![-1, 5, 4]),
            (NHWC, [5, 4, 6], vec![5, 4, 3, 2], vec![5, 4, 6]),
        ] {
            let map = flow(order, sizes);
            let (mut groups, moved) = map.reshape(&split).expect("groups");
            assert_eq!(moved, Moved::Nothing);
            assert_eq!(groups.reshape(&joined).expect("as before"), (map, Moved::Nothing));
            let first = groups.order().iter().position(|axis| *axis == Axis::Group);
            let first = first.expect("groups");
            groups.axes.swap(first, first + 1);
            let (map, moved) = groups.reshape(&joined).expect("a map");
            assert_eq!((map.order(), moved), (order.to_vec(), Moved::Shuffled(3)));
        }
    }

    #[test]
    fn height_and_width_are_joined_and_parted() {
        let map = flow(NCHW, [64, 6, 5]);
        for (target, order) in
            [([64, 30], [Axis::Channel, Axis::Place]), ([4, -1], [Axis::Group, Axis::Rest])]
        {
            let (joined, moved) = map.reshape(&target).expect("two axes");
            assert_eq!((&joined.order()[1..], moved), (&order[..], Moved::Nothing));
            assert_eq!(joined.reshape(&[64, 6, 5]).expect("a map"), (map.clone(), Moved::Nothing));
            assert!(joined.reshape(&[64, 5, 6]).is_err());
        }
    }

    #[test]
    fn shapes_that_mix_axes_are_refused() {
        let map = flow(NCHW, [64, 6, 5]);
        for target in [&[64, 5, 6][..], &[2, 2, 16, 6, 5], &[65, 30], &[7], &[-1, -1], &[0]] {
            assert!(map.reshape(target).is_err(), "{target:?}");
        }
    }
}
