//! Chunks that are not what they should be.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::tests::made::{Made, words};
use crate::{Dataset, Error};

/// A dataset of bytes in chunks, which a B-tree finds.
struct Chunks {
    shape: Vec<u64>,
    chunk: Vec<u32>,
    /// The first element of each, its filter mask, and what is stored.
    stored: Vec<(Vec<u64>, u32, Vec<u8>)>,
    filters: Vec<u16>,
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("bytes");
    encoder.finish().expect("bytes")
}

impl Chunks {
    /// Two rows of two numbers, each row a chunk.
    fn two() -> Self {
        let stored = vec![(vec![0, 0], 0, vec![1, 2]), (vec![1, 0], 0, vec![3, 4])];
        Self { shape: vec![2, 2], chunk: vec![1, 2], stored, filters: Vec::new() }
    }

    fn tree(&self, made: &mut Made) -> u64 {
        let mut entries = Vec::new();
        for (first, mask, stored) in &self.stored {
            entries.extend([stored.len() as u32, *mask].map(u32::to_le_bytes).concat());
            entries.extend(words(&[&first[..], &[0]].concat()));
            entries.extend(words(&[made.put(&[stored])]));
        }
        let count = (self.stored.len() as u16).to_le_bytes();
        made.put(&[b"TREE\x01\0", &count, &[0xff; 16], &entries, &[0; 64]])
    }

    fn open(&self) -> Result<Dataset, Error> {
        let mut made = Made::new();
        let tree = self.tree(&mut made);
        let (rank, chunks) = (self.shape.len() as u8, self.chunk.len() as u8);
        let space = [vec![1, rank, 0, 0, 0, 0, 0, 0], words(&self.shape)].concat();
        let datatype = vec![0x10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0];
        let sizes: Vec<u8> = self.chunk.iter().chain(&[1]).flat_map(|s| s.to_le_bytes()).collect();
        let layout = [vec![3, 2, chunks + 1], words(&[tree]), sizes].concat();
        let filter = |number: &u16| [number.to_le_bytes(), [0; 2], [0; 2]].concat();
        let filters: Vec<u8> = self.filters.iter().flat_map(filter).collect();
        let filters = [vec![2, self.filters.len() as u8], filters].concat();
        let mut messages = vec![(1, space), (3, datatype), (8, layout)];
        if !self.filters.is_empty() {
            messages.push((0x0b, filters));
        }
        let dataset = made.header(&messages);
        made.open(dataset).dataset("")
    }

    fn read(&self) -> Result<Vec<u8>, Error> {
        self.open().and_then(|dataset| dataset.bytes())
    }

    fn refused(&self) -> String {
        self.read().expect_err("hostile").to_string()
    }
}

#[test]
fn what_is_made_up_can_be_read() {
    assert_eq!(Chunks::two().read().expect("numbers"), [1, 2, 3, 4]);
    let mut chunks = Chunks { filters: vec![1, 3], ..Chunks::two() };
    let sum = |bytes: &[u8]| [bytes, &crate::checksum::fletcher32(bytes).to_le_bytes()].concat();
    chunks.stored[0].2 = sum(&packed(&[1, 2]));
    (chunks.stored[1].1, chunks.stored[1].2) = (1, sum(&[3, 4]));
    assert_eq!(chunks.read().expect("numbers"), [1, 2, 3, 4]);
    // The sum is packed with the numbers.
    chunks.filters = vec![3, 1];
    chunks.stored[0].2 = packed(&sum(&[1, 2]));
    (chunks.stored[1].1, chunks.stored[1].2) = (1, packed(&[3, 4]));
    assert_eq!(chunks.read().expect("numbers"), [1, 2, 3, 4]);
}

#[test]
fn chunks_must_be_where_they_belong_once() {
    for (first, error) in [
        ([0, 0], "it has a chunk twice"),
        ([2, 0], "a chunk of it lies outside its shape"),
        ([1, 1], "a chunk of it lies outside its shape"),
        ([u64::MAX, 0], "a chunk of it lies outside its shape"),
    ] {
        let mut chunks = Chunks::two();
        chunks.stored[1].0 = first.to_vec();
        assert_eq!(chunks.refused(), error);
    }
}

