//! How the system's allocator treats what is given back.

/// Has the allocator keep freed memory for the next use, up to 64 MiB a thread, instead of returning it
/// to the system: arrays of some 100 KiB come and go thousands of times a second in a scan, and new pages
/// cost more than filling them. Only the GNU C library has such a knob; elsewhere nothing is done.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        const LARGEST_KEPT: libc::c_int = 16 << 20;
        const MOST_KEPT: libc::c_int = 64 << 20;
        #[expect(unsafe_code, reason = "the allocator's settings are the C library's")]
        // SAFETY: both calls only set numbers, under the allocator's own lock.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, LARGEST_KEPT);
            libc::mallopt(libc::M_TRIM_THRESHOLD, MOST_KEPT);
        }
    }
}
