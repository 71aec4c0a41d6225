//! Whether a file has its end.

use image::ImageFormat;

/// Whether the file has its end, for the two formats whose decoders would paint over a gap
/// without a word.
pub(crate) fn is_complete(format: ImageFormat, bytes: &[u8]) -> bool {
    match format {
        ImageFormat::Jpeg => jpeg_is_complete(bytes),
        ImageFormat::WebP => webp_is_complete(bytes),
        _ => true,
    }
}

/// Whether the file has as many bytes as its RIFF header declares.
fn webp_is_complete(bytes: &[u8]) -> bool {
    let Some(&[a, b, c, d]) = bytes.get(4..8) else { return false };
    bytes.len() as u64 >= 8 + u64::from(u32::from_le_bytes([a, b, c, d]))
}

/// Whether the end marker follows the last scan.
fn jpeg_is_complete(bytes: &[u8]) -> bool {
    let mut position = 2;
    while let Some(offset) = bytes.get(position..).and_then(next_marker) {
        let marker = bytes[position + offset + 1];
        position += offset + 2;
        match marker {
            0xd9 => return true,
            0x01 | 0xd0..=0xd8 => {}
            _ => match bytes.get(position..position + 2) {
                Some(&[high, low]) => position += usize::from(u16::from_be_bytes([high, low])),
                _ => return false,
            },
        }
    }
    false
}

/// The offset of the next 0xff that is followed by a marker's code.
fn next_marker(bytes: &[u8]) -> Option<usize> {
    bytes.windows(2).position(|pair| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xff))
}

#[cfg(test)]
mod tests {
    use image::ImageFormat;

    use super::is_complete;

    #[test]
    fn a_jpeg_ends_with_its_own_end_marker() {
        // The end marker inside the segment belongs to a thumbnail; 0xff00 is data.
        let head =
            b"\xff\xd8\xff\xe1\x00\x06\x00\x00\xff\xd9\xff\xda\x00\x02\x12\xff\x00\xff\xd0\x34";
        assert!(!is_complete(ImageFormat::Jpeg, head));
        assert!(is_complete(ImageFormat::Jpeg, &[head, &b"\xff\xff\xd9"[..]].concat()));
        for length in 0..head.len() {
            assert!(!is_complete(ImageFormat::Jpeg, &head[..length]), "{length}");
        }
    }

    #[test]
    fn a_webp_has_the_length_it_declares() {
        let file = b"RIFF\x06\x00\x00\x00WEBPVP";
        assert!(is_complete(ImageFormat::WebP, file));
        assert!(!is_complete(ImageFormat::WebP, &file[..13]));
        assert!(!is_complete(ImageFormat::WebP, &file[..6]));
    }
}
