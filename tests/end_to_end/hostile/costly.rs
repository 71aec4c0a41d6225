//! Small files that would cost far more than their size, and names that pretend to be messages.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};

use parity::KerasFile;
use serde_json::{Value, json};
use zip::CompressionMethod;

use super::weights::{pickle, safetensors};
use super::{archive, place, refused_as_weights, run};
use crate::program::{Place, weights};

/// An archive of two hundred million entries, in a hole: the library makes room for them at once.
#[cfg(unix)]
#[test]
fn a_table_of_contents_that_is_a_hole() {
    let place = place();
    let (count, start) = (200_000_000_u64, 200_000_000_u64);
    let mut file = File::create(place.path("hole.keras")).expect("a file");
    file.write_all(b"PK\x03\x04").expect("room");
    file.seek(SeekFrom::Start(start)).expect("a hole");
    file.write_all(b"PK\x01\x02").expect("room");
    let end = start + count * 46;
    file.seek(SeekFrom::Start(end)).expect("a hole");
    let record = [44, (45 << 32) | (45 << 48), 0, count, count, count * 46, start];
    file.write_all(b"PK\x06\x06").expect("room");
    // The versions are two bytes each, the disks four.
    let record: Vec<u8> = record.iter().flat_map(|number: &u64| number.to_le_bytes()).collect();
    let record = [&record[..8], &record[12..16], &record[16..]].concat();
    file.write_all(&record).expect("room");
    file.write_all(b"PK\x06\x07\0\0\0\0").expect("room");
    file.write_all(&end.to_le_bytes()).expect("room");
    file.write_all(b"\x01\0\0\0PK\x05\x06\0\0\0\0").expect("room");
    file.write_all(&[0xff; 12]).expect("room");
    file.write_all(&[0; 2]).expect("room");
    drop(file);
    refused_as_weights(&place, "hole.keras", "its table of contents takes more than 16 MiB");
}

/// Compressed blocks without content, of which a gigabyte takes minutes.
#[test]
fn an_entry_of_empty_blocks() {
    let place = place();
    let blocks = [0, 0, 0, 0xff, 0xff].repeat(1 << 20);
    let stored = CompressionMethod::Stored;
    let mut bytes = archive(&[("config.json", &blocks), ("model.weights.h5", b"")], stored);
    // The way in which the first entry is compressed stands in its header, and in the table of contents.
    let table = bytes.windows(4).position(|four| four == b"PK\x01\x02").expect("a table");
    (bytes[8], bytes[table + 10]) = (8, 8);
    place.write("empty.keras", &bytes);
    refused_as_weights(&place, "empty.keras", "its compressed data are longer than what they hold");
}

/// One tuple of a million entries is the id of a million storages.
#[test]
fn storages_with_one_endless_id() {
    let place = place();
    let id = [
        &b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x01N"[..],
        &b"2".repeat(400_000),
        b"tq\x000",
    ];
    let storages = b"h\0Q0".repeat(400_000);
    let all = [&b"\x80\x02"[..], &id.concat(), &storages, b"}."].concat();
    place.write("views.pt", &pickle(&all));
    refused_as_weights(&place, "views.pt", "a storage is a view of another");
}

