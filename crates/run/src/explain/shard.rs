//! A part of the images, so that several machines can share them.

use std::fmt;
use std::str::FromStr;

/// FoldCheckpoint `part` of `parts`, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    part: usize,
    parts: usize,
}

/// More parts than any machine room has machines.
const MOST: usize = 1_000_000;

impl Shard {
    /// Whether the image of this index, in the order of fold and path, belongs to the part. Parts
    /// take turns, so that each gets its share of every fold.
    pub fn has(self, index: usize) -> bool {
        index % self.parts == self.part - 1
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse::<usize>().ok();
        match text.split_once('/').map(|(part, parts)| (number(part), number(parts))) {
            Some((Some(part), Some(parts))) if (1..=parts).contains(&part) && parts <= MOST => {
                Ok(Self { part, parts })
            }
            _ => Err("a part and the number of parts are needed, from 1/4 to 4/4".to_owned()),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.part, self.parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_image_belongs_to_one_part() {
        for parts in [1, 2, 3, 7, 100] {
            let shards: Vec<Shard> = (1..=parts)
                .map(|part| format!("{part}/{parts}").parse().expect("a part"))
                .collect();
            for index in 0..50 {
                assert_eq!(shards.iter().filter(|shard| shard.has(index)).count(), 1);
            }
        }
    }

    #[test]
    fn what_is_no_part_is_refused() {
        for bad in ["", "1", "0/4", "5/4", "1/0", "0/0", "a/b", "-1/4", "1/4/2", "1/99999999999"] {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
        assert_eq!("3/4".parse::<Shard>().expect("a part").to_string(), "3/4");
    }
}
