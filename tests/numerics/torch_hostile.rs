//! Damaged and malicious PyTorch files: an error each time, never a panic, never much memory.

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use burncam_models::ARCHS;
use burncam_weights::Checkpoint;
use parity::folder;

/// What loading says, the causes too.
fn load(path: &Path) -> Result<(), String> {
    let load = || {
        let resolved = Checkpoint::open(path)?.resolve(&ARCHS, None)?;
        resolved.build(&Device::flex()).map(drop)
    };
    load().map_err(|error: burncam_weights::Error| format!("{:#}", anyhow::Error::from(error)))
}

fn refusal(bytes: &[u8]) -> String {
    let place = tempfile::tempdir().expect("a temporary folder");
    let path = place.path().join("hostile.pth");
    fs::write(&path, bytes).expect("a file");
    let error = load(&path).expect_err("a refusal");
    assert!(error.contains("hostile.pth"), "no file in: {error}");
    error
}

fn assert_refused(bytes: &[u8], words: &str) {
    let error = refusal(bytes);
    assert!(error.contains(words), "no `{words}` in: {error}");
}

/// A pickle of these instructions.
fn pickle(parts: &[&[u8]]) -> Vec<u8> {
    [b"\x80\x02", parts.concat().as_slice(), b"."].concat()
}

fn text(text: &str) -> Vec<u8> {
    [b"X", (text.len() as u32).to_le_bytes().as_slice(), text.as_bytes()].concat()
}

fn int(value: i64) -> Vec<u8> {
    [b"\x8a\x08".as_slice(), &value.to_le_bytes()].concat()
}

fn tuple(values: &[i64]) -> Vec<u8> {
    let values: Vec<u8> = values.iter().flat_map(|&value| int(value)).collect();
    [b"(", values.as_slice(), b"t"].concat()
}

/// A tensor as torch.save describes it.
fn tensor(elements: i64, offset: i64, shape: &[i64], strides: &[i64]) -> Vec<u8> {
    [
        b"ctorch._utils\n_rebuild_tensor_v2\n((",
        text("storage").as_slice(),
        b"ctorch\nFloatStorage\n",
        &text("0"),
        &text("cpu"),
        &int(elements),
        b"tQ",
        &int(offset),
        &tuple(shape),
        &tuple(strides),
        b"\x89ccollections\nOrderedDict\n)RtR",
    ]
    .concat()
}

/// A dict of one tensor called `fc.weight`.
fn state(tensor: &[u8]) -> Vec<u8> {
    pickle(&[b"}", &text("fc.weight"), tensor, b"s"])
}

/// A legacy file of one storage that says how many floats it has.
fn legacy(object: &[u8], count: i64, floats: usize) -> Vec<u8> {
    [
        b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.".as_slice(),
        &pickle(&[&int(1001)]),
        &pickle(&[b"}", &text("little_endian"), b"\x88s"]),
        object,
        &pickle(&[b"](", &text("0"), b"e"]),
        &count.to_le_bytes(),
        &vec![0; 4 * floats],
    ]
    .concat()
}

/// What is well made is read: it is only no network.
#[test]
fn a_legacy_file_made_by_hand_is_read() {
    let file = legacy(&state(&tensor(6, 0, &[2, 3], &[3, 1])), 6, 6);
    assert_refused(&file, "is none of the networks that Burncam knows");
    // A transposed part of the storage.
    let file = legacy(&state(&tensor(6, 2, &[2, 2], &[1, 2])), 6, 6);
    assert_refused(&file, "is none of the networks that Burncam knows");
}

/// A NumPy array of shape `[2, 3]` as Python 2 pickled it.
fn array(element: &str, data: &[u8]) -> Vec<u8> {
    let short = |text: &str| [b"U", &[text.len() as u8], text.as_bytes()].concat();
    [
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n".as_slice(),
        &tuple(&[0]),
        &short("b"),
        b"tR(K\x01",
        &tuple(&[2, 3]),
        b"cnumpy\ndtype\n(",
        &short(&element[1..]),
        b"K\x00K\x01tR(K\x03",
        &short(&element[..1]),
        b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T",
        &(data.len() as u32).to_le_bytes(),
        data,
        b"tb",
    ]
    .concat()
}

