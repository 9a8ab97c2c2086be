//! Memory of its own from the system, in pieces that are written once, by any thread, and then read.

use std::io;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use arrow::buffer::Buffer;
use memmap2::{MmapMut, MmapRaw};

const BLANK: u8 = 0;
const IN_WORK: u8 = 1;
const FILLED: u8 = 2;

/// Bytes in pieces. What no piece was written to takes no memory, and dropping it gives all back to the system at
/// once, where an allocator would have to look for it.
#[derive(Debug)]
pub struct Slab {
    map: MmapRaw,
    /// Where every piece ends.
    ends: Vec<usize>,
    states: Vec<AtomicU8>,
}

impl Slab {
    /// Blank pieces, the first from 0 on, each from the end of the one before; `ends` ascend.
    ///
    /// # Errors
    /// The system has no such range of addresses.
    pub fn new(ends: Vec<usize>) -> io::Result<Slab> {
        let map = MmapMut::map_anon(ends.last().copied().unwrap_or(0).max(1))?;
        #[cfg(target_os = "linux")]
        // Only the number of page faults depends on it.
        let _ = map.advise(memmap2::Advice::HugePage);
        let states = ends.iter().map(|_| AtomicU8::new(BLANK)).collect();
        Ok(Slab { map: map.into(), ends, states })
    }

    fn range(&self, piece: usize) -> Option<(usize, usize)> {
        let end = *self.ends.get(piece)?;
        let start = if piece == 0 { 0 } else { self.ends[piece - 1] };
        (start <= end && end <= self.map.len()).then_some((start, end))
    }

    /// Writes a piece; whether it was blank and as long as `bytes`.
    pub fn fill(&self, piece: usize, bytes: &[u8]) -> bool {
        let Some((start, end)) = self.range(piece).filter(|(start, end)| end - start == bytes.len()) else {
            return false;
        };
        let state = &self.states[piece];
        if state.compare_exchange(BLANK, IN_WORK, Ordering::Acquire, Ordering::Relaxed).is_err() {
            return false;
        }
        #[expect(unsafe_code, reason = "pieces of one map are written by several threads")]
        // SAFETY: the piece lies in the map; this thread alone has moved it on from blank, and nobody reads it before
        // it is filled. Ranges of pieces do not overlap, since ends ascend.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.map.as_mut_ptr().add(start), end - start);
        }
        state.store(FILLED, Ordering::Release);
        true
    }

    /// Whether a piece was written.
    pub fn is_filled(&self, piece: usize) -> bool {
        self.states.get(piece).is_some_and(|state| state.load(Ordering::Acquire) == FILLED)
    }

    /// A piece that was written; it keeps the whole alive.
    pub fn piece(self: &Arc<Slab>, piece: usize) -> Option<Buffer> {
        let (start, end) = self.range(piece).filter(|_| self.is_filled(piece))?;
        #[expect(unsafe_code, reason = "a buffer of a map")]
        // SAFETY: the bytes lie in the map, which the buffer keeps alive, and do not change once they were filled.
        unsafe {
            let first = NonNull::new(self.map.as_mut_ptr().add(start))?;
            Some(Buffer::from_custom_allocation(first, end - start, self.clone()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_written_once_and_read_when_they_are_whole() {
        let slab = Arc::new(Slab::new(vec![3, 3, 5000, 5001]).unwrap());
        assert!(slab.piece(0).is_none());
        assert!(!slab.fill(0, &[1, 2]) && !slab.fill(4, &[]));
        assert!(slab.fill(0, &[1, 2, 3]) && !slab.fill(0, &[4, 5, 6]));
        assert!(slab.fill(1, &[]));
        assert_eq!(slab.piece(0).unwrap().as_slice(), [1, 2, 3]);
        assert_eq!(slab.piece(1).unwrap().len(), 0);
        assert!(!slab.is_filled(2) && slab.piece(2).is_none() && slab.piece(9).is_none());
        let kept = slab.piece(0).unwrap();
        drop(slab);
        assert_eq!(kept.as_slice(), [1, 2, 3]);
        assert!(Slab::new(Vec::new()).unwrap().range(0).is_none());
    }

    #[test]
    fn threads_fill_pieces_side_by_side() {
        let pieces = 200;
        let slab = Arc::new(Slab::new((1..=pieces).map(|i| i * 33).collect()).unwrap());
        let filled = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (slab, filled) = (&slab, &filled);
                scope.spawn(move || {
                    for piece in 0..pieces {
                        if slab.fill((piece * 7 + thread) % pieces, &[piece as u8; 33]) {
                            filled.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!(filled.into_inner(), pieces);
        for piece in 0..pieces {
            let bytes = slab.piece(piece).unwrap();
            assert!(bytes.len() == 33 && bytes.iter().all(|byte| *byte == bytes[0]));
        }
    }
}
