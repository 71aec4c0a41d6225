//! The two checksums: Jenkins' lookup3 of the metadata, and Fletcher's of chunks.

/// Bob Jenkins' `hashlittle` of lookup3, which starts from 0.
pub(crate) fn lookup3(bytes: &[u8]) -> u32 {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut state = [0xdead_beef_u32.wrapping_add(length); 3];
    // The last words go through the final mix, even if there are twelve bytes.
    let whole = bytes.len().saturating_sub(1).checked_div(12).unwrap_or(0).saturating_mul(12);
    let (body, tail) = bytes.split_at_checked(whole).unwrap_or((bytes, &[]));
    for block in body.as_chunks::<12>().0 {
        state = mixed(added(state, block));
    }
    if tail.is_empty() {
        return state[2];
    }
    let mut block = [0; 12];
    block.iter_mut().zip(tail).for_each(|(to, &from)| *to = from);
    finished(added(state, &block))
}

fn added(mut state: [u32; 3], block: &[u8; 12]) -> [u32; 3] {
    for (sum, word) in state.iter_mut().zip(block.as_chunks::<4>().0) {
        *sum = sum.wrapping_add(u32::from_le_bytes(*word));
    }
    state
}

/// Each word in turn takes one of the others away, is turned and mixed, and grows the third.
fn mixed(mut state: [u32; 3]) -> [u32; 3] {
    for turn in [4, 6, 8, 16, 19, 4] {
        let [a, b, c] = state;
        let a = a.wrapping_sub(c) ^ c.rotate_left(turn);
        state = [b, c.wrapping_add(b), a];
    }
    state
}

fn finished(state: [u32; 3]) -> u32 {
    let [mut a, mut b, mut c] = state;
    for turn in [14, 11, 25, 16, 4, 14, 24] {
        c = (c ^ b).wrapping_sub(b.rotate_left(turn));
        (a, b, c) = (b, c, a);
    }
    b
}

/// Fletcher's of 16-bit words, of which the first byte is the higher.
pub(crate) fn fletcher32(bytes: &[u8]) -> u32 {
    let (mut sum, mut sums) = (0_u64, 0_u64);
    let fold = |sum: u64| (sum & 0xffff).wrapping_add(sum >> 16);
    // 360 words at a time overflow neither sum.
    for block in bytes.chunks(720) {
        for pair in block.chunks(2) {
            let word = match pair {
                [high, low] => u64::from(u16::from_be_bytes([*high, *low])),
                rest => u64::from(rest.first().copied().unwrap_or(0)) << 8,
            };
            sum = sum.wrapping_add(word);
            sums = sums.wrapping_add(sum);
        }
        (sum, sums) = (fold(fold(sum)), fold(fold(sums)));
    }
    let [sum, sums] = [sum, sums].map(|sum| u32::try_from(fold(sum)).unwrap_or(0));
    sums << 16 | sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the comments of lookup3.c.
    #[test]
    fn lookup3_is_jenkins() {
        assert_eq!(lookup3(b""), 0xdead_beef);
        assert_eq!(lookup3(b"Four score and seven years ago"), 0x1777_0551);
    }

    #[test]
    fn fletcher_sums_words_and_their_sums() {
        assert_eq!(fletcher32(b""), 0);
        assert_eq!(fletcher32(&[1, 2, 3]), (0x0102 + 0x0402) << 16 | 0x0402);
        assert_eq!(fletcher32(&[0xff; 10_000]), 0xffff_ffff);
    }
}
