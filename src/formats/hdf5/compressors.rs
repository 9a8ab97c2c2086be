//! Byte compressors that files of other programs use, each from its published format.
//!
//! LZF: github.com/nemequ/liblzf. LZ4 block format: github.com/lz4/lz4, doc/lz4_Block_format.md.
//! BloscLZ: github.com/Blosc/c-blosc, blosc/blosclz.c. All end with an error, never past a buffer.

/// Decompresses one stream to exactly `length` bytes.
pub(super) type Decompress = fn(input: &[u8], length: usize) -> Result<Vec<u8>, String>;

/// What is decompressed, and where the input is.
struct Stream<'a> {
    input: &'a [u8],
    out: Vec<u8>,
    length: usize,
    name: &'static str,
}

impl<'a> Stream<'a> {
    /// `expansion`: the most bytes this compressor makes of one.
    fn new(
        name: &'static str,
        input: &'a [u8],
        length: usize,
        expansion: usize,
    ) -> Result<Stream<'a>, String> {
        if length / expansion > input.len() + 1 {
            return Err(format!("{} {name} bytes cannot hold the {length} declared", input.len()));
        }
        let mut out = Vec::new();
        out.try_reserve_exact(length)
            .map_err(|_| format!("a chunk of {length} bytes does not fit into memory"))?;
        Ok(Stream { input, out, length, name })
    }

    fn damaged(&self) -> String {
        format!("{} data is damaged after {} of {} bytes", self.name, self.out.len(), self.length)
    }

    fn byte(&mut self) -> Result<usize, String> {
        let (&byte, rest) = self.input.split_first().ok_or_else(|| self.damaged())?;
        self.input = rest;
        Ok(usize::from(byte))
    }

    /// Takes over `count` bytes of the input.
    fn literals(&mut self, count: usize) -> Result<(), String> {
        let (literals, rest) = self.input.split_at_checked(count).ok_or_else(|| self.damaged())?;
        if self.out.len() + count > self.length {
            return Err(self.damaged());
        }
        self.out.extend_from_slice(literals);
        self.input = rest;
        Ok(())
    }

    /// Repeats `count` bytes from `distance` back; the two may overlap.
    fn repeat(&mut self, distance: usize, count: usize) -> Result<(), String> {
        let start =
            self.out.len().checked_sub(distance).filter(|_| distance > 0).ok_or_else(|| self.damaged())?;
        if self.out.len() + count > self.length {
            return Err(self.damaged());
        }
        let mut left = count;
        while left > 0 {
            let part = left.min(self.out.len() - start);
            self.out.extend_from_within(start..start + part);
            left -= part;
        }
        Ok(())
    }

    fn end(self) -> Result<Vec<u8>, String> {
        if self.out.len() == self.length { Ok(self.out) } else { Err(self.damaged()) }
    }
}

/// LZF, as h5py writes it.
pub(super) fn lzf(input: &[u8], length: usize) -> Result<Vec<u8>, String> {
    let mut stream = Stream::new("LZF", input, length, 88)?;
    while !stream.input.is_empty() {
        let control = stream.byte()?;
        if control < 32 {
            stream.literals(control + 1)?;
            continue;
        }
        let mut count = control >> 5;
        if count == 7 {
            count += stream.byte()?;
        }
        let distance = ((control & 31) << 8 | stream.byte()?) + 1;
        stream.repeat(distance, count + 2)?;
    }
    stream.end()
}

/// One LZ4 block.
pub(super) fn lz4(input: &[u8], length: usize) -> Result<Vec<u8>, String> {
    let mut stream = Stream::new("LZ4", input, length, 256)?;
    let extended = |stream: &mut Stream<'_>, count: usize| -> Result<usize, String> {
        let mut count = count;
        if count == 15 {
            loop {
                let byte = stream.byte()?;
                count += byte;
                if byte < 255 {
                    break;
                }
            }
        }
        Ok(count)
    };
    loop {
        let token = stream.byte()?;
        let literals = extended(&mut stream, token >> 4)?;
        stream.literals(literals)?;
        if stream.input.is_empty() {
            return stream.end();
        }
        let distance = stream.byte()? | stream.byte()? << 8;
        let count = extended(&mut stream, token & 15)?;
        stream.repeat(distance, count + 4)?;
    }
}

/// BloscLZ, the compressor Blosc uses unless told otherwise.
pub(super) fn blosclz(input: &[u8], length: usize) -> Result<Vec<u8>, String> {
    const FARTHEST: usize = 8191;
    let mut stream = Stream::new("BloscLZ", input, length, 256)?;
    // The upper bits of the first byte tell the version, and no match can come first.
    let mut control = stream.byte()? & 31;
    loop {
        if control < 32 {
            stream.literals(control + 1)?;
        } else {
            let mut count = (control >> 5) - 1;
            if count == 6 {
                loop {
                    let byte = stream.byte()?;
                    count += byte;
                    if byte < 255 {
                        break;
                    }
                }
            }
            let (high, low) = ((control & 31) << 8, stream.byte()?);
            let distance = if high == 31 << 8 && low == 255 {
                (stream.byte()? << 8 | stream.byte()?) + FARTHEST
            } else {
                high + low
            };
            stream.repeat(distance + 1, count + 3)?;
        }
        if stream.input.is_empty() {
            return stream.end();
        }
        control = stream.byte()?;
    }
}

/// One zlib stream.
pub(super) fn zlib(input: &[u8], length: usize) -> Result<Vec<u8>, String> {
    super::filters::inflate(&mut flate2::Decompress::new(true), input, length)
}

/// One Zstandard frame.
pub(super) fn zstandard(input: &[u8], length: usize) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    out.try_reserve_exact(length)
        .map_err(|_| format!("a chunk of {length} bytes does not fit into memory"))?;
    let count = zstd::bulk::Decompressor::new()
        .and_then(|mut decompressor| decompressor.decompress_to_buffer(input, &mut out))
        .map_err(|error| format!("Zstandard data is damaged: {error}"))?;
    if count == length {
        Ok(out)
    } else {
        Err(format!("Zstandard data has {count} bytes, not the {length} declared"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_match_may_overlap_what_it_makes() {
        // LZF: the literal "ab", then 7 bytes from 2 back.
        assert_eq!(lzf(&[1, b'a', b'b', 5 << 5, 1], 9).unwrap(), b"ababababa");
        // LZ4: the same, 5 + 4 bytes from 2 back, then an empty end.
        assert_eq!(lz4(&[0x23, b'a', b'b', 2, 0, 0], 9).unwrap(), b"ababababa");
    }

    #[test]
    fn damaged_streams_are_refused() {
        for decompress in [lzf, lz4, blosclz, zlib, zstandard] {
            for input in [&[][..], &[255; 40], &[0; 40], &[0x1f, 1, 2], &[0xf0, 255, 255]] {
                assert!(decompress(input, 100).is_err(), "{input:?}");
                assert!(decompress(input, usize::MAX / 2).is_err(), "{input:?}");
            }
        }
    }
}
