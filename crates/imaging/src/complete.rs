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
    let declared = u64::from(u32::from_le_bytes([a, b, c, d]));
    (bytes.len() as u64).checked_sub(8).is_some_and(|found| found >= declared)
}

/// Whether the end marker follows the last scan.
fn jpeg_is_complete(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(2..);
    while let Some((marker, after)) = rest.and_then(next_marker) {
        rest = match marker {
            0xd9 => return true,
            0x01 | 0xd0..=0xd8 => Some(after),
            // Any other begins a segment, which has its length first.
            _ => after
                .first_chunk()
                .and_then(|&length| after.get(usize::from(u16::from_be_bytes(length))..)),
        };
    }
    false
}

/// The next code that follows 0xff and is a marker's, and the bytes after it.
pub(crate) fn next_marker(mut bytes: &[u8]) -> Option<(u8, &[u8])> {
    loop {
        let at = bytes.iter().position(|&byte| byte == 0xff)?;
        match bytes.get(at..)? {
            [_, 0xff, ..] | [_] => bytes = bytes.get(at..)?.get(1..)?,
            [_, 0x00, rest @ ..] => bytes = rest,
            [_, marker, rest @ ..] => return Some((*marker, rest)),
            [] => return None,
        }
    }
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
