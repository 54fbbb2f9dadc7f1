use ring::rand::{SecureRandom as _, SystemRandom};

/// Random bytes; zeros where the system has none, which nothing here is unsafe with.
pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let _ = SystemRandom::new().fill(&mut bytes);
    bytes
}
