//! Chunks compressed by Blosc 1, LZ4, Zstandard or bitshuffle: plug-in filters of HDF5.
//!
//! Blosc: github.com/Blosc/c-blosc, README_CHUNK_FORMAT.rst. Bitshuffle:
//! github.com/kiyo-masui/bitshuffle, README. LZ4: the HDF Group's registered filter 32004.

use super::compressors::{Decompress, blosclz, lz4, zlib, zstandard};

const HEADER_BYTES: usize = 16;

fn short() -> String {
    "a compressed chunk ends early".to_owned()
}

fn number<const N: usize>(input: &mut &[u8], read: impl Fn([u8; N]) -> u64) -> Result<usize, String> {
    let (bytes, rest) = input.split_first_chunk::<N>().ok_or_else(short)?;
    *input = rest;
    usize::try_from(read(*bytes)).map_err(|_| short())
}

fn little(input: &mut &[u8]) -> Result<usize, String> {
    number(input, |bytes| u32::from_le_bytes(bytes).into())
}

fn big(input: &mut &[u8]) -> Result<usize, String> {
    number(input, |bytes| u32::from_be_bytes(bytes).into())
}

fn reserved(length: usize) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    out.try_reserve_exact(length)
        .map_err(|_| format!("a chunk of {length} bytes does not fit into memory"))?;
    Ok(out)
}

/// A chunk of the registered filter 32001 (Blosc 1), of exactly `length` bytes.
pub(super) fn blosc(input: &[u8], length: usize) -> Result<Vec<u8>, String> {
    let header: &[u8; HEADER_BYTES] = input.first_chunk().ok_or_else(short)?;
    let [_, _, flags, type_bytes, sizes @ ..] = header;
    let (flags, type_bytes) = (*flags, usize::from(*type_bytes));
    let mut sizes = sizes.as_slice();
    let (bytes, block_bytes, stored) = (little(&mut sizes)?, little(&mut sizes)?, little(&mut sizes)?);
    if bytes != length || stored > input.len() || (block_bytes == 0 && bytes > 0) {
        return Err(format!("a Blosc chunk of {bytes} bytes stands where {length} are declared"));
    }
    let input = &input[..stored.max(HEADER_BYTES)];
    if flags & 0x02 != 0 {
        return Ok(input.get(HEADER_BYTES..HEADER_BYTES + length).ok_or_else(short)?.to_vec());
    }
    let decompress: Decompress = match flags >> 5 {
        0 => blosclz,
        1 => lz4,
        3 => zlib,
        4 => zstandard,
        other => return Err(format!("Blosc's compressor {other} (2 is Snappy) is not read")),
    };
    let mut starts = &input[HEADER_BYTES..];
    let mut out = reserved(length)?;
    while out.len() < length {
        let is_whole = length - out.len() >= block_bytes;
        let size = block_bytes.min(length - out.len());
        let mut block = input.get(little(&mut starts)?..).ok_or_else(short)?;
        // Blosc's MAX_SPLITS and MIN_BUFFERSIZE.
        let is_split = flags & 0x10 == 0
            && (2..=16).contains(&type_bytes)
            && block_bytes / type_bytes >= 128
            && is_whole;
        let parts = if is_split { type_bytes } else { 1 };
        let mut plain = reserved(size)?;
        for _ in 0..parts {
            let part_bytes = size / parts;
            let stored = little(&mut block)?;
            let (stored, rest) = block.split_at_checked(stored).ok_or_else(short)?;
            block = rest;
            if stored.len() == part_bytes {
                plain.extend_from_slice(stored);
            } else {
                plain.extend(decompress(stored, part_bytes)?);
            }
        }
        if plain.len() != size {
            return Err(format!("a Blosc block has {} bytes, not {size}", plain.len()));
        }
        if flags & 0x01 != 0 && type_bytes > 1 {
            plain = super::filters::unshuffle(&plain, type_bytes)?;
        } else if flags & 0x04 != 0 && type_bytes > 0 && (size / type_bytes).is_multiple_of(8) {
            plain = unshuffle_bits(&plain, size / type_bytes, type_bytes)?;
        }
        out.extend(plain);
    }
    Ok(out)
}

