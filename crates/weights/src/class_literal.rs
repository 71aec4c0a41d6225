//! Names of classes as text: JSON, what Python's `str` makes of a list or a dict, or names with
//! commas between.

use serde_json::Value;

use crate::class_names::Form;

/// What is wrong with brackets that hold something else.
pub(crate) const UNCLEAR: &str = "is no list of names and no table of names and numbers";

/// The names in a text; nothing where it is no list at all.
pub(crate) fn parse(text: &str) -> Option<Form> {
    let text = text.trim();
    if !text.starts_with(['[', '(', '{']) {
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        // One name is no list: it may be any remark.
        return (names.len() > 1).then_some(Form::List(names));
    }
    let value = serde_json::from_str(text).ok().or_else(|| literal(text));
    match value {
        Some(value) => of_value(&value),
        None => Some(Form::Unclear(UNCLEAR)),
    }
}

/// The names in a list or a table; nothing of one of numbers, as the labels of a data set are.
fn of_value(value: &Value) -> Option<Form> {
    match value {
        Value::Array(items) => {
            let names: Option<Vec<String>> =
                items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
            let numbers = items.iter().all(Value::is_number);
            match names {
                Some(names) => Some(Form::List(names)),
                None => (!numbers).then_some(Form::Unclear(UNCLEAR)),
            }
        }
        Value::Object(entries) => {
            let pairs = entries.iter().map(|(key, value)| pair(key, value));
            let pairs: Option<Vec<_>> = pairs.collect();
            Some(pairs.map_or(Form::Unclear(UNCLEAR), Form::Numbered))
        }
        _ => None,
    }
}

/// `"cat": 0`, or `"0": "cat"`.
fn pair(key: &str, value: &Value) -> Option<(i64, String)> {
    match value {
        Value::Number(number) => Some((number.as_i64()?, key.to_owned())),
        Value::String(name) => Some((key.parse().ok()?, name.clone())),
        _ => None,
    }
}

/// What Python's `str` makes of a list, a tuple or a dict of strings and whole numbers.
fn literal(text: &str) -> Option<Value> {
    let mut reader = Reader { rest: text };
    let value = match reader.next()? {
        '{' => {
            let mut entries = serde_json::Map::new();
            while !reader.closes('}')? {
                let key = match reader.atom()? {
                    Value::String(name) => name,
                    number => number.to_string(),
                };
                reader.skip(':')?;
                let value = reader.atom()?;
                if entries.insert(key, value).is_some() {
                    return None;
                }
            }
            Value::Object(entries)
        }
        open => {
            let close = if open == '[' { ']' } else { ')' };
            let mut items = Vec::new();
            while !reader.closes(close)? {
                items.push(reader.atom()?);
            }
            Value::Array(items)
        }
    };
    reader.rest.trim().is_empty().then_some(value)
}

/// A text that is read from its beginning.
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let mut letters = self.rest.chars();
        let letter = letters.next()?;
        self.rest = letters.as_str();
        Some(letter)
    }

    /// Passes over spaces and this letter.
    fn skip(&mut self, letter: char) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(letter)?.trim_start();
        Some(())
    }

    /// Whether the list ends here; passes over its end.
    fn closes(&mut self, close: char) -> Option<bool> {
        let rest = self.rest.trim_start();
        self.rest = rest;
        if rest.is_empty() {
            return None;
        }
        Some(self.skip(close).is_some())
    }

    /// A string or a whole number, and the comma behind it, if there is one.
    fn atom(&mut self) -> Option<Value> {
        let value = match self.rest.chars().next()? {
            quote @ ('\'' | '"') => {
                self.next();
                Value::String(self.string(quote)?)
            }
            _ => {
                let end = self.rest.find(|letter: char| !matches!(letter, '-' | '0'..='9'));
                let (digits, rest) = self.rest.split_at_checked(end?)?;
                self.rest = rest;
                digits.parse::<i64>().ok()?.into()
            }
        };
        let _comma = self.skip(',');
        Some(value)
    }

    fn string(&mut self, quote: char) -> Option<String> {
        let mut text = String::new();
        loop {
            match self.next()? {
                '\\' => match self.next()? {
                    letter @ ('\\' | '\'' | '"') => text.push(letter),
                    _ => return None,
                },
                letter if letter == quote => return Some(text),
                letter => text.push(letter),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> Option<Form> {
        Some(Form::List(names.iter().map(|&name| name.to_owned()).collect()))
    }

    fn numbered(pairs: &[(i64, &str)]) -> Option<Form> {
        Some(Form::Numbered(pairs.iter().map(|&(n, name)| (n, name.to_owned())).collect()))
    }

    #[test]
    fn every_form_is_read() {
        // `str([…])` and `str({…})` of Python 3.11, and `json.dumps`.
        for (text, form) in [
            ("['No_pain', \"it's\"]", list(&["No_pain", "it's"])),
            ("('a', 'b',)", list(&["a", "b"])),
            (r"['a\\b', 'c']", list(&[r"a\b", "c"])),
            ("{0: 'No_pain', 1: 'Pain'}", numbered(&[(0, "No_pain"), (1, "Pain")])),
            ("{'Pain': 1, 'No_pain': 0}", numbered(&[(0, "No_pain"), (1, "Pain")])),
            (r#"["Jo\u00e3o", "b"]"#, list(&["João", "b"])),
            (r#"{"0": "a", "1": "b"}"#, numbered(&[(0, "a"), (1, "b")])),
            (r#"{"a": 0, "b": 1}"#, numbered(&[(0, "a"), (1, "b")])),
            ("No_pain, Pain", list(&["No_pain", "Pain"])),
            ("a remark", None),
            ("[0, 1, 1, 0]", None),
        ] {
            let sorted = |form| match form {
                Some(Form::Numbered(mut pairs)) => {
                    pairs.sort();
                    Some(Form::Numbered(pairs))
                }
                other => other,
            };
            assert_eq!(sorted(parse(text)), form, "{text}");
        }
    }

    #[test]
    fn brackets_that_hold_something_else_are_unclear() {
        for text in [
            "['a', ['b']]",
            "['a'",
            "['a' x]",
            "{0: 'a', 0: 'b'}",
            "{'a': 'b'}",
            "['a'] 'b'",
            r"['\x00', 'b']",
            r#"[{"name": "a"}]"#,
            "{0 'a'}",
            "[",
        ] {
            assert_eq!(parse(text), Some(Form::Unclear(UNCLEAR)), "{text}");
        }
    }
}