#[test]
fn arrays_must_have_the_size_that_they_say() {
    assert_refused(
        &state(&array("<f4", &[0x80; 24])),
        "is none of the networks that Burncam knows",
    );
    assert_refused(&state(&array("<f4", &[0x80; 20])), "of shape [2, 3] has 20 bytes");
    assert_refused(&state(&array("<f8", &[0x80; 24])), "of shape [2, 3] has 24 bytes");
    assert_refused(&state(&array(">f4", &[0x80; 24])), "big-endian");
    assert_refused(&state(b"cnumpy\ndtype\nN\x85R"), "a string is missing");
}

#[test]
fn python_objects_are_refused_by_name() {
    let call = |name: &str| pickle(&[b"c", name.as_bytes(), b"\n", &text("echo"), b"\x85R"]);
    assert_refused(
        &call("posix\nsystem"),
        "holds `posix.system`, which is no part of a state_dict",
    );
    assert_refused(&call("builtins\neval"), "`builtins.eval`");
    assert_refused(&call("torchvision.models.resnet\nResNet"), "torch.save(model.state_dict()");
    // By the other instruction, and where a tensor belongs.
    let stacked = [text("os").as_slice(), &text("system"), b"\x93"].concat();
    assert_refused(&pickle(&[&stacked]), "`os.system`");
    assert_refused(&legacy(&state(&stacked), 6, 6), "`os.system`");
    // Inside a real zip.
    let mut zip = fs::read(folder().join("torch/files/ncnn.pt")).expect("a golden file");
    let (known, other) = (b"ccollections\nOrderedDict\n", b"cposix.posix\nsystem.call\n");
    let at = zip.windows(known.len()).position(|bytes| bytes == known).expect("the name");
    zip[at..at + known.len()].copy_from_slice(other);
    assert_refused(&zip, "`posix.posix.system.call`");
    let long = format!("c{}\nf\n", "m".repeat(100_000));
    assert_refused(&pickle(&[long.as_bytes()]), "a name is too long");
}

#[test]
fn tensors_must_lie_in_their_storage() {
    for (elements, offset, shape, strides) in [
        (6, 0, &[2, 4][..], &[3, 1][..]),
        (6, 1, &[2, 3], &[3, 1]),
        (6, 0, &[2, 3], &[4, 1]),
        (6, 0, &[2, 3], &[i64::MAX, 1]),
        (6, i64::MAX, &[2, 3], &[3, 1]),
        (6, 0, &[i64::MAX, i64::MAX], &[1, 1]),
        (6, 0, &[2, 3], &[1]),
    ] {
        let file = legacy(&state(&tensor(elements, offset, shape, strides)), 6, 6);
        assert_refused(&file, "does not fit its storage of 6 elements");
    }
    for (shape, strides) in [(&[-2, 3][..], &[3, 1][..]), (&[2, 3], &[-3, 1])] {
        let file = legacy(&state(&tensor(6, 0, shape, strides)), 6, 6);
        assert_refused(&file, "a size is missing or negative");
    }
    let file = legacy(&state(&tensor(6, 0, &[1; 9], &[1; 9])), 6, 6);
    assert_refused(&file, "too many dimensions");
}

#[test]
fn giant_tensors_are_not_made() {
    let giant = 1_i64 << 60;
    let file = legacy(&state(&tensor(giant, 0, &[giant], &[1])), giant, 6);
    assert_refused(&file, "it ends too early");
    let file = legacy(&state(&tensor(giant, 0, &[giant], &[1])), 6, 6);
    assert_refused(&file, "its storage is shorter than it should be");
    // One number, seen a billion billion times, under a network's name.
    let giant = tensor(6, 0, &[giant, 1, 1, 1], &[0, 0, 0, 0]);
    let object = pickle(&[b"}", &text("conv1.weight"), &giant, b"s"]);
    assert_refused(&legacy(&object, 6, 6), "is none of the networks that Burncam knows");
}

