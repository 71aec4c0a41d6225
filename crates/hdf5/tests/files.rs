//! Files of h5py, which `files/make.py` wrote.

mod support;

use std::io::Cursor;
use std::path::Path;

use burncam_hdf5::{Element, Error, File, FloatLayout, Kind};
use support::{counted, floats, open};

fn bytes(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/files/{name}.h5"));
    std::fs::read(path).expect("a file")
}

fn file(name: &str) -> File {
    open(bytes(name))
}

fn strings(file: &File, path: &str, name: &str) -> Option<Vec<String>> {
    file.group(path).expect(path).strings(name).expect(name)
}

fn refused(file: &File, path: &str) -> String {
    let numbers = file.dataset(path).and_then(|dataset| dataset.bytes());
    numbers.expect_err(path).to_string()
}

#[test]
fn arrays_are_read_as_they_are_stored() {
    for name in ["arrays_earliest", "arrays_latest", "block", "block_latest"] {
        let file = file(name);
        let bytes = |path| file.dataset(path).expect(path).bytes().expect(path);
        let shape = |path| file.dataset(path).expect(path).shape().to_vec();
        assert_eq!(file.end(), file.length(), "{name}");
        let plain = file.dataset("plain").expect("a dataset");
        assert_eq!(floats(&plain), [0.0, -1.5, 3e38, 1.0, 2.0, 7.0]);
        assert_eq!(plain.shape(), [2, 3]);
        let (at, size) = plain.contiguous().expect("in one piece");
        let stored = &self::bytes(name)[at as usize..][..size as usize];
        assert_eq!(stored, bytes("plain"));
        assert_eq!(bytes("big"), [1.0_f32, -2.0, 3.0].map(f32::to_be_bytes).concat());
        assert_eq!(bytes("double"), [0.0, 1.0, 2.0, 3.0, 4.0].map(f64::to_le_bytes).concat());
        assert_eq!(bytes("half"), [0x00, 0x3c, 0x00, 0xbc]);
        assert_eq!(bytes("int"), [0xff, 0xff, 0, 2]);
        assert_eq!(bytes("bytes"), [1, 255]);
        assert_eq!(bytes("scalar"), 4.5_f32.to_le_bytes());
        assert_eq!(bytes("texts"), *b"abc\0");
        assert_eq!(bytes("null"), []);
        assert_eq!(bytes("none"), []);
        assert_eq!(bytes("unwritten"), [1.5_f32; 6].map(f32::to_le_bytes).concat());
        assert_eq!(
            bytes("compact"),
            counted(4).into_iter().flat_map(f32::to_le_bytes).collect::<Vec<_>>()
        );
        assert_eq!(floats(&file.dataset("committed").expect("a dataset")), [0.0, 1.0, 2.0]);
        assert_eq!([shape("scalar"), shape("null"), shape("none")], [vec![], vec![0], vec![0, 3]]);
        for path in ["scalar", "null", "none", "unwritten", "compact"] {
            let place = file.dataset(path).expect(path).contiguous();
            assert_eq!(place.is_some(), path == "scalar", "{path}");
        }
    }
}

#[test]
fn elements_are_described() {
    let file = file("arrays_earliest");
    let element = |path| file.dataset(path).expect(path).element();
    let float = |big_endian, layout| Element::Float { big_endian, layout };
    assert_eq!(element("plain"), float(false, FloatLayout::BINARY32));
    assert_eq!(element("committed"), float(false, FloatLayout::BINARY32));
    assert_eq!(element("big"), float(true, FloatLayout::BINARY32));
    assert_eq!(element("half"), float(false, FloatLayout::BINARY16));
    assert_eq!(element("int"), Element::Integer { size: 2, signed: true, big_endian: true });
    assert_eq!(element("bytes"), Element::Integer { size: 1, signed: false, big_endian: false });
    assert_eq!(element("texts"), Element::Other);
}

