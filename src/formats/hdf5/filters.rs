//! Undoing the filters a chunk was stored through.

use flate2::{Decompress, FlushDecompress, Status};
use hdf5_pure::Filter;

use super::blosc::{bitshuffle, blosc, lz4_blocks};
use super::compressors::{lzf, zstandard};

/// HDF5's numbers of the filters undone here.
const DEFLATE: u16 = 1;
const SHUFFLE: u16 = 2;
const FLETCHER32: u16 = 3;
const LZF: u16 = 32000;
const BLOSC: u16 = 32001;
const LZ4: u16 = 32004;
const BITSHUFFLE: u16 = 32008;
const ZSTANDARD: u16 = 32015;
/// Deflate makes at most 1032 bytes of one.
const DEFLATE_EXPANSION: usize = 1032;
const CHECKSUM_BYTES: usize = 4;

/// Whether all of `filters` are undone here.
pub(super) fn are_known(filters: &[Filter]) -> bool {
    filters.iter().all(|filter| {
        matches!(filter.id, DEFLATE | SHUFFLE | FLETCHER32 | LZF | BLOSC | LZ4 | BITSHUFFLE | ZSTANDARD)
    })
}

/// Whether `hdf5-pure` undoes `filter`: scale-offset too, but no plug-in but LZF.
pub(super) fn is_readable(filter: &Filter) -> bool {
    const SCALE_OFFSET: u16 = 6;
    matches!(filter.id, DEFLATE | SHUFFLE | FLETCHER32 | SCALE_OFFSET | LZF)
}

/// Whether the C library undoes all of `filters` by itself, as this program builds it: not szip (4).
pub(super) fn are_of_the_library(filters: &[Filter]) -> bool {
    const N_BIT: u16 = 5;
    const SCALE_OFFSET: u16 = 6;
    filters.iter().all(|filter| matches!(filter.id, DEFLATE | SHUFFLE | FLETCHER32 | N_BIT | SCALE_OFFSET))
}

/// Undoes filters; keeps what is costly to make anew for every chunk.
pub(super) struct Decoder<'a> {
    filters: &'a [Filter],
    inflate: Decompress,
}

