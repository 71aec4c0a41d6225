//! Tables of landmarks, and the landmarks of a face.

use burncam_trust::regions::{
    Landmarks, Point, Regions, Scheme, read_landmarks, read_region_names,
};
use proptest::prelude::*;

fn five(points: Vec<Point>) -> Landmarks {
    Landmarks::new(Scheme::Five, points).expect("landmarks")
}

const FIVE: &str = "image,left_eye_x,left_eye_y,right_eye_x,right_eye_y,nose_x,nose_y,left_mouth_x,\
                    left_mouth_y,right_mouth_x,right_mouth_y\n";

#[test]
fn tables_of_landmarks_are_read() {
    let rows = "a.png,1,2,3,2,2,3,1.5,4,2.5,4\n\"b, c.png\",1e1,2,3,2,2,3,1,4,2,-4.25\n";
    let table = read_landmarks(format!("\u{feff}{FIVE}{rows}").as_bytes()).expect("a table");
    assert_eq!(table.keys().collect::<Vec<_>>(), ["a.png", "b, c.png"]);
    assert_eq!(table["b, c.png"].points()[4], [2.0, -4.25]);
    let semicolons = format!("{FIVE}{}", rows.lines().next().unwrap_or_default()).replace(',', ";");
    assert_eq!(read_landmarks(semicolons.as_bytes()).expect("a table")["a.png"], table["a.png"]);
    // The order of columns is free.
    let turned = "file,y_0,y_1,y_2,y_3,y_4,x_0,x_1,x_2,x_3,x_4\na.png,2,2,3,4,4,1,3,2,1.5,2.5\n";
    assert_eq!(read_landmarks(turned.as_bytes()).expect("a table")["a.png"], table["a.png"]);
}

#[test]
fn errors_of_tables_name_the_row() {
    let row = "a.png,1,2,3,2,2,3,1.5,4,2.5,4\n";
    let long = format!("{}{row}", "a".repeat(70_000));
    for (rows, part) in [
        (row.replace("1.5", ""), "row 2 of the table of landmarks: column 8 is empty"),
        (row.replace("1.5", "left"), "column 8 is \"left\", and no finite number"),
        (row.replace("1.5", "NaN"), "no finite number"),
        (row.replace("1.5", "1e999"), "no finite number"),
        (row.replace(",2.5,4", ""), "there are 9 columns, and the header has 11"),
        (row.replace("a.png", ""), "the image has no name"),
        (
            format!("{row}\n{row}"),
            "row 3 of the table of landmarks: the image \"a.png\" is there twice",
        ),
        (format!("{row}{long}"), "line 3 is longer than 65536 bytes"),
    ] {
        let error = read_landmarks(format!("{FIVE}{rows}").as_bytes()).expect_err(part).to_string();
        assert!(error.contains(part), "{error}");
    }
    for bytes in [b"".as_slice(), b"\xff\xfe,x", b"image;x\n"] {
        read_landmarks(bytes).expect_err("no table");
    }
    assert!(read_landmarks(std::io::BufReader::new(std::io::repeat(b'a'))).is_err());
}

#[test]
fn eyes_called_as_the_subject_does_are_told() {
    let seen = [[10.0, 10.0], [30.0, 12.0], [20.0, 20.0], [15.0, 30.0], [25.0, 31.0]];
    let [a, b, nose, c, d] = seen;
    let viewer = five(seen.to_vec());
    let subject = five(vec![b, a, nose, d, c]);
    assert_eq!(viewer.eyes_and_mouth(), subject.eyes_and_mouth());
    let size = [40, 40];
    let labels = |landmarks| Regions::from_landmarks(landmarks, size).expect("regions");
    assert_eq!(labels(&viewer).labels(), labels(&subject).labels());
    let twice = viewer.resized([40, 40], [80, 80]);
    assert_eq!(twice.points()[0], [20.5, 20.5]);
}

proptest! {
    #[test]
    fn any_text_is_a_table_or_an_error(text in "\\PC{0,60}", bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = read_landmarks(text.as_bytes());
        let _ = read_landmarks(bytes.as_slice());
        let _ = read_landmarks(format!("{FIVE}{text}").as_bytes());
        let _ = read_region_names(&text);
    }
}
