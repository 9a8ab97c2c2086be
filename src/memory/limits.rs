//! Limits of what this process may take.

use std::io;

/// Confines this process, for the rest of its life, to `address_bytes` of memory and to files of
/// `file_bytes`; it leaves no core file behind. Does nothing on systems that have no such limits.
///
/// # Errors
/// The system refused a limit.
pub fn confine(address_bytes: u64, file_bytes: u64) -> io::Result<()> {
    #[cfg(unix)]
    {
        limit(libc::RLIMIT_AS, address_bytes)?;
        limit(libc::RLIMIT_FSIZE, file_bytes)?;
        limit(libc::RLIMIT_CORE, 0)?;
    }
    #[cfg(not(unix))]
    let _ = (address_bytes, file_bytes);
    Ok(())
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
type Resource = libc::__rlimit_resource_t;
#[cfg(all(unix, not(all(target_os = "linux", target_env = "gnu"))))]
type Resource = libc::c_int;

#[cfg(unix)]
fn limit(resource: Resource, most: u64) -> io::Result<()> {
    let mut limits = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    #[expect(unsafe_code, reason = "the limits of a process are the system's")]
    // SAFETY: both calls only touch `limits`, which lives across them.
    unsafe {
        if libc::getrlimit(resource, &raw mut limits) != 0 {
            return Err(io::Error::last_os_error());
        }
        limits.rlim_cur = most.min(limits.rlim_max);
        if libc::setrlimit(resource, &raw const limits) != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}
