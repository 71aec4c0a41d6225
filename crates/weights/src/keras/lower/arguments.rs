//! The arguments that a function is called with in a graph of Keras.

use serde_json::Value;

use crate::keras::calls::CONSTANT;
use crate::table::Place;

/// What a function is given.
#[derive(Clone, Debug)]
pub(super) enum Argument {
    /// One of the layer's inputs, by its place among them.
    Tensor(usize),
    /// Several of them.
    Tensors,
    /// Anything else.
    Constant(Value),
}

/// All that a function is given.
#[derive(Default)]
pub(super) struct Arguments {
    positional: Vec<Argument>,
    named: Vec<(String, Argument)>,
}

impl Arguments {
    /// Those of one call, as Keras 2 or 3 writes it.
    pub(super) fn parse(call: &Value) -> Self {
        let mut own = Self::default();
        let mut tensors = 0;
        match call {
            // Keras 3.
            Value::Object(fields) => {
                let args = fields.get("args").and_then(Value::as_array);
                for value in args.into_iter().flatten() {
                    own.positional.push(argument(value, &mut tensors));
                }
                own.add_named(fields.get("kwargs"), &mut tensors);
            }
            Value::Array(items) if items.first().is_some_and(Value::is_string) => {
                own.positional.push(first(items, &mut tensors));
                own.add_named(items.get(3), &mut tensors);
            }
            // A list of tensors, each with the same further arguments.
            Value::Array(calls) => {
                let first = calls.first().and_then(|call| call.get(3));
                own.add_named(first, &mut tensors);
                own.positional.push(Argument::Tensors);
            }
            _ => {}
        }
        own
    }

    fn add_named(&mut self, fields: Option<&Value>, tensors: &mut usize) {
        for (name, value) in fields.and_then(Value::as_object).into_iter().flatten() {
            let argument = argument(value, tensors);
            self.named.push((name.clone(), argument));
        }
    }

    /// Whether there is nothing but one argument; a call's own name is none.
    pub(super) fn has_one(&self) -> bool {
        let is_given = |(name, argument): &&(String, Argument)| {
            name != "name" && !matches!(argument, Argument::Constant(Value::Null))
        };
        self.positional.len().saturating_add(self.named.iter().filter(is_given).count()) == 1
    }

    /// The argument of one of these names, or at this place.
    pub(super) fn get(&self, place: usize, names: &[&str]) -> Option<&Argument> {
        let named = self.named.iter().find(|(name, _)| names.contains(&name.as_str()));
        let given = named.map(|(_, argument)| argument).or_else(|| self.positional.get(place));
        given.filter(|argument| !matches!(argument, Argument::Constant(Value::Null)))
    }

    /// The same, if it is a constant.
    pub(super) fn constant(&self, place: usize, names: &[&str]) -> Option<&Value> {
        match self.get(place, names) {
            Some(Argument::Constant(value)) => Some(value),
            _ => None,
        }
    }

    /// A constant number.
    pub(super) fn number(&self, place: usize, names: &[&str]) -> Option<f32> {
        self.constant(place, names)?.as_f64().map(|value| value as f32)
    }

    /// Whether a flag is set.
    pub(super) fn flag(&self, place: usize, names: &[&str]) -> bool {
        self.constant(place, names).and_then(Value::as_bool).unwrap_or(false)
    }

    /// Whole numbers, or one.
    pub(super) fn integers(&self, place: usize, names: &[&str]) -> Option<Vec<i64>> {
        integers(self.constant(place, names)?)
    }
}

fn integers(value: &Value) -> Option<Vec<i64>> {
    match value {
        Value::Array(items) => items.iter().map(Value::as_i64).collect(),
        one => one.as_i64().map(|one| vec![one]),
    }
}

/// `["layer", 0, 0, ..]`, or a constant in its place.
fn first(items: &[Value], tensors: &mut usize) -> Argument {
    match items {
        [Value::String(name), _, value, ..] if name == CONSTANT => {
            Argument::Constant(value.clone())
        }
        _ => {
            *tensors = tensors.saturating_add(1);
            Argument::Tensor(tensors.saturating_sub(1))
        }
    }
}

fn argument(value: &Value, tensors: &mut usize) -> Argument {
    match value {
        Value::Object(fields) => match fields.get("class_name").and_then(Value::as_str) {
            Some("__keras_tensor__") => {
                *tensors = tensors.saturating_add(1);
                Argument::Tensor(tensors.saturating_sub(1))
            }
            // NumPy's arrays, and TensorFlow's.
            Some("__numpy__" | "__tensor__") => {
                Argument::Constant(value.pointer("/config/value").cloned().unwrap_or(Value::Null))
            }
            _ => Argument::Constant(value.clone()),
        },
        Value::Array(items) => match items.as_slice() {
            [Value::String(_), Value::Number(_), Value::Number(_), ..] => first(items, tensors),
            _ => {
                let before = *tensors;
                for item in items {
                    argument(item, tensors);
                }
                match *tensors == before {
                    true => Argument::Constant(value.clone()),
                    false => Argument::Tensors,
                }
            }
        },
        other => Argument::Constant(other.clone()),
    }
}

/// A constant as one number, or one for each channel; a list may lie in lists of one.
pub(super) fn by_channel(value: &Value) -> Option<Vec<f32>> {
    match value {
        Value::Array(items) => match items.as_slice() {
            [one] => by_channel(one),
            all => all.iter().map(|item| item.as_f64().map(|value| value as f32)).collect(),
        },
        one => Some(vec![one.as_f64()? as f32]),
    }
    .filter(|values| !values.is_empty() && values.iter().all(|value| value.is_finite()))
}

/// The axis of `[height, width, channels]` that a file calls `axis`, of a tensor with a batch in front.
pub(super) fn axis(axis: i64, place: &Place) -> Result<usize, String> {
    let rank = place.rank as i64;
    let own = if axis < 0 { axis.saturating_add(rank) } else { axis.saturating_sub(1) };
    match usize::try_from(own) {
        Ok(own) if own < place.rank => Ok((3_usize).saturating_sub(place.rank).saturating_add(own)),
        _ => Err(format!("it has no axis {axis} but that of the images of a batch")),
    }
}
