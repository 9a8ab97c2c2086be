//! What the machine has.

use std::path::Path;

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

/// Bytes that this user may still write into `folder`, if the system tells.
pub fn free_disk_bytes(folder: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let path = std::ffi::CString::new(folder.as_os_str().as_bytes()).ok()?;
        let mut found = std::mem::MaybeUninit::<libc::statvfs>::uninit();
        #[expect(unsafe_code, reason = "free space is the system's to tell")]
        // SAFETY: the path ends in a zero byte, and what is written to is as large as the call expects.
        let failed = unsafe { libc::statvfs(path.as_ptr(), found.as_mut_ptr()) } != 0;
        if failed {
            return None;
        }
        #[expect(unsafe_code, reason = "free space is the system's to tell")]
        // SAFETY: the call succeeded and has filled it.
        let found = unsafe { found.assume_init() };
        #[allow(clippy::useless_conversion, reason = "the widths differ between systems")]
        u64::from(found.f_bavail).checked_mul(u64::from(found.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        None
    }
}
