//! Names of the values of a label map: `regions.json`.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::RegionsError;
use super::error::quoted;

/// What pixels outside every region are called.
pub const BACKGROUND: &str = "background";

/// Bytes of `regions.json` at most: 256 names need far less.
const LARGEST: usize = 64 << 10;

/// A value of a label map, and the name of its region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionName {
    /// The value of its pixels.
    pub value: u8,
    /// The name.
    pub name: String,
}

/// The pairs of a JSON object in their order, those of the same key as well.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object such as {\"brow\": 1, \"eyes\": 2}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }
}

/// The names of `regions.json`: `{"brow": 1, "eyes": 2}` or `{"1": "brow", "2": "eyes"}`, by value.
///
/// # Errors
///
/// If it is neither of both, a value is not in 0..=255, or a value or a name is there twice.
pub fn read_region_names(json: &str) -> Result<Vec<RegionName>, RegionsError> {
    if json.len() > LARGEST {
        return Err(RegionsError::new(format!(
            "regions.json has more than {LARGEST} bytes; it has a name for each of at most 256 values"
        )));
    }
    let Pairs(pairs) = serde_json::from_str(json.trim_start_matches('\u{feff}'))
        .map_err(|error| RegionsError::new(format!("cannot read regions.json: {error}")))?;
    let mut names = pairs.iter().map(region_name).collect::<Result<Vec<_>, _>>()?;
    if names.is_empty() {
        return Err(RegionsError::new("regions.json is empty; it needs a name for each region"));
    }
    names.sort_by_key(|region| region.value);
    if let Some(pair) = names.windows(2).find(|pair| pair[0].value == pair[1].value) {
        let [value, one, other] =
            [pair[0].value.to_string(), quoted(&pair[0].name), quoted(&pair[1].name)];
        return Err(RegionsError::new(format!(
            "regions.json has two names for the value {value}: {one} and {other}; keep one"
        )));
    }
    let zero = names.first().is_some_and(|region| region.value == 0);
    let mut known: HashSet<&str> = if zero { HashSet::new() } else { [BACKGROUND].into() };
    if let Some(twice) = names.iter().find(|region| !known.insert(&region.name)) {
        return Err(RegionsError::new(format!(
            "regions.json has two values for the name {}{}; give each region a name of its own",
            quoted(&twice.name),
            if twice.name == BACKGROUND { ", which is the value 0" } else { "" }
        )));
    }
    Ok(names)
}

/// A pair of a name and a value, in either order.
fn region_name((key, value): &(String, Value)) -> Result<RegionName, RegionsError> {
    let (name, number) = match value {
        Value::Number(number) => (key.as_str(), number.to_string()),
        Value::String(name) => (name.as_str(), key.clone()),
        _ => {
            return Err(RegionsError::new(format!(
                "regions.json has neither a number nor a name for {}; write \"brow\": 1 or \"1\": \"brow\"",
                quoted(key)
            )));
        }
    };
    let name = name.trim();
    let Ok(value) = number.trim().parse() else {
        return Err(RegionsError::new(format!(
            "regions.json has the value {} for {}, and values of a label map are whole numbers from 0 to 255",
            quoted(&number),
            quoted(name)
        )));
    };
    if name.is_empty() {
        return Err(RegionsError::new(format!(
            "regions.json has an empty name for the value {value}"
        )));
    }
    Ok(RegionName { value, name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_are_read() {
        let by_name = read_region_names(r#"{"eyes": 128, "brow": 64}"#).expect("names");
        let by_value =
            read_region_names("\u{feff}{\"64\": \"brow\", \"128\": \"eyes\"}").expect("names");
        assert_eq!(by_name, by_value);
        assert_eq!((by_name[0].value, by_name[0].name.as_str()), (64, "brow"));
        read_region_names(r#"{"background": 0, "eyes": 1}"#).expect("the background's own value");
    }

    #[test]
    fn errors_say_what_is_wrong() {
        for (json, part) in [
            ("", "cannot read"),
            ("[1]", "an object such as"),
            ("{}", "is empty"),
            (r#"{"brow": 256}"#, "from 0 to 255"),
            (r#"{"brow": -1}"#, "from 0 to 255"),
            (r#"{"brow": 1.5}"#, "from 0 to 255"),
            (r#"{"one": "brow"}"#, "from 0 to 255"),
            (r#"{"brow": [1]}"#, "neither a number nor a name"),
            (r#"{"brow": 1, "eyes": 1}"#, "two names for the value 1"),
            (r#"{"brow": 1, "brow": 2}"#, "two values for the name \"brow\""),
            (r#"{"1": "brow", "1": "eyes"}"#, "two names for the value 1"),
            (r#"{"background": 3}"#, "which is the value 0"),
            (r#"{"1": " "}"#, "an empty name"),
        ] {
            let error = read_region_names(json).expect_err(json).to_string();
            assert!(error.contains(part), "{json}: {error}");
        }
        assert!(read_region_names(&" ".repeat(LARGEST + 1)).is_err());
    }
}
