//! Options that have a few named values, each with a line of help.

use std::fmt::Display;
use std::str::FromStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

/// A parser of values that have these names and lines of help.
pub(super) fn named<T>(
    values: impl IntoIterator<Item = (&'static str, &'static str)>,
) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: Display> + Clone + Send + Sync + 'static,
{
    let value = |(name, help): (&'static str, &'static str)| match help {
        "" => PossibleValue::new(name),
        _ => PossibleValue::new(name).help(help),
    };
    PossibleValuesParser::new(values.into_iter().map(value))
        .try_map(|name| name.parse::<T>().map_err(|error| error.to_string()))
}