#[test]
fn large_chunks_are_unpacked_as_long_as_they_hold_something() {
    let one = |stored| Chunks {
        shape: vec![4 << 20],
        chunk: vec![4 << 20],
        stored: vec![(vec![0], 0, stored)],
        filters: vec![1],
    };
    let mut state = 1_u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(4 << 20)
    .collect();
    for content in [noise, vec![0; 4 << 20]] {
        assert!(one(packed(&content)).read().expect("numbers") == content);
    }
    // A block that is not compressed, has no bytes and is not the last.
    let nothing = [&[0x78, 0x01][..], &[0, 0, 0, 0xff, 0xff].repeat(800_000)].concat();
    assert_eq!(one(nothing).refused(), "a chunk of it is larger than what it holds");
}

#[test]
fn chunks_must_have_their_size() {
    let mut chunks = Chunks::two();
    chunks.stored[1].2 = vec![3];
    assert_eq!(chunks.refused(), "a chunk of it has another size");
    let cannot = "a chunk of it cannot be unpacked to its size";
    for (stored, error) in [
        (packed(&vec![0; 1 << 24]), "a chunk of it is larger than what it holds"),
        (packed(&[0; 1 << 16]), cannot),
        (packed(&[3, 4, 5]), cannot),
        (packed(&[3]), cannot),
        (packed(&[]), cannot),
        (packed(&[3, 4])[..5].to_vec(), cannot),
        (Vec::new(), cannot),
    ] {
        let mut chunks = Chunks { filters: vec![1], ..Chunks::two() };
        chunks.stored[0].2 = packed(&[1, 2]);
        chunks.stored[1].2 = stored;
        assert_eq!(chunks.refused(), error);
    }
    let mut chunks = Chunks { filters: vec![3], ..Chunks::two() };
    chunks.stored.truncate(1);
    chunks.stored[0].2 = vec![1, 2, 0, 0, 0, 0];
    assert_eq!(chunks.refused(), "its checksum is wrong");
    chunks.stored[0].2 = vec![1, 2];
    assert_eq!(chunks.refused(), "it ends too early");
}

#[test]
fn filters_are_few_and_known() {
    for (filters, error) in [
        (vec![1, 1], "its chunks went through one filter twice"),
        (vec![1, 2, 3, 5, 4], "it has more filters than any network"),
        (vec![4], "its numbers went through filter 4 (szip)"),
        (vec![1, 6], "its numbers went through filter 6 (scaleoffset)"),
    ] {
        let chunks = Chunks { filters, ..Chunks::two() };
        assert!(chunks.refused().starts_with(error), "{error}");
    }
}

#[test]
fn chunks_are_as_many_and_as_large_as_the_numbers_need() {
    let chunks = |shape: &[u64], chunk: &[u32]| {
        let (shape, chunk) = (shape.to_vec(), chunk.to_vec());
        Chunks { shape, chunk, stored: Vec::new(), filters: Vec::new() }.read()
    };
    let error = |shape: &[u64], chunk: &[u32]| {
        let text = chunks(shape, chunk).expect_err("hostile").to_string();
        text.lines().next().map(str::to_owned).expect("a line")
    };
    assert_eq!(error(&[5000], &[1]), "it has more chunks than any weight");
    assert_eq!(error(&[1 << 29], &[1 << 20]), "it has more numbers than any network");
    assert_eq!(error(&[u64::MAX, 3], &[1, 1]), "it has more numbers than any network");
    let larger = "a chunk of it is larger than all its numbers";
    assert_eq!(error(&[1 << 10], &[1 << 21]), larger);
    assert_eq!(error(&[4000, 2], &[1, 1 << 20]), larger);
    assert_eq!(error(&[4, 4], &[4]), "its chunks have another number of dimensions");
    assert_eq!(error(&[4], &[0]), "its chunks hold nothing");
    assert_eq!(chunks(&[1000], &[1 << 20]).expect("zeros"), vec![0; 1000]);
    assert_eq!(chunks(&[0, 7], &[1, 1]).expect("none"), []);
    assert_eq!(error(&[1 << 28], &[1 << 28]), "it asks for more reading than any network needs");
}