/// An attribute of ONNX whose numbers come in many pieces.
#[test]
fn a_list_in_pieces() {
    let place = place();
    let field = |number: u8, bytes: &[u8]| {
        let mut length = bytes.len();
        let mut all = vec![(number << 3) | 2];
        while length > 0x7f {
            all.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        all.push(length as u8);
        [all, bytes.to_vec()].concat()
    };
    let pieces = field(8, &[0; 4000]).repeat(100);
    let attribute = [field(1, b"axes"), pieces].concat();
    let node = [field(1, b"x"), field(4, b"Unsqueeze"), field(5, &attribute)].concat();
    let model = [&b"\x08\x07\x42\x02\x10\x0d"[..], &field(7, &field(1, &node))].concat();
    place.write("pieces.onnx", &model);
    refused_as_weights(&place, "pieces.onnx", "more than 4096 numbers");
}

/// N-CNN as Burncam's own file, with another description.
fn described(place: &Place, name: &str, change: impl Fn(&mut Value)) {
    let good = weights("NCNN_k2.h5");
    let arguments = ["convert", "--weights", &good, "--out", "good.safetensors", "--overwrite"];
    let (code, told) = run(place, &arguments);
    assert_eq!(code, 0, "{told}");
    let file = fs::read(place.path("good.safetensors")).expect("a file");
    let (length, rest) = file.split_at(8);
    let length = u64::from_le_bytes(length.try_into().expect("8 bytes")) as usize;
    let (header, numbers) = rest.split_at(length);
    let mut header: Value = serde_json::from_slice(header).expect("JSON");
    let entry = &mut header["__metadata__"]["burncam"];
    let mut description = serde_json::from_str(entry.as_str().expect("text")).expect("JSON");
    change(&mut description);
    *entry = description.to_string().into();
    let file = [safetensors(&header.to_string()), numbers.to_vec()].concat();
    place.write(name, &file);
}

#[test]
fn descriptions_with_more_to_do_than_any_network_has() {
    let place = place();
    described(&place, "steps.safetensors", |description| {
        let step = json!({ "scale": { "scale": [1, 1, 1], "offset": [0, 0, 0] } });
        description["input"]["steps"] = vec![step; 65].into();
    });
    refused_as_weights(&place, "steps.safetensors", "more than 64 steps");
    described(&place, "head.safetensors", |description| {
        let layers = description["head"]["layers"].as_array_mut().expect("layers");
        for number in 0..300 {
            let name = format!("drop_{number}");
            layers.insert(1, json!({ "name": name, "class": "Dropout", "settings": null }));
        }
    });
    refused_as_weights(&place, "head.safetensors", "more than 256 layers");
}

#[test]
fn a_head_in_keras_of_endless_layers() {
    let place = place();
    let mut file = KerasFile::ncnn();
    let names: Vec<String> = (0..300).map(|number| format!("drop_{number}")).collect();
    let mut head = vec![("Flatten", "flatten", json!({}))];
    head.extend(names.iter().map(|name| ("Dropout", name.as_str(), json!({ "rate": 0.5 }))));
    file.set_head(&head);
    file.write(&place.path("head.h5"));
    refused_as_weights(&place, "head.h5", "may have no classes to explain");
}

/// `inspect` finds what `explain` would refuse, and names do not look like lines of the program.
#[test]
fn weights_too_many_and_names_of_two_lines() {
    let place = place();
    let mut file = KerasFile::ncnn();
    file.add_weights("stray", &[("kernel", &[2])]);
    file.write(&place.path("stray.h5"));
    let (code, told) = run(&place, &["inspect", "stray.h5"]);
    assert_eq!(code, 2, "{told}");
    assert!(
        told.contains("1 weight has no place") && told.contains("`stray` kernel [2]"),
        "{told}"
    );
    let tensor = "{\"a\\nerror: all is lost.weight\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}";
    place.write("lines.safetensors", &safetensors(tensor));
    refused_as_weights(&place, "lines.safetensors", "\"a\\nerror: all is lost");
    for (name, tensor, words) in [
        (
            "type.safetensors",
            "\"dtype\":\"F7\",\"shape\":[1]",
            "tensor `a.w` is of an unknown type",
        ),
        (
            "shape.safetensors",
            "\"dtype\":\"F32\",\"shape\":[2]",
            "tensor `a.w` is F32 of shape [2]",
        ),
    ] {
        let header = format!("{{\"a.w\":{{{tensor},\"data_offsets\":[0,4]}}}}");
        place.write(name, &[safetensors(&header), vec![0; 4]].concat());
        refused_as_weights(&place, name, words);
    }
}
