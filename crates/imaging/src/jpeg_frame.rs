//! What the headers of a JPEG say: whether the decoder gives its pixels as libjpeg does, which Pillow uses,
//! and whether it has its end.
//!
//! ITU-T T.81, annex B, and what libjpeg takes a file's colours for. Only what stands between the segments
//! counts here, not the small picture that a segment may hold.

use crate::jpeg::next_marker;

const SOS: u8 = 0xda;
const EOI: u8 = 0xd9;
const APP0: u8 = 0xe0;
const APP14: u8 = 0xee;

/// Frames of one scan or several, each of which has all of a component.
const SEQUENTIAL: [u8; 2] = [0xc0, 0xc1];
const PROGRESSIVE: u8 = 0xc2;

/// A component of the frame: its name, and how many samples it has across and down a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Component {
    name: u8,
    across: u8,
    down: u8,
}

/// What the headers say.
#[derive(Debug, Default)]
pub(crate) struct Headers {
    /// The end marker follows the last scan. The decoder would paint over what is missing.
    pub(crate) ended: bool,
    sequential: bool,
    components: Vec<Component>,
    /// A scan has some of the components only.
    apart: bool,
    jfif: bool,
    /// How Adobe says that the colours were transformed.
    adobe: Option<u8>,
}

impl Headers {
    /// Those of a file, up to its end.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut headers = Self::default();
        let mut rest = bytes.get(2..);
        while let Some((marker, after)) = rest.and_then(next_marker) {
            if matches!(marker, 0x01 | 0xd0..=0xd8) {
                rest = Some(after);
                continue;
            }
            if marker == EOI {
                headers.ended = true;
                break;
            }
            let Some((&length, _)) = after.split_first_chunk() else { break };
            let length = usize::from(u16::from_be_bytes(length));
            headers.add(marker, after.get(2..length).unwrap_or_default());
            rest = after.get(length..);
        }
        headers
    }

    /// What it has that is not read.
    pub(crate) fn unread(&self) -> Option<&'static str> {
        let [first, others @ ..] = self.components.as_slice() else { return None };
        if others.iter().any(|other| other.across > first.across || other.down > first.down) {
            return Some("more samples of its colours than of its brightness");
        }
        // The decoder places some of their blocks elsewhere.
        if self.sequential && self.apart {
            return Some("its colours in scans of their own");
        }
        let names: Vec<u8> = self.components.iter().map(|component| component.name).collect();
        match (names.as_slice(), self.jfif, self.adobe) {
            (&[_, _, _], true, Some(0)) | (b"RGB", true, None) => {
                Some("a header for YCbCr colours (JFIF) and another for RGB")
            }
            (&[_, _, _, _], _, Some(1 | 3..)) => Some("four colours and Adobe's header for three"),
            _ => None,
        }
    }

    fn add(&mut self, marker: u8, segment: &[u8]) {
        match (marker, segment) {
            (0xc0..=PROGRESSIVE, [_, _, _, _, _, _, components @ ..]) => {
                self.sequential = SEQUENTIAL.contains(&marker);
                let components = components.as_chunks().0.iter();
                self.components = components
                    .map(|&[name, sampling, _]| Component {
                        name,
                        across: sampling >> 4,
                        down: sampling & 0xf,
                    })
                    .collect();
            }
            (SOS, &[count, ..]) => self.apart |= usize::from(count) < self.components.len(),
            (APP0, [b'J', b'F', b'I', b'F', 0, ..]) => self.jfif = true,
            // Two numbers and two sets of flags stand before it.
            (APP14, [b'A', b'd', b'o', b'b', b'e', _, _, _, _, _, _, transform, ..]) => {
                self.adobe = Some(*transform);
            }
            _ => (),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unread(bytes: &[u8]) -> Option<&'static str> {
        Headers::of(bytes).unread()
    }

    fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u16 + 2).to_be_bytes();
        [&[0xff, marker], &length[..], content].concat()
    }

    /// A JPEG without its tables: the kind of frame, name and sampling of each component, the components
    /// of each scan, and what stands before them.
    fn file(frame: u8, components: &[(u8, u8)], scans: &[u8], before: &[Vec<u8>]) -> Vec<u8> {
        let mut header = vec![8, 0, 9, 0, 9, components.len() as u8];
        header.extend(components.iter().flat_map(|&(name, sampling)| [name, sampling, 0]));
        let scans =
            scans.iter().map(|&count| [segment(SOS, &[count]), vec![0x12, 0xff, 0]].concat());
        let scans: Vec<u8> = scans.flatten().collect();
        [&b"\xff\xd8"[..], &before.concat(), &segment(frame, &header), &scans, b"\xff\xd9"].concat()
    }

    #[test]
    fn colours_share_a_scan_unless_they_are_progressive() {
        let whole = [(1, 0x11), (2, 0x11), (3, 0x11)];
        let halved = [(1, 0x22), (2, 0x11), (3, 0x11)];
        let what = Some("its colours in scans of their own");
        for (frame, components, scans, expected) in [
            (0xc0, &whole, &[1, 1, 1][..], what),
            (0xc0, &whole, &[3], None),
            (0xc0, &halved, &[3], None),
            (0xc0, &halved, &[1, 1, 1], what),
            (0xc1, &halved, &[1, 2], what),
            (0xc2, &halved, &[3, 1, 1, 1], None),
        ] {
            assert_eq!(unread(&file(frame, components, scans, &[])), expected, "{frame} {scans:?}");
        }
    }

    #[test]
    fn brightness_must_have_the_most_samples() {
        let what = Some("more samples of its colours than of its brightness");
        for (samplings, expected) in [
            ([0x22, 0x11, 0x11], None),
            ([0x22, 0x21, 0x12], None),
            ([0x21, 0x12, 0x11], what),
            ([0x11, 0x11, 0x22], what),
        ] {
            let components = [1, 2, 3].map(|name: u8| (name, samplings[usize::from(name) - 1]));
            assert_eq!(unread(&file(0xc0, &components, &[3], &[])), expected, "{samplings:x?}");
        }
    }

    #[test]
    fn headers_must_agree_on_the_colours() {
        let jfif = || segment(APP0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
        let adobe =
            |transform| segment(APP14, &[b"Adobe\0\x64\0\0\0\0", &[transform][..]].concat());
        let names = |names: &[u8]| names.iter().map(|&name| (name, 0x11)).collect::<Vec<_>>();
        let three = names(&[1, 2, 3]);
        let both = Some("a header for YCbCr colours (JFIF) and another for RGB");
        let four = Some("four colours and Adobe's header for three");
        for (components, before, expected) in [
            (&three, vec![jfif()], None),
            (&three, vec![adobe(0)], None),
            (&three, vec![jfif(), adobe(1)], None),
            (&three, vec![jfif(), adobe(0)], both),
            (&names(b"RGB"), vec![], None),
            (&names(b"RGB"), vec![jfif()], both),
            (&names(&[1, 2, 3, 4]), vec![adobe(0)], None),
            (&names(&[1, 2, 3, 4]), vec![adobe(2)], None),
            (&names(&[1, 2, 3, 4]), vec![adobe(1)], four),
        ] {
            let count = components.len() as u8;
            let file = file(0xc0, components, &[count], &before);
            assert_eq!(unread(&file), expected, "{components:?} {before:x?}");
        }
    }

    #[test]
    fn what_a_segment_holds_does_not_count() {
        let small = file(0xc0, &[(1, 0x11), (2, 0x22), (3, 0x11)], &[3], &[]);
        let whole = [(1, 0x11), (2, 0x11), (3, 0x11)];
        assert_eq!(unread(&file(0xc0, &whole, &[3], &[segment(0xe1, &small)])), None);
    }

    #[test]
    fn a_jpeg_ends_with_its_own_end_marker() {
        // The end marker inside the segment belongs to a thumbnail; 0xff00 is data.
        let head =
            b"\xff\xd8\xff\xe1\x00\x06\x00\x00\xff\xd9\xff\xda\x00\x02\x12\xff\x00\xff\xd0\x34";
        assert!(!Headers::of(head).ended);
        assert!(Headers::of(&[head, &b"\xff\xff\xd9"[..]].concat()).ended);
        for length in 0..head.len() {
            assert!(!Headers::of(&head[..length]).ended, "{length}");
        }
    }
}