/// A chunk of the registered filter 32004 (LZ4).
pub(super) fn lz4_blocks(mut input: &[u8], length: usize) -> Result<Vec<u8>, String> {
    let declared = number(&mut input, u64::from_be_bytes)?;
    let block_bytes = big(&mut input)?;
    if declared != length || (block_bytes == 0 && length > 0) {
        return Err(format!("an LZ4 chunk of {declared} bytes stands where {length} are declared"));
    }
    let mut out = reserved(length)?;
    while out.len() < length {
        let size = block_bytes.min(length - out.len());
        let stored = big(&mut input)?;
        let (block, rest) = input.split_at_checked(stored).ok_or_else(short)?;
        input = rest;
        if stored == size { out.extend_from_slice(block) } else { out.extend(lz4(block, size)?) }
    }
    Ok(out)
}

/// A chunk of the registered filter 32008 (bitshuffle): elements of `element_bytes` bytes, in blocks of
/// `block` of them (0: as many as fit 8 KiB), compressed by nothing (0), LZ4 (2) or Zstandard (3).
pub(super) fn bitshuffle(
    mut input: &[u8],
    length: usize,
    element_bytes: usize,
    block: usize,
    compressor: u32,
) -> Result<Vec<u8>, String> {
    if element_bytes == 0 || !length.is_multiple_of(element_bytes) {
        return Err(format!("{length} bytes are no whole elements of {element_bytes} bytes"));
    }
    let default = (8192 / element_bytes / 8 * 8).max(128);
    let mut block = if block == 0 { default } else { block };
    let decompress: Option<Decompress> = match compressor {
        0 => None,
        2 => Some(lz4),
        3 => Some(zstandard),
        other => return Err(format!("bitshuffle's compressor {other} is not read")),
    };
    if decompress.is_some() {
        let declared = number(&mut input, u64::from_be_bytes)?;
        block = big(&mut input)? / element_bytes;
        if declared != length {
            return Err(format!("a bitshuffle chunk of {declared} bytes stands where {length} are declared"));
        }
    }
    if block == 0 || !block.is_multiple_of(8) {
        return Err(format!("a bitshuffle block has {block} elements, not a multiple of 8"));
    }
    let mut out = reserved(length)?;
    let mut left = length / element_bytes;
    while left >= 8 {
        let count = block.min(left / 8 * 8);
        let size = count * element_bytes;
        let stored = if decompress.is_some() { big(&mut input)? } else { size };
        let (bytes, rest) = input.split_at_checked(stored).ok_or_else(short)?;
        input = rest;
        out.extend(match decompress {
            Some(decompress) => unshuffle_bits(&decompress(bytes, size)?, count, element_bytes)?,
            None => unshuffle_bits(bytes, count, element_bytes)?,
        });
        left -= count;
    }
    out.extend_from_slice(input.get(..left * element_bytes).ok_or_else(short)?);
    Ok(out)
}

/// Gathers the bits of each of `count` elements, `count` a multiple of 8, stored apart by their place:
/// bit `b` of byte `k` of element `i` is bit `i % 8` of byte `(8 k + b) count / 8 + i / 8`. Bytes beyond
/// the elements stay as they are.
fn unshuffle_bits(input: &[u8], count: usize, element_bytes: usize) -> Result<Vec<u8>, String> {
    let mut out = reserved(input.len())?;
    out.resize(count * element_bytes, 0);
    let row = count / 8;
    for byte in 0..element_bytes {
        for group in 0..row {
            // An 8x8 matrix of bits, transposed: Hacker's Delight, 2nd edition, section 7-3.
            let mut bits =
                u64::from_le_bytes(std::array::from_fn(|bit| input[(8 * byte + bit) * row + group]));
            let mut swap = |mask: u64, shift: u32| {
                let changed = (bits ^ bits >> shift) & mask;
                bits ^= changed ^ changed << shift;
            };
            swap(0x00aa_00aa_00aa_00aa, 7);
            swap(0x0000_cccc_0000_cccc, 14);
            swap(0x0000_0000_f0f0_f0f0, 28);
            for (i, value) in bits.to_le_bytes().into_iter().enumerate() {
                out[(8 * group + i) * element_bytes + byte] = value;
            }
        }
    }
    out.extend_from_slice(&input[count * element_bytes..]);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::unshuffle_bits;

    #[test]
    fn bits_find_their_elements() {
        let (count, element_bytes) = (24, 3);
        let elements: Vec<u8> = (0..count * element_bytes).map(|i| (i * 37 + i / 5) as u8).collect();
        let mut shuffled = vec![0; elements.len()];
        for i in 0..count {
            for bit in 0..8 * element_bytes {
                let value = elements[i * element_bytes + bit / 8] >> (bit % 8) & 1;
                shuffled[bit * count / 8 + i / 8] |= value << (i % 8);
            }
        }
        assert_eq!(unshuffle_bits(&shuffled, count, element_bytes).unwrap(), elements);
    }
}
