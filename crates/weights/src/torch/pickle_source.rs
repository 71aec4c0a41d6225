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
        Ok(self.number(1)? as u8)
    }

    /// A little-endian number of at most 8 bytes.
    pub(crate) fn number(&mut self, width: usize) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.take(width as u64)?;
        self.file.read_exact(&mut bytes[..width])?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// So many bytes, which the caller has found few enough.
    pub(crate) fn bytes(&mut self, length: u64) -> io::Result<Vec<u8>> {
        self.take(length)?;
        let mut bytes = vec![0; length as usize];
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    pub(crate) fn skip(&mut self, length: u64) -> io::Result<()> {
        self.take(length)?;
        self.file.seek_relative(length as i64)
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
        if length > self.end - self.position {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends too early"));
        }
        self.position += length;
        Ok(())
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
