//! Small images, each another one, as PNG files without compression.

use std::fs;
use std::path::Path;

/// The side of an image in pixels.
pub(super) const SIDE: u32 = 32;

/// The folds that images are spread over.
const FOLDS: usize = 10;

/// Images of one made-up subject.
const OF_SUBJECT: usize = 10;

/// Writes `count` images into folders for the folds below `folder`.
pub(super) fn write(folder: &Path, count: usize) -> Result<(), String> {
    let fold = |number: usize| folder.join(format!("Fold{}", number * FOLDS / count));
    for number in 0..count {
        let fold = fold(number);
        fs::create_dir_all(&fold).map_err(|error| format!("{}: {error}", fold.display()))?;
        let class = if number % 2 == 0 { "rest" } else { "dor" };
        let file = fold.join(format!("S{:05}_{class}_{number:06}.png", number / OF_SUBJECT));
        fs::write(&file, png(number)).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
}

/// A disc on a ground; its place, its size and the colours follow from the number.
fn pixel(number: usize, x: u32, y: u32) -> [u8; 3] {
    let mixed = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let part = |place: u32| (mixed >> (8 * place)) as u8;
    let centre = [part(0), part(1)].map(|part| f64::from(part) / 16.0 + 8.0);
    let radius = f64::from(part(2)) / 32.0 + 4.0;
    let away = (f64::from(x) - centre[0]).hypot(f64::from(y) - centre[1]);
    match away < radius {
        true => [part(3) | 0x80, part(4) | 0x40, part(5)],
        false => [part(5) / 2, part(6) / 2, part(7) / 2 + (x + y) as u8],
    }
}

/// <https://www.w3.org/TR/png-3/>: signature, header, one block of data that is stored as it is, end.
fn png(number: usize) -> Vec<u8> {
    let mut rows = Vec::new();
    for y in 0..SIDE {
        rows.push(0);
        (0..SIDE).for_each(|x| rows.extend(pixel(number, x, y)));
    }
    let mut header = [SIDE, SIDE].map(u32::to_be_bytes).concat();
    header.extend([8, 2, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut file, *b"IHDR", &header);
    chunk(&mut file, *b"IDAT", &stored(&rows));
    chunk(&mut file, *b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
    file.extend((data.len() as u32).to_be_bytes());
    let start = file.len();
    file.extend(name);
    file.extend(data);
    let sum = crc(&file[start..]);
    file.extend(sum.to_be_bytes());
}

/// RFC 1950 and 1951: a stream of one stored block.
fn stored(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).expect("a block of a small image");
    let mut stream = vec![0x78, 0x01, 1];
    stream.extend(length.to_le_bytes());
    stream.extend((!length).to_le_bytes());
    stream.extend(data);
    let (mut low, mut high) = (1_u32, 0_u32);
    for &byte in data {
        low = (low + u32::from(byte)) % 65521;
        high = (high + low) % 65521;
    }
    stream.extend((high << 16 | low).to_be_bytes());
    stream
}

fn crc(data: &[u8]) -> u32 {
    !data.iter().fold(u32::MAX, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| {
            if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 }
        })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_sum_is_the_standards() {
        assert_eq!(crc(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc(b"IEND"), 0xae42_6082);
    }

    #[test]
    fn no_two_images_are_equal() {
        let all: BTreeSet<Vec<u8>> = (0..2000).map(png).collect();
        assert_eq!(all.len(), 2000);
    }

    #[test]
    fn folds_are_of_one_size() {
        let folder = std::env::temp_dir().join(format!("burncam-many-{}", std::process::id()));
        write(&folder, 40).expect("images");
        let count =
            |fold: usize| fs::read_dir(folder.join(format!("Fold{fold}"))).expect("a fold").count();
        let counts: Vec<usize> = (0..FOLDS).map(count).collect();
        fs::remove_dir_all(&folder).expect("the folder");
        assert_eq!(counts, [4; FOLDS]);
    }
}
