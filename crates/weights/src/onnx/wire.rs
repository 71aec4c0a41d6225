//! Protobuf's wire format, read from a file without holding it in memory.
//!
//! A message is a run of fields; one with a length is given as its range of the file, so numbers
//! are passed over until they are asked for. (<https://protobuf.dev/programming-guides/encoding>)

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::ops::Range;

use crate::store::{BoxError, Store};

/// Longest text that is kept: a name, or a setting.
const LONGEST_TEXT: u64 = 1 << 12;

/// Bytes in all texts. The largest export of the supported networks has 51,000.
const MOST_TEXT: u64 = 2 << 20;

/// How many fields are read at most. The largest export of the supported networks has 25,000.
const MOST_FIELDS: usize = 1_000_000;

/// One field's value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wire {
    Varint(u64),
    /// 4 bytes, which ONNX uses for `f32`.
    Float(f32),
    /// 8 bytes, which ONNX uses for what Burncam does not read.
    Wide,
    /// Where text, numbers or a message lie in the file.
    Bytes(Range<u64>),
}

/// A file of protobuf messages.
pub(crate) struct WireFile {
    file: BufReader<File>,
    at: u64,
    /// In bytes.
    pub(crate) size: u64,
    fields_left: usize,
    text_left: u64,
    /// Numbers of tensors that are not the file's own.
    pub(crate) state: Option<Box<Store>>,
}

impl WireFile {
    pub(crate) fn open(file: File) -> Result<Self, BoxError> {
        let size = file.metadata()?.len();
        let (fields_left, text_left) = (MOST_FIELDS, MOST_TEXT);
        Ok(Self { file: BufReader::new(file), at: 0, size, fields_left, text_left, state: None })
    }

    /// The fields of the message that fills `range`, by number.
    pub(crate) fn fields(&mut self, range: &Range<u64>) -> Result<Vec<(u64, Wire)>, BoxError> {
        let mut fields = Vec::new();
        self.seek(range.start)?;
        while self.at < range.end {
            self.fields_left = self.fields_left.checked_sub(1).ok_or("it has too many parts")?;
            let key = self.varint()?;
            let value = match key & 7 {
                0 => Wire::Varint(self.varint()?),
                1 => {
                    self.bytes::<8>()?;
                    Wire::Wide
                }
                2 => {
                    let length = self.varint()?;
                    let end = self.at.checked_add(length).filter(|&end| end <= range.end);
                    let end = end.ok_or_else(|| {
                        format!("a part at byte {} is longer than what holds it", self.at)
                    })?;
                    let start = self.at;
                    self.seek(end)?;
                    Wire::Bytes(start..end)
                }
                5 => Wire::Float(f32::from_le_bytes(self.bytes()?)),
                kind => return Err(format!("byte {} has wire type {kind}", self.at).into()),
            };
            fields.push((key >> 3, value));
        }
        if self.at != range.end {
            return Err(format!("a part at byte {} is longer than what holds it", self.at).into());
        }
        Ok(fields)
    }

    pub(crate) fn text(&mut self, range: &Range<u64>) -> Result<String, BoxError> {
        let length = range.end.saturating_sub(range.start);
        if length > LONGEST_TEXT {
            return Err(format!("the text at byte {} is too long", range.start).into());
        }
        self.text_left = self.text_left.checked_sub(length).ok_or("it has too much text")?;
        let bytes = self.read(range)?;
        Ok(String::from_utf8(bytes).map_err(|_| "a text is not UTF-8")?)
    }

    /// Packed varints, at most `most` of them.
    pub(crate) fn varints(
        &mut self,
        range: &Range<u64>,
        most: usize,
    ) -> Result<Vec<u64>, BoxError> {
        self.seek(range.start)?;
        let mut values = Vec::new();
        while self.at < range.end {
            if values.len() == most {
                return Err(format!("the list at byte {} is too long", range.start).into());
            }
            values.push(self.varint()?);
        }
        Ok(values)
    }

    /// The bytes of a range inside the file.
    pub(crate) fn read(&mut self, range: &Range<u64>) -> Result<Vec<u8>, BoxError> {
        let length = range.end.checked_sub(range.start).filter(|_| range.end <= self.size);
        let mut bytes =
            vec![0; usize::try_from(length.ok_or("the file is shorter than it says")?)?];
        self.seek(range.start)?;
        self.file.read_exact(&mut bytes)?;
        self.at = range.end;
        Ok(bytes)
    }

    fn varint(&mut self) -> Result<u64, BoxError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.bytes()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(format!("the number before byte {} does not end", self.at).into())
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], BoxError> {
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes)?;
        self.at = self.at.saturating_add(N as u64);
        Ok(bytes)
    }

    fn seek(&mut self, to: u64) -> Result<(), BoxError> {
        match to.checked_signed_diff(self.at) {
            Some(offset) => self.file.seek_relative(offset)?,
            None => drop(self.file.seek(SeekFrom::Start(to))?),
        }
        self.at = to;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn fields(bytes: &[u8]) -> Result<Vec<(u64, Wire)>, BoxError> {
        let mut file = tempfile::tempfile()?;
        file.write_all(bytes)?;
        file.rewind()?;
        WireFile::open(file)?.fields(&(0..bytes.len() as u64))
    }

    #[test]
    fn fields_come_with_their_numbers() {
        let found = fields(&[0x08, 0x96, 0x01, 0x12, 2, b'h', b'i', 0x1d, 0, 0, 0x80, 0x3f]);
        let expected = vec![(1, Wire::Varint(150)), (2, Wire::Bytes(5..7)), (3, Wire::Float(1.0))];
        assert_eq!(found.expect("fields"), expected);
    }

    #[test]
    fn what_does_not_end_is_refused() {
        for bytes in [
            &[0x08][..],
            &[0x08, 0x80],
            &[0x12, 3, b'h', b'i'],
            &[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
            &[0x0b, 0],
            &[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
            &[0x1d, 0, 0],
        ] {
            assert!(fields(bytes).is_err(), "{bytes:?}");
        }
    }
}