#[test]
fn claims_of_length_are_not_believed() {
    for start in [b"X".as_slice(), b"T", b"B"] {
        assert_refused(&pickle(&[start, &[0xff; 4]]), "it ends too early");
    }
    for start in [b"\x8d".as_slice(), b"\x8e", b"\x96"] {
        assert_refused(&pickle(&[start, &[0xff; 8]]), "it ends too early");
    }
    assert_refused(&pickle(&[b"\x8b", &[0xff; 4]]), "it ends too early");
}

#[test]
fn nesting_and_cycles_end() {
    // Tuples in tuples, lists in lists, marks in marks: more than any stack of calls would bear.
    assert_refused(&pickle(&[b")", &[0x85; 900_000]]), "no dict of tensors");
    assert_refused(&pickle(&[b")", &[0x85; 2_000_000]]), "too many values");
    assert_refused(&pickle(&[&[b'('; 2_000_000]]), "it nests too deep");
    assert_refused(&pickle(&[b"N", &[b'2'; 2_000_000]]), "its stack is too deep");
    assert_refused(&pickle(&[b"]q\x00h\x00a"]), "no dict of tensors");
    // A dict in itself, under the name that is looked for.
    assert_refused(&pickle(&[b"}q\x00", &text("state_dict"), b"h\x00s"]), "no dict of tensors");
    // Each tuple holds the one before it twice: 2^1000 values, if they were copied.
    let doubled: Vec<u8> = (0..1000).flat_map(|_| *b"q\x00h\x00\x86").collect();
    assert_refused(&pickle(&[b")", &doubled]), "no dict of tensors");
    let work = [b'N', b'0'].repeat(5_000_000);
    assert_refused(&pickle(&[&work]), "too many");
}

#[test]
fn stacks_and_memos_are_checked() {
    for (parts, words) in [
        (&b""[..], "its stack is empty"),
        (b"(0", "its stack is empty"),
        (b"t", "a mark is missing"),
        (b"h\x07", "it recalls what it never kept"),
        (b")(NNu", "adds to what takes no items"),
        (b"}(Nu", "a key has no value"),
        (b"N)R", "it calls what is no function"),
        (b"NQ", "a tuple is missing"),
        (b"ccollections\nOrderedDict\nNR", "a tuple is missing"),
        (b"i", "instruction 0x69"),
    ] {
        assert_refused(&pickle(&[parts]), words);
    }
}

#[test]
fn several_dicts_of_tensors_are_named() {
    let one = state(&tensor(6, 0, &[6], &[1]));
    let inner = &one[2..one.len() - 1];
    let both = pickle(&[b"}(", &text("encoder"), inner, &text("decoder"), inner, b"u"]);
    assert_refused(&legacy(&both, 6, 6), "several dicts of tensors (encoder, decoder)");
}

/// Cut anywhere, and with bytes changed anywhere: whatever comes of it, it is no panic.
#[test]
fn damaged_files_never_panic() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let path = place.path().join("damaged");
    for name in ["ncnn.pt", "ncnn_legacy.pth", "ncnn_checkpoint.pth", "ncnn_arrays.pkl"] {
        let whole = fs::read(folder().join("torch/files").join(name)).expect("a golden file");
        for part in 0..40 {
            fs::write(&path, &whole[..whole.len() * part / 40]).expect("a file");
            load(&path).expect_err("a file that is cut short");
        }
        let mut random = 1_u64;
        let mut next = |below: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) as usize % below
        };
        for round in 0..150 {
            let mut bytes = whole.clone();
            // Headers and pickles are at the start, the table of contents is at the end.
            let near = if round % 2 == 0 { 3_000 } else { whole.len() };
            for _ in 0..4 {
                bytes[next(near)] = next(256) as u8;
                let end = bytes.len() - 1 - next(1_000);
                bytes[end] = next(256) as u8;
            }
            fs::write(&path, &bytes).expect("a file");
            // Changed numbers are still numbers.
            let _ = load(&path);
        }
    }
}
