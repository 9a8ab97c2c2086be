//! What the machine has.

/// Bytes of memory the machine has, if the system tells.
pub fn memory_bytes() -> Option<usize> {
    #[cfg(target_os = "linux")]
    {
        #[expect(unsafe_code, reason = "the size of memory is the system's to tell")]
        // SAFETY: `sysconf` takes and gives plain numbers.
        let (pages, page_bytes) =
            unsafe { (libc::sysconf(libc::_SC_PHYS_PAGES), libc::sysconf(libc::_SC_PAGESIZE)) };
        usize::try_from(pages).ok()?.checked_mul(usize::try_from(page_bytes).ok()?)
    }
    #[cfg(not(target_os = "linux"))]
    None
}
