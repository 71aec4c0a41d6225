//! Rows that are read one at a time, as often as wanted, so that memory does not grow with their
//! number.

use std::fmt;

use crate::{Error, Prediction};

/// What a model found for each image of a run: rows that lie in memory or in a file.
pub struct Rows<'a> {
    count: usize,
    read: Box<Read<'a>>,
}

type Read<'a> = dyn Fn(usize) -> Result<Prediction, Error> + 'a;

impl<'a> Rows<'a> {
    /// `count` rows, each read when it is asked for.
    pub fn new(count: usize, read: impl Fn(usize) -> Result<Prediction, Error> + 'a) -> Self {
        Self { count, read: Box::new(read) }
    }

    /// Rows that lie in memory.
    #[must_use]
    pub fn held(rows: &'a [Prediction]) -> Self {
        Self::new(rows.len(), |index| Ok(rows[index].clone()))
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// One row.
    ///
    /// # Errors
    ///
    /// Why it could not be read.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    pub fn get(&self, index: usize) -> Result<Prediction, Error> {
        assert!(index < self.count, "row {index} of {}", self.count);
        (self.read)(index)
    }

    /// All rows in order.
    pub fn iter(&self) -> impl Iterator<Item = Result<Prediction, Error>> + '_ {
        (0..self.count).map(|index| (self.read)(index))
    }
}

impl fmt::Debug for Rows<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Rows").field("count", &self.count).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::Rows;
    use crate::Error;
    use crate::predictions::tests::prediction;

    #[test]
    fn rows_are_read_when_they_are_asked_for_and_again() {
        let read = Cell::new(0);
        let rows = Rows::new(3, |index| {
            read.set(read.get() + 1);
            match index {
                2 => Err(Error::Nothing),
                _ => Ok(prediction(&format!("Fold0/{index}.png"), None)),
            }
        });
        assert_eq!((rows.len(), rows.is_empty(), read.get()), (3, false, 0));
        for _ in 0..2 {
            let paths: Vec<_> = rows.iter().take(2).map(|row| row.expect("a row").path).collect();
            assert_eq!(paths, ["Fold0/0.png", "Fold0/1.png"]);
        }
        assert_eq!(read.get(), 4);
        assert!(rows.iter().nth(2).expect("a third").is_err());
    }

    #[test]
    fn held_rows_are_those_given() {
        let held = [prediction("a.png", None), prediction("b.png", Some("Pain"))];
        let rows: Result<Vec<_>, _> = Rows::held(&held).iter().collect();
        assert_eq!(rows.expect("rows"), held);
    }
}
