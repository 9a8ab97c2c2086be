//! Values on their way from memory while others are worked on.

/// Bytes that come into the cache together.
#[cfg(target_arch = "x86_64")]
const LINE: usize = 64;

/// Asks for the values to be brought into the first-level cache, without waiting for them.
#[inline]
pub fn prefetch<T>(values: &[T]) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let first = values.as_ptr().cast::<i8>();
        for offset in (0..size_of_val(values)).step_by(LINE) {
            #[expect(unsafe_code, reason = "prefetching takes an address")]
            // SAFETY: the address lies within the slice, and is not read in any way that can be seen.
            unsafe {
                _mm_prefetch::<_MM_HINT_T0>(first.add(offset));
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = values;
}
