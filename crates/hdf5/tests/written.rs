//! Files of hdf5-pure.

mod support;

use burncam_hdf5::{Element, File, FloatLayout};
use hdf5_pure::{AttrValue, FileBuilder};
use support::{counted, floats, open};

fn made(make: impl FnOnce(&mut FileBuilder)) -> File {
    let mut builder = FileBuilder::new();
    make(&mut builder);
    open(builder.finish().expect("a file"))
}

#[test]
fn numbers_are_read_in_one_piece_and_in_chunks() {
    let values = counted(150);
    let file = made(|file| {
        let shape = [10, 15];
        file.create_dataset("plain").with_f32_data(&values).with_shape(&shape);
        file.create_dataset("chunks")
            .with_f32_data(&values)
            .with_shape(&shape)
            .with_chunks(&[4, 4]);
        let packed = file.create_dataset("packed").with_f32_data(&values).with_shape(&shape);
        packed.with_chunks(&[4, 4]).with_shuffle().with_deflate(6).with_fletcher32();
        file.create_dataset("one").with_f32_data(&values).with_shape(&shape).with_chunks(&[10, 15]);
    });
    for name in ["plain", "chunks", "packed", "one"] {
        let dataset = file.dataset(name).expect(name);
        assert_eq!(dataset.shape(), [10, 15], "{name}");
        assert_eq!(floats(&dataset), values, "{name}");
        assert_eq!(dataset.contiguous().is_some(), name == "plain", "{name}");
    }
}

#[test]
fn doubles_and_integers_are_told_apart() {
    let file = made(|file| {
        file.create_dataset("double").with_f64_data(&[1.5, -2.0]);
        file.create_dataset("long").with_i64_data(&[-3]);
    });
    let double = file.dataset("double").expect("a dataset");
    let element = Element::Float { big_endian: false, layout: FloatLayout::BINARY64 };
    assert_eq!(double.element(), element);
    assert_eq!(double.bytes().expect("numbers"), [1.5_f64, -2.0].map(f64::to_le_bytes).concat());
    let long = file.dataset("long").expect("a dataset");
    let element = Element::Integer { size: 8, signed: true, big_endian: false };
    assert_eq!(long.element(), element);
    assert_eq!(long.bytes().expect("numbers"), (-3_i64).to_le_bytes());
}

#[test]
fn strings_of_all_kinds_are_read() {
    let names = || vec!["conv".to_owned(), "dense_1".to_owned()];
    let config = "{\"layers\": []}".repeat(10_000);
    let file = made(|file| {
        file.set_attr("text", AttrValue::AsciiString("2.15.0".to_owned()));
        file.set_attr("config", AttrValue::AsciiString(config.clone()));
        file.set_attr("variable", AttrValue::VarLenAsciiString(config.clone()));
        file.set_attr("list", AttrValue::VarLenAsciiStringArray(names()));
        let mut group = file.create_group("layers");
        group.set_attr("names", AttrValue::AsciiStringArray(names()));
        group.set_attr("number", AttrValue::F64(1.0));
        for number in 0..12 {
            let value = AttrValue::AsciiString(format!("value {number}"));
            group.set_attr(&format!("more{number}"), value);
        }
        file.add_group(group.finish());
    });
    let strings =
        |path: &str, name| file.group(path).expect("a group").strings(name).expect("an attribute");
    assert_eq!(strings("", "text"), Some(vec!["2.15.0".to_owned()]));
    assert_eq!(strings("/", "config"), Some(vec![config.clone()]));
    assert_eq!(strings("/", "variable"), Some(vec![config]));
    assert_eq!(strings("/", "list"), Some(names()));
    assert_eq!(strings("layers", "names"), Some(names()));
    assert_eq!(strings("layers", "number"), Some(Vec::new()));
    assert_eq!(strings("layers", "more11"), Some(vec!["value 11".to_owned()]));
    assert_eq!(strings("layers", "none"), None);
}
