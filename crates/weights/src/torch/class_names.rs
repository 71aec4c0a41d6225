//! Names of the classes that a training script has put beside the weights.

use std::collections::HashSet;

use crate::class_literal::UNCLEAR;
use crate::class_names::{ClassNames, Form, LONGEST_ENTRY, Lists, TOO_LONG, is_entry};
use crate::torch::pickle::Pickle;
use crate::torch::pickle_value::{Id, Value};

/// How deep inside other dicts they may be.
const DEPTH: usize = 3;

/// Entries that are looked at in all dicts.
const MOST_ENTRIES: usize = 100_000;

/// Every list of class names in a pickle, the outermost first.
pub(crate) fn find(pickle: &Pickle) -> Vec<ClassNames> {
    let mut lists = Lists::default();
    let mut level = vec![(String::new(), pickle.root())];
    let mut known: HashSet<Id> = HashSet::from([pickle.root()]);
    let mut left = MOST_ENTRIES;
    for _ in 0..=DEPTH {
        let mut next = Vec::new();
        for (keys, dict) in &level {
            for &(key, value) in entries(pickle, *dict) {
                if left == 0 {
                    return lists.finish();
                }
                left = left.saturating_sub(1);
                let Some(key) = pickle.text(key).filter(|key| key.len() <= LONGEST_ENTRY) else {
                    continue;
                };
                let place = if keys.is_empty() { key.to_owned() } else { format!("{keys}.{key}") };
                if is_entry(key) {
                    if let Some(form) = form(pickle, value, &mut lists) {
                        lists.add(&place, form);
                    }
                } else if !entries(pickle, value).is_empty() && known.insert(value) {
                    next.push((place, value));
                }
            }
        }
        level = next;
    }
    lists.finish()
}

/// What a dict, or the settings of a program, has by key.
fn entries(pickle: &Pickle, id: Id) -> &[(Id, Id)] {
    match pickle.get(id) {
        Value::Dict(entries) => entries,
        Value::Namespace(Some(entries)) => match pickle.get(*entries) {
            Value::Dict(entries) => entries,
            _ => &[],
        },
        _ => &[],
    }
}

/// The names in a list or a dict; nothing where it is something else, such as a number of classes or
/// the labels of a data set.
fn form(pickle: &Pickle, id: Id, lists: &mut Lists) -> Option<Form> {
    match pickle.get(id) {
        Value::List(items) | Value::Tuple(items) => {
            let texts = items.iter().filter(|item| matches!(pickle.get(**item), Value::Text(..)));
            match texts.count() {
                0 => None,
                count if count < items.len() => Some(Form::Unclear(UNCLEAR)),
                _ => Some(named(items, pickle, lists).map_or_else(Form::Unclear, Form::List)),
            }
        }
        Value::Dict(entries) if !entries.is_empty() => {
            let pairs: Result<Vec<_>, _> =
                entries.iter().map(|&pair| numbered(pair, pickle, lists)).collect();
            Some(pairs.map_or_else(Form::Unclear, Form::Numbered))
        }
        _ => None,
    }
}

fn named(items: &[Id], pickle: &Pickle, lists: &mut Lists) -> Result<Vec<String>, &'static str> {
    items.iter().map(|&item| name(item, pickle, lists)).collect()
}

/// A name, as long as all are within their bounds.
fn name(id: Id, pickle: &Pickle, lists: &mut Lists) -> Result<String, &'static str> {
    let text = pickle.text(id).ok_or(TOO_LONG)?;
    // A name of no letters takes room, too.
    match lists.admits(text.len().saturating_add(1)) {
        true => Ok(text.to_owned()),
        false => Err(TOO_LONG),
    }
}

/// `"cat": 0`, `0: "cat"` or `"0": "cat"`.
fn numbered(
    (key, value): (Id, Id),
    pickle: &Pickle,
    lists: &mut Lists,
) -> Result<(i64, String), &'static str> {
    match (pickle.get(key), pickle.get(value)) {
        (Value::Text(..), &Value::Int(number)) => Ok((number, name(key, pickle, lists)?)),
        (&Value::Int(number), Value::Text(..)) => Ok((number, name(value, pickle, lists)?)),
        (Value::Text(Some(number), _), Value::Text(..)) => {
            let number = number.parse().map_err(|_| UNCLEAR)?;
            Ok((number, name(value, pickle, lists)?))
        }
        _ => Err(UNCLEAR),
    }
}
