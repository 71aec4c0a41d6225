//! Python's slices of tensors.

#![expect(clippy::indexing_slicing, reason = "axes of shapes, which have three sizes")]

use burncam_net::Op;
use serde_json::Value;

use super::classes::target_shape;
use crate::table::{Place, Step};

/// A slice along each axis.
pub(super) struct Slice {
    begin: [usize; 3],
    step: [isize; 3],
    size: [usize; 3],
}

impl Slice {
    pub(super) fn whole(input: &Place) -> Self {
        Self { begin: [0; 3], step: [1; 3], size: input.shape }
    }

    /// The other way round.
    pub(super) fn turn(&mut self, axis: usize) {
        self.begin[axis] = self.size[axis].saturating_sub(1);
        self.step[axis] = -1;
    }

    pub(super) fn into_op(self) -> Op {
        let Self { begin, step, size } = self;
        Op::Slice { begin, step, size }
    }
}

/// Python's `x[..., a:b:c]`, as Keras writes it.
pub(super) fn slice(spec: Option<&Value>, input: &Place) -> Result<Vec<Step>, String> {
    let spec = spec.ok_or("its slice is not written out")?;
    let items = match spec {
        Value::Array(items) => items.clone(),
        one => vec![one.clone()],
    };
    let is_ellipsis = |item: &Value| {
        item["class_name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case("__ellipsis__"))
            || item["class_name"] == "ellipsis"
    };
    let all = input.rank.saturating_add(1);
    let missing = all.saturating_sub(items.iter().filter(|item| !is_ellipsis(item)).count());
    let mut full = Vec::new();
    let whole = serde_json::json!({ "start": null, "stop": null, "step": null });
    for item in &items {
        match is_ellipsis(item) {
            true => full.extend(std::iter::repeat_n(whole.clone(), missing)),
            false => full.push(item.clone()),
        }
    }
    full.resize(all.max(full.len()), whole);
    let Some((batch, own)) = full.split_first() else { return Err("it slices nothing".to_owned()) };
    if own.len() != input.rank || bounds(batch)? != (None, None, None) {
        return Err("it slices the batch, or an axis that is not there".to_owned());
    }
    let mut op = Slice::whole(input);
    let first = 3_usize.saturating_sub(input.rank);
    let mut kept = Vec::new();
    for (place, item) in own.iter().enumerate() {
        let axis = first.saturating_add(place);
        let size = i64::try_from(input.shape[axis]).unwrap_or(i64::MAX);
        let (start, stop, step) = bounds(item)?;
        let step = step.unwrap_or(1);
        let inside = |at: i64, low: i64, high: i64| {
            let at = if at < 0 { at.saturating_add(size) } else { at };
            at.clamp(low, high)
        };
        let (begin, end) = match step {
            1.. => (
                start.map_or(0, |at| inside(at, 0, size)),
                stop.map_or(size, |at| inside(at, 0, size)),
            ),
            0 => return Err("its step is 0".to_owned()),
            _ => (
                start.map_or(size.saturating_sub(1), |at| inside(at, -1, size.saturating_sub(1))),
                stop.map_or(-1, |at| inside(at, -1, size.saturating_sub(1))),
            ),
        };
        let length = match step {
            1.. => end.saturating_sub(begin),
            _ => begin.saturating_sub(end),
        };
        let count = length.max(0).unsigned_abs().div_ceil(step.unsigned_abs());
        op.begin[axis] = usize::try_from(begin).unwrap_or(0);
        op.size[axis] = usize::try_from(count).unwrap_or(0);
        op.step[axis] = isize::try_from(step).map_err(|_| "its step is too large".to_owned())?;
        if !item.is_i64() {
            kept.push(op.size[axis]);
        }
    }
    let sliced = Step::like(op.into_op(), input);
    if kept.len() == input.rank {
        return Ok(vec![sliced]);
    }
    let sizes = Value::from(if kept.is_empty() { vec![1] } else { kept });
    let all = Place { shape: sizes_of(&sliced), ..input.clone() };
    let (target_shape, rank) = target_shape(Some(&sizes), &all)?;
    Ok(vec![sliced, Step { op: Op::Reshape { target_shape }, rank }])
}

fn sizes_of(sliced: &Step) -> [usize; 3] {
    match sliced.op {
        Op::Slice { size, .. } => size,
        _ => [0; 3],
    }
}

type Bounds = (Option<i64>, Option<i64>, Option<i64>);

/// Start, stop and step of one axis; Keras 3 writes `{"class_name": "__slice__", "config": ..}` or the like.
fn bounds(item: &Value) -> Result<Bounds, String> {
    if let Some(index) = item.as_i64() {
        let end = index.checked_add(1).filter(|end| *end != 0);
        return Ok((Some(index), end, None));
    }
    let fields = match item {
        Value::Object(fields) => fields.get("config").unwrap_or(item),
        _ => return Err("it takes neither ranges nor single places of its axes".to_owned()),
    };
    let number = |key: &str| match fields.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_i64().map(Some).ok_or(format!("`{key}` is no number")),
    };
    Ok((number("start")?, number("stop")?, number("step")?))
}
