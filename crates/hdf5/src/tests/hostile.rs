//! Files that were made to take time, memory or the stack.

use crate::File;
use crate::tests::made::{BUDGET, Made, NOWHERE, open, words};

fn refused(file: &File) -> String {
    file.allow(BUDGET);
    let error = file.group("").and_then(|root| root.strings("x")).expect_err("hostile");
    error.to_string()
}

/// An attribute `x` of one dimension.
fn attribute(datatype: &[u8], count: u64, data: &[u8]) -> (u16, Vec<u8>) {
    let space = [vec![1, 1, 0, 0, 0, 0, 0, 0], words(&[count])].concat();
    let mut head = vec![1, 0, 2, 0];
    head.extend([datatype.len() as u16, 16].map(u16::to_le_bytes).concat());
    head.extend(b"x\0\0\0\0\0\0\0");
    head.extend(datatype);
    head.resize(head.len().next_multiple_of(8), 0);
    (0x0c, [head, space, data.to_vec()].concat())
}

const VARIABLE: &[u8] =
    &[0x19, 1, 0, 0, 16, 0, 0, 0, 0x13, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0];

#[test]
fn continuations_that_name_each_other_end() {
    let mut made = Made::new();
    let next = made.next();
    // The block holds the message that names the block.
    let body = words(&[next + 16, 24]);
    let root = made.header(&[(0x10, body)]);
    assert!(refused(&made.open(root)).contains("more pieces of one object"));

    let mut made = Made::new();
    let empty = [0x12, 0, 0, 0, 0, 0, 0, 0].repeat(60_000);
    let region = made.put(&[&empty]);
    let again: Vec<_> = (0..2000).map(|_| (0x10, words(&[region, 480_000]))).collect();
    let root = made.header(&again);
    assert!(refused(&made.open(root)).contains("more messages about one object"));
}

#[test]
fn indexes_that_name_themselves_end() {
    let tree = |level: u8, below: &dyn Fn(u64) -> u64| {
        let mut made = Made::new();
        let heap = made.names(b"\0name\0");
        let next = made.next();
        let tree = made.node([0, level], &[below(next)]);
        let root = made.group(tree, heap);
        refused(&made.open(root))
    };
    assert_eq!(tree(1, &|this| this), "an index in it is circular");
    assert_eq!(tree(17, &|this| this), "an index in it has an impossible depth");
    assert_eq!(tree(255, &|this| this + 8), "an index in it has an impossible depth");

    // Any number of nodes could hold nothing, and one node of links be named again and again.
    for (below, error) in [
        ((|made: &mut Made| made.node([0, 0], &[])) as fn(&mut Made) -> u64, "an empty part"),
        (|made| made.symbols(1, 1, NOWHERE), "circular"),
    ] {
        let mut made = Made::new();
        let heap = made.names(b"\0name\0");
        let below = below(&mut made);
        let level = u8::from(error == "an empty part");
        let root = made.node([0, level], &[below, below][..2 - usize::from(level)]);
        let root = made.group(root, heap);
        assert!(refused(&made.open(root)).contains(error), "{error}");
    }

    // Each node has the same nodes below it, twice.
    let mut made = Made::new();
    let heap = made.names(b"\0name\0");
    let mut below = made.symbols(1, 1, NOWHERE);
    for level in 0..16 {
        below = made.node([0, level], &[below, below]);
    }
    let root = made.group(below, heap);
    assert_eq!(refused(&made.open(root)), "an index in it is circular");
}