#[test]
fn chunks_are_put_together() {
    for name in ["chunks_earliest", "chunks_latest", "chunks_v110"] {
        let file = file(name);
        let numbers = |path| floats(&file.dataset(path).expect(path));
        let packed = ["all", "gzip"];
        let more = ["chunks", "sum", "one", "one_gzip", "deep", "larger", "implicit"];
        let more = if name == "chunks_v110" { &[][..] } else { &more };
        for path in packed.iter().chain(more) {
            assert_eq!(numbers(path), counted(150), "{name} {path}");
        }
    }
    for name in ["chunks_earliest", "chunks_latest"] {
        let file = file(name);
        let numbers = |path| floats(&file.dataset(path).expect(path));
        assert_eq!(numbers("many"), [counted(100), counted(30)].concat());
        let mut pages = vec![0.0; 1100];
        (pages[5], pages[1099]) = (6.0, 8.0);
        assert_eq!(numbers("pages"), pages);
        let there = |at: usize| (4..8).contains(&(at / 15)) && (8..12).contains(&(at % 15));
        let holes = counted(150).into_iter().enumerate();
        let holes: Vec<f32> = holes.map(|(at, v)| if there(at) { v } else { -1.0 }).collect();
        assert_eq!(numbers("holes"), holes);
    }
}

#[test]
fn what_is_not_understood_is_named() {
    let file = file("chunks_latest");
    assert_eq!(file.dataset("grows").expect("a dataset").shape(), [10, 15]);
    let hint = "hint: save the model again, or rewrite it with `h5repack -f NONE -l CONTI`";
    for (path, what) in [
        ("grows", "its chunks are found by an extensible array"),
        ("grows_twice", "its chunks are found by a B-tree of version 2"),
        ("lzf", "its numbers went through filter 32000 (lzf)"),
    ] {
        assert_eq!(refused(&file, path), format!("{what}\n{hint}"));
        let checked = file.dataset(path).expect(path).check();
        assert_eq!(checked.expect_err(path).to_string(), format!("{what}\n{hint}"));
    }
    let earliest = self::file("chunks_earliest");
    assert_eq!(floats(&earliest.dataset("grows").expect("a dataset")), counted(150));
}

#[test]
fn groups_list_their_members() {
    for name in ["groups_earliest", "groups_latest"] {
        let file = file(name);
        let members = |path| file.group(path).expect(path).members().expect(path);
        let few: Vec<(&str, Kind)> = vec![
            ("dangling", Kind::Other),
            ("external", Kind::Other),
            ("g0", Kind::Group),
            ("g1", Kind::Group),
            ("g2", Kind::Group),
            ("soft", Kind::Other),
        ];
        let found = members("few");
        let found: Vec<(&str, Kind)> = found.iter().map(|(n, k)| (n.as_str(), *k)).collect();
        assert_eq!(found, few);
        let many = members("many");
        assert_eq!((many.len(), &many[0]), (301, &("data".to_owned(), Kind::Dataset)));
        assert_eq!(many[300], ("member 0299".to_owned(), Kind::Group));
        for (path, count) in [("ordered3", 3), ("ordered20", 20)] {
            let names: Vec<String> = members(path).into_iter().map(|(name, _)| name).collect();
            assert_eq!(names, (1..=count).map(|i| format!("o{i:02}")).collect::<Vec<_>>());
        }
        for path in ["many/data", "/a//b/c/d/", "f\u{fc}r"] {
            assert_eq!(floats(&file.dataset(path).expect(path)), counted(100));
        }
        assert_eq!(members("many/member 0150/g1"), []);
    }
}