impl<'a> Decoder<'a> {
    /// A decoder of chunks stored through `filters`, in this order.
    pub(super) fn new(filters: &'a [Filter]) -> Decoder<'a> {
        Decoder { filters, inflate: Decompress::new(true) }
    }

    /// The `chunk_bytes` bytes that were stored as `stored`; bit `i` of `skipped` says that filter `i`
    /// was not applied.
    pub(super) fn decode(
        &mut self,
        stored: &[u8],
        skipped: u32,
        element_bytes: usize,
        chunk_bytes: usize,
    ) -> Result<Vec<u8>, String> {
        let mut bytes: Option<Vec<u8>> = None;
        for (i, filter) in self.filters.iter().enumerate().rev() {
            if i < 32 && skipped >> i & 1 == 1 {
                continue;
            }
            let input = bytes.as_deref().unwrap_or(stored);
            let checksums = self.filters[..i].iter().filter(|filter| filter.id == FLETCHER32).count();
            let length = chunk_bytes + CHECKSUM_BYTES * checksums;
            let parameter = |index: usize| filter.client_data.get(index).map(|&value| value as usize);
            bytes = Some(match filter.id {
                DEFLATE => inflate(&mut self.inflate, input, length)?,
                LZF => lzf(input, length)?,
                BLOSC => blosc(input, length)?,
                LZ4 => lz4_blocks(input, length)?,
                ZSTANDARD => zstandard(input, length)?,
                BITSHUFFLE => {
                    let compressor = filter.client_data.get(4).copied().unwrap_or(0);
                    let element_bytes = parameter(2).unwrap_or(element_bytes);
                    bitshuffle(input, length, element_bytes, parameter(3).unwrap_or(0), compressor)?
                }
                SHUFFLE => unshuffle(input, parameter(0).unwrap_or(element_bytes))?,
                FLETCHER32 => check(input)?.to_vec(),
                other => return Err(format!("filter {other} is not known")),
            });
        }
        let bytes = bytes.unwrap_or_else(|| stored.to_vec());
        if bytes.len() == chunk_bytes {
            Ok(bytes)
        } else {
            Err(format!("a chunk has {} bytes where {chunk_bytes} are declared", bytes.len()))
        }
    }
}

/// The zlib stream `input`, of exactly `length` bytes.
pub(super) fn inflate(decoder: &mut Decompress, input: &[u8], length: usize) -> Result<Vec<u8>, String> {
    if length / DEFLATE_EXPANSION > input.len() + 1 {
        return Err(format!("{} compressed bytes cannot hold the {length} declared", input.len()));
    }
    let mut out = Vec::new();
    // One more, so that a stream that is too long is told from one that ends right.
    out.try_reserve_exact(length + 1)
        .map_err(|_| format!("a chunk of {length} bytes does not fit into memory"))?;
    decoder.reset(true);
    match decoder.decompress_vec(input, &mut out, FlushDecompress::Finish) {
        Ok(Status::StreamEnd) if out.len() == length => Ok(out),
        Ok(Status::StreamEnd | Status::Ok | Status::BufError) => Err(format!(
            "a compressed chunk gives {} bytes and {}, not the {length} declared",
            out.len(),
            if out.len() > length { "more" } else { "ends" }
        )),
        Err(error) => Err(format!("a compressed chunk is damaged: {error}")),
    }
}

/// Gathers the bytes of each element, stored apart by their significance. Bytes that make up no whole
/// element lie unchanged at the end, as `H5Z__filter_shuffle` leaves them.
pub(super) fn unshuffle(input: &[u8], element_bytes: usize) -> Result<Vec<u8>, String> {
    let count = input.len().checked_div(element_bytes).unwrap_or(0);
    let mut out = Vec::new();
    out.try_reserve_exact(input.len()).map_err(|_| "a chunk does not fit into memory".to_owned())?;
    if element_bytes < 2 || count < 2 {
        out.extend_from_slice(input);
        return Ok(out);
    }
    match element_bytes {
        2 => gather::<2>(input, count, &mut out),
        4 => gather::<4>(input, count, &mut out),
        8 => gather::<8>(input, count, &mut out),
        _ => {
            for i in 0..count {
                out.extend((0..element_bytes).map(|byte| input[byte * count + i]));
            }
        }
    }
    out.extend_from_slice(&input[count * element_bytes..]);
    Ok(out)
}

fn gather<const N: usize>(input: &[u8], count: usize, out: &mut Vec<u8>) {
    let planes: [&[u8]; N] = std::array::from_fn(|byte| &input[byte * count..(byte + 1) * count]);
    out.resize(count * N, 0);
    for (i, element) in out.chunks_exact_mut(N).enumerate() {
        for (byte, plane) in element.iter_mut().zip(&planes) {
            *byte = plane[i];
        }
    }
}

/// The bytes before the checksum, which must agree with it.
///
/// `H5_checksum_fletcher32`: sums modulo 65535 of big-endian 16-bit words. Files written by HDF5 before
/// 1.6.3 hold the sum with the bytes of each half swapped.
fn check(input: &[u8]) -> Result<&[u8], String> {
    let Some((bytes, stored)) = input.split_last_chunk::<CHECKSUM_BYTES>() else {
        return Err("a chunk is too short to hold its checksum".to_owned());
    };
    let (mut first, mut second) = (0_u32, 0_u32);
    let fold = |sum: u32| (sum & 0xffff) + (sum >> 16);
    // 360 words: as many as cannot overflow 32 bits.
    for block in bytes.chunks(720) {
        for word in block.chunks(2) {
            first += u32::from(word[0]) << 8 | u32::from(word.get(1).copied().unwrap_or(0));
            second += first;
        }
        (first, second) = (fold(first), fold(second));
    }
    let computed = fold(second) << 16 | fold(first);
    let swapped = (computed & 0x00ff_00ff) << 8 | (computed >> 8) & 0x00ff_00ff;
    let stored = u32::from_le_bytes(*stored);
    if stored == computed || stored == swapped {
        Ok(bytes)
    } else {
        Err(format!("a chunk has the checksum {computed:08x}, but {stored:08x} was stored with it"))
    }
}
