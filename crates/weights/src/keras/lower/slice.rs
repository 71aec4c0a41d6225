//! Python's slices of tensors.

#![expect(clippy::indexing_slicing, reason = "axes of shapes, which have three sizes")]

use burncam_net::Op;
use serde_json::Value;

use super::classes::target_shape;
use crate::slice::{Slice, range};
use crate::table::{Place, Step};

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
    let mut op = Slice::whole(input.shape);
    let first = 3_usize.saturating_sub(input.rank);
    let mut kept = Vec::new();
    for (place, item) in own.iter().enumerate() {
        let axis = first.saturating_add(place);
        let (start, stop, step) = bounds(item)?;
        let step = step.unwrap_or(1);
        let (first, end) = if step < 0 { (-1, i64::MIN) } else { (0, i64::MAX) };
        let asked = [start.unwrap_or(first), stop.unwrap_or(end), step];
        let taken = range(asked, input.shape[axis]).ok_or("it slices nothing")?;
        op.along(axis, taken);
        if !item.is_i64() {
            kept.push(op.size[axis]);
        }
    }
    let sliced = Step::like(op.op(), input);
    if kept.len() == input.rank {
        return Ok(vec![sliced]);
    }
    let sizes = Value::from(if kept.is_empty() { vec![1] } else { kept });
    let all = Place { shape: op.size, ..input.clone() };
    let (target_shape, rank) = target_shape(Some(&sizes), &all)?;
    Ok(vec![sliced, Step { op: Op::Reshape { target_shape }, rank }])
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
