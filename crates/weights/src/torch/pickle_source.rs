//! The bytes of a pickle, read in order.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// The longest name of a module or class.
const LONGEST_LINE: usize = 1 << 10;

/// A part of a file, and the place in it.
pub(crate) struct Source {
    file: BufReader<File>,
    position: u64,
    end: u64,
}

impl Source {
    /// The bytes from `start` to `end`, which must lie in the file.
    pub(crate) fn new(mut file: File, start: u64, end: u64) -> io::Result<Self> {
        file.seek(SeekFrom::Start(start))?;
        Ok(Self { file: BufReader::new(file), position: start, end })
    }

    /// Where in the file the next byte is.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    pub(crate) fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.take(1)?;
        self.file.read_exact(&mut byte)?;
        Ok(byte.into_iter().next().unwrap_or_default())
    }

    /// A little-endian number of at most 8 bytes.
    pub(crate) fn number(&mut self, width: u64) -> io::Result<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(8).take(usize::try_from(width).unwrap_or(usize::MAX)) {
            number |= u64::from(self.byte()?) << shift;
        }
        Ok(number)
    }

    /// The same, with a sign.
    pub(crate) fn signed(&mut self, width: u64) -> io::Result<i64> {
        let number = self.number(width)?;
        let unused = 64_u64.saturating_sub(width.saturating_mul(8)).min(63);
        Ok((number << unused).cast_signed() >> unused)
    }

    /// So many bytes, which the caller has found few enough.
    pub(crate) fn bytes(&mut self, length: u64) -> io::Result<Vec<u8>> {
        self.take(length)?;
        let mut bytes = vec![0; usize::try_from(length).map_err(|_| invalid("it is too long"))?];
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    pub(crate) fn skip(&mut self, length: u64) -> io::Result<()> {
        self.take(length)?;
        self.file.seek_relative(i64::try_from(length).map_err(|_| invalid("it is too long"))?)
    }

    /// Text to the end of the line.
    pub(crate) fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        loop {
            match self.byte()? {
                b'\n' => break,
                _ if line.len() >= LONGEST_LINE => return Err(invalid("a name is too long")),
                byte => line.push(byte),
            }
        }
        String::from_utf8(line).map_err(|_| invalid("a name is no text"))
    }

    fn take(&mut self, length: u64) -> io::Result<()> {
        match self.position.checked_add(length).filter(|&end| end <= self.end) {
            Some(end) => self.position = end,
            None => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends too early")),
        }
        Ok(())
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
