//! Damage told by a number.

/// A number that all but certainly changes when any of `bytes` does: FNV-1a (Fowler, Noll, Vo) over eight
/// bytes at a time in four chains, which the processor follows at once. It tells damage, not forgery.
pub fn checksum(bytes: &[u8]) -> u64 {
    const PRIME: u64 = 0x0000_0100_0000_01B3;
    let add = |sum: u64, word: u64| (sum ^ word).wrapping_mul(PRIME).rotate_left(23);
    let mut chains = [0xCBF2_9CE4_8422_2325, 1, 2, 3];
    let (fours, rest) = bytes.as_chunks::<32>();
    for four in fours {
        for (chain, word) in chains.iter_mut().zip(four.as_chunks::<8>().0) {
            *chain = add(*chain, u64::from_le_bytes(*word));
        }
    }
    let rest = rest.iter().map(|&byte| u64::from(byte));
    chains.into_iter().skip(1).chain(rest).fold(chains[0], add)
}

#[cfg(test)]
mod tests {
    use super::checksum;

    #[test]
    fn every_byte_counts_and_so_does_its_place() {
        let bytes: Vec<u8> = (0..=255).cycle().take(300).collect();
        for length in [0, 1, 31, 32, 33, 64, 300] {
            let bytes = &bytes[..length];
            let sum = checksum(bytes);
            for place in 0..length {
                let mut damaged = bytes.to_vec();
                damaged[place] ^= 1;
                assert_ne!(checksum(&damaged), sum);
            }
            assert_ne!(checksum(&[bytes, &[0]].concat()), sum);
        }
        assert_ne!(checksum(&[1, 2]), checksum(&[2, 1]));
        let turned: Vec<u8> = [&bytes[8..40], &bytes[..8]].concat();
        assert_ne!(checksum(&bytes[..40]), checksum(&turned));
    }
}