#[test]
fn what_is_missing_or_another_kind_is_said() {
    let file = file("groups_latest");
    for (path, error) in [
        ("few/g3", "it has no member `g3`"),
        ("few/soft", "it is a link to another place"),
        ("few/external", "it is a link to another place"),
        ("a/b/c/d", "it is no group"),
        ("a/b/c/d/e", "it is no group"),
    ] {
        assert_eq!(file.group(path).err().expect(path).to_string(), error);
    }
    assert!(matches!(file.dataset("few"), Err(Error::NotDataset)));
    assert!(matches!(file.group("few/g9"), Err(Error::NoMember(name)) if name == "g9"));
}

#[test]
fn attributes_give_their_strings() {
    for name in ["attributes_earliest", "attributes_latest"] {
        let file = file(name);
        let expected: [(&str, &[&str]); 11] = [
            ("variable", &["gr\u{fc}\u{df}"]),
            ("list", &["one", "", "three"]),
            ("fixed", &["a", "bc", ""]),
            ("bytes", &["xyz"]),
            ("ended", &["ab c"]),
            ("spaces", &["ab c"]),
            ("committed", &["abcd", "ef"]),
            ("number", &[]),
            ("numbers", &[]),
            ("empty", &[]),
            ("square", &[]),
        ];
        for (attribute, values) in expected {
            let found = strings(&file, "", attribute).expect(attribute);
            assert_eq!(found, values, "{name} {attribute}");
        }
        assert_eq!(strings(&file, "", "none"), None);
        let names = ["kernel:0", "bias:0"].map(str::to_owned).to_vec();
        assert_eq!(strings(&file, "few", "weight_names"), Some(names));
        for number in 0..12 {
            let value = strings(&file, "ordered", &format!("t{number}"));
            assert_eq!(value, Some(vec![format!("value {number}")]));
        }
    }
}

#[test]
fn long_attributes_are_read_wherever_they_are() {
    let file = file("long_earliest");
    assert_eq!(strings(&file, "", "long"), Some(vec!["abcdefghij".repeat(2500)]));
    assert_eq!(strings(&file, "", "wide"), Some(vec!["w".repeat(3000); 10]));
    let file = self::file("huge_latest");
    assert_eq!(strings(&file, "", "huge"), Some(vec!["h".repeat(700); 100]));
    assert_eq!(strings(&file, "", "small"), Some(vec!["s".to_owned()]));
}

#[test]
fn addresses_of_four_bytes_are_read() {
    for name in ["sizes", "sizes_latest"] {
        let file = file(name);
        let list = ["one", "", "three"].map(str::to_owned).to_vec();
        assert_eq!(strings(&file, "", "list"), Some(list));
        assert_eq!(file.group("").expect("a group").members().expect("members").len(), 42);
        assert_eq!(floats(&file.dataset("g39/all").expect("a dataset")), counted(150));
        assert_eq!(floats(&file.dataset("plain").expect("a dataset")), counted(100));
    }
}

#[test]
fn a_file_may_lie_within_another() {
    let inner = bytes("block");
    let (length, whole) = (inner.len() as u64, [vec![7; 1234], inner, vec![9; 99]].concat());
    let open = |length| File::open(Cursor::new(whole.clone()), 1234, length);
    let file = open(length).expect("a file");
    let dataset = file.dataset("plain").expect("a dataset");
    let (at, size) = dataset.contiguous().expect("in one piece");
    assert_eq!(whole[1234 + at as usize..][..size as usize], dataset.bytes().expect("numbers"));
    assert!(matches!(open(length + 100), Err(Error::Short)));
    assert!(matches!(File::open(Cursor::new(vec![0; 5000]), 0, 5000), Err(Error::NotHdf5)));
}

#[test]
fn what_may_be_read_is_limited() {
    let file = file("chunks_earliest");
    let dataset = file.dataset("all").expect("a dataset");
    file.allow(1000);
    assert!(matches!(dataset.bytes(), Err(Error::TooMuch)));
    file.allow(100_000);
    assert_eq!(floats(&dataset), counted(150));
    file.allow(10);
    assert!(matches!(file.group(""), Err(Error::TooMuch)));
}
