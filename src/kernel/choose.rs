//! Rows by position: what is wanted of a block, so that only that is worked on.

use super::wide::widest;

/// Elements the buffer of [`positions`] must have beyond the rows.
pub const SPARE: usize = 8;

/// Positions of the set bits of every byte, and behind them anything.
static OF_BYTE: [[u8; 8]; 256] = of_bytes();

const fn of_bytes() -> [[u8; 8]; 256] {
    let mut table = [[0; 8]; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut bit, mut count) = (0, 0);
        while bit < 8 {
            if byte >> bit & 1 == 1 {
                table[byte][count] = bit;
                count += 1;
            }
            bit += 1;
        }
        byte += 1;
    }
    table
}

widest! {
    /// Writes the positions of the set bits among the first `rows` of `bits`, least significant first, in
    /// ascending order, and gives their number. `out` must have room for `rows + SPARE`.
    pub fn positions(bits: &[u8], rows: usize, out: &mut [u32]) -> usize {
        let mut count = 0;
        for (i, &byte) in bits[..rows.div_ceil(8)].iter().enumerate() {
            let within = (rows - 8 * i).min(8);
            let byte = byte & (0xFF >> (8 - within)) as u8;
            // All eight are written, and the next byte writes over those that were not set.
            if let Some(eight) = out[count..].first_chunk_mut::<8>() {
                for (out, &place) in eight.iter_mut().zip(&OF_BYTE[usize::from(byte)]) {
                    *out = 8 * i as u32 + u32::from(place);
                }
            }
            count += byte.count_ones() as usize;
        }
        count
    }
}