#[test]
fn names_of_one_long_string_end() {
    for (length, error) in [(60_000, "one name"), (70_000, "more characters in a name")] {
        let mut made = Made::new();
        let mut names = vec![b'a'; length];
        names.push(0);
        let heap = made.names(&names);
        let symbols = made.symbols(20_000, 0, NOWHERE);
        let tree = made.node([0, 0], &[symbols]);
        let root = made.group(tree, heap);
        assert!(refused(&made.open(root)).contains(error));
    }
    // Each name begins one character later than the one before.
    let mut made = Made::new();
    let heap = made.names(&[vec![b'a'; 60_000], vec![0]].concat());
    let entries = (0..20_000).map(|at| [words(&[at, NOWHERE]), vec![0; 24]].concat());
    let entries = entries.collect::<Vec<_>>().concat();
    let symbols = made.put(&[b"SNOD\x01\0", &20_000_u16.to_le_bytes(), &entries]);
    let tree = made.node([0, 0], &[symbols]);
    let root = made.group(tree, heap);
    assert!(refused(&made.open(root)).contains("more reading"));
}

/// All references are to one long string.
#[test]
fn references_to_strings_end() {
    let text = vec![b'a'; 1 << 20];
    let mut made = Made::new();
    let size = text.len() as u64;
    let object = [words(&[1, size]), text].concat();
    let heap = made.put(&[b"GCOL\x01\0\0\0", &words(&[size + 32]), &object]);
    let one = [&(size as u32).to_le_bytes()[..], &words(&[heap]), &1_u32.to_le_bytes()].concat();
    let root = made.attributed(attribute(VARIABLE, 4000, &one.repeat(4000)));
    assert!(refused(&made.open(root)).contains("more reading"));
}

/// Each reference is to a heap of its own, all of which reach to one end.
#[test]
fn heaps_within_heaps_end() {
    let mut made = Made::new();
    let (count, step) = (4000, 32);
    let (first, end) = (made.next(), count * step + 1_000_000);
    let head = |at: u64| {
        let size = end - at * step;
        [&b"GCOL\x01\0\0\0"[..], &words(&[size, 1, size - step])].concat()
    };
    made.put(&[&(0..count).map(head).collect::<Vec<_>>().concat(), &vec![0; 1_000_000]]);
    let one = 1_u32.to_le_bytes();
    let reference = |at: u64| [&one, &words(&[first + at * step])[..], &one].concat();
    let references = (0..count).map(reference).collect::<Vec<_>>().concat();
    let root = made.attributed(attribute(VARIABLE, count, &references));
    assert!(refused(&made.open(root)).contains("more reading"));
}

#[test]
fn elements_that_take_no_bytes_end() {
    let mut made = Made::new();
    let root = made.attributed(attribute(VARIABLE, u64::MAX, &[]));
    assert_eq!(refused(&made.open(root)), "it ends too early");
    let mut made = Made::new();
    let nothing = [0x13, 0, 0, 0, 0, 0, 0, 0];
    let root = made.attributed(attribute(&nothing, u64::MAX, &[]));
    assert!(refused(&made.open(root)).contains("more reading"));
}

/// An object header of version 1 says that its attribute's type is in a heap of shared messages.
#[test]
fn shared_messages_are_refused() {
    let mut made = Made::new();
    let root = made.attributed((0x0c, vec![3, 1, 0, 0, 0, 0, 0, 0, 0, 0]));
    let mut bytes = made.bytes(root);
    bytes[root as usize + 16 + 4] = 2;
    let file = open(bytes).expect("an HDF5 file");
    assert!(refused(&file).contains("a heap of shared messages"));
}

#[test]
fn a_file_is_shared_between_threads() {
    fn shared<T: Send + Sync + Clone>() {}
    shared::<File>();
}

#[test]
fn nested_datatypes_are_not_gone_into() {
    let array = [0x3a, 0, 0, 0, 4, 0, 0, 0, 1, 1, 0, 0, 0];
    let mut made = Made::new();
    let root = made.attributed(attribute(&array.repeat(4900), 1, &[0; 8]));
    let file = made.open(root);
    file.allow(BUDGET);
    let strings = file.group("").and_then(|root| root.strings("x"));
    assert_eq!(strings.expect("an attribute"), Some(Vec::new()));
    assert!(BUDGET - file.left() < 1 << 18, "{} bytes are left", file.left());
}
