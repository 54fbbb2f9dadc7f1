//! Base64 (RFC 4648, section 4), decoded across any split.

/// Decoded bytes are handed on in pieces of at most this size.
const PIECE: usize = 192;

/// A decoder between two pushes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Base64 {
    bits: u32,
    sextets: u8,
}

impl Base64 {
    /// Decodes on. Padding and anything else outside the alphabet is passed over.
    pub(crate) fn push(&mut self, bytes: &[u8], mut take: impl FnMut(&[u8])) {
        let mut piece = [0; PIECE];
        let mut len = 0;
        for value in bytes.iter().filter_map(|&byte| sextet(byte)) {
            self.bits = (self.bits << 6) | u32::from(value);
            self.sextets += 1;
            // A second, third or fourth sextet completes a byte.
            if let Some(shift) = [None, None, Some(4), Some(2), Some(0)][usize::from(self.sextets)]
            {
                piece[len] = ((self.bits >> shift) & 0xFF) as u8;
                len += 1;
            }
            if self.sextets == 4 {
                self.sextets = 0;
            }
            if len == PIECE {
                take(&piece);
                len = 0;
            }
        }
        if len > 0 {
            take(&piece[..len]);
        }
    }
}

const fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Base64;

    #[test]
    fn decodes_at_any_split() {
        for (text, expected) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9vYmE=", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ] {
            for step in 1..=text.len().max(1) {
                let mut base64 = Base64::default();
                let mut decoded = Vec::new();
                for chunk in text.as_bytes().chunks(step) {
                    base64.push(chunk, |more| decoded.extend_from_slice(more));
                }
                assert_eq!(decoded, expected.as_bytes());
            }
        }
    }
}
