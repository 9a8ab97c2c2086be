//! Survives a file that is truncated under its map.
//!
//! Touching a page past the new end raises SIGBUS. Its handler, put in place with the first map, lays
//! zeros over the lost pages of a map that is watched here and marks the map; any other SIGBUS goes to
//! whoever handled it before. The handler allocates nothing and takes no lock: it reads a fixed table of
//! atomics and makes one system call.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Maps watched at once; more are not watched.
const PLACES: usize = 4096;
/// The start of a place that is being filled.
const TAKEN: usize = 1;

struct Place {
    /// Address of the first byte; 0 when free.
    start: AtomicUsize,
    end: AtomicUsize,
    is_damaged: AtomicBool,
}

static WATCHED: [Place; PLACES] = [const {
    Place { start: AtomicUsize::new(0), end: AtomicUsize::new(0), is_damaged: AtomicBool::new(false) }
}; PLACES];
static PAGE_BYTES: AtomicUsize = AtomicUsize::new(0);
static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();

/// A range of addresses that is watched until this is dropped, which must happen before it is unmapped.
#[derive(Debug)]
pub(super) struct Watch(Option<usize>);

impl Watch {
    /// Watches the mapped bytes `bytes`.
    pub(super) fn over(bytes: &[u8]) -> Watch {
        static INSTALLED: OnceLock<bool> = OnceLock::new();
        if bytes.is_empty() || !INSTALLED.get_or_init(install) {
            return Watch(None);
        }
        let start = bytes.as_ptr().addr();
        let free = WATCHED.iter().position(|place| {
            place.start.compare_exchange(0, TAKEN, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        });
        if let Some(place) = free.map(|index| &WATCHED[index]) {
            place.is_damaged.store(false, Ordering::Relaxed);
            place.end.store(start + bytes.len(), Ordering::Relaxed);
            place.start.store(start, Ordering::Release);
        }
        Watch(free)
    }

    /// Whether no page was lost so far.
    pub(super) fn is_intact(&self) -> bool {
        self.0.is_none_or(|index| !WATCHED[index].is_damaged.load(Ordering::Acquire))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(index) = self.0 {
            WATCHED[index].start.store(0, Ordering::Release);
        }
    }
}

/// Puts the handler in place; tells whether it worked.
#[expect(unsafe_code, reason = "signals are the system's")]
fn install() -> bool {
    // SAFETY: every pointer is to a local that lives across the call. All bits zero is a valid
    // `sigaction`, and the handler does only what a handler may. `PREVIOUS` is set before the handler
    // can run.
    unsafe {
        let page = libc::sysconf(libc::_SC_PAGESIZE);
        let mut previous: libc::sigaction = std::mem::zeroed();
        if page <= 0 || libc::sigaction(libc::SIGBUS, std::ptr::null(), &raw mut previous) != 0 {
            return false;
        }
        PAGE_BYTES.store(page as usize, Ordering::Relaxed);
        let _ = PREVIOUS.set(previous);
        let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = on_bus_error;
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as libc::sighandler_t;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigemptyset(&raw mut action.sa_mask) == 0
            && libc::sigaction(libc::SIGBUS, &raw const action, std::ptr::null_mut()) == 0
    }
}

#[expect(unsafe_code, reason = "signals are the system's")]
extern "C" fn on_bus_error(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel gives a valid `info`. A positive code says that the signal is a fault and
    // not one that was sent, so that there is an address.
    let fault = unsafe { ((*info).si_code > 0).then(|| (*info).si_addr().addr()) };
    if !fault.is_some_and(cover) {
        pass_on(signal, info, context);
    }
}

/// Lays zeros from the page at `address` to the end of its map: what follows a page past the end of
/// the file is past it too. Tells whether the address is in a watched map.
#[expect(unsafe_code, reason = "replacing lost pages is what the handler is for")]
fn cover(address: usize) -> bool {
    let page = PAGE_BYTES.load(Ordering::Relaxed);
    for place in &WATCHED {
        let start = place.start.load(Ordering::Acquire);
        if start <= TAKEN || address < start {
            continue;
        }
        let end = place.end.load(Ordering::Relaxed).next_multiple_of(page);
        if address >= end {
            continue;
        }
        place.is_damaged.store(true, Ordering::Release);
        let first = address & !(page - 1);
        // SAFETY: the pages lie inside a read-only map of this process that stays mapped while it is
        // watched; they keep their addresses and their protection, and hold zeros from now on. Whoever
        // reads them takes any bytes for valid.
        let mapped = unsafe {
            libc::mmap(
                std::ptr::with_exposed_provenance_mut(first),
                end - first,
                libc::PROT_READ,
                libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_FIXED,
                -1,
                0,
            )
        };
        return mapped != libc::MAP_FAILED;
    }
    false
}

/// Does what would have been done without this handler.
#[expect(unsafe_code, reason = "signals are the system's")]
fn pass_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    type WithInfo = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);
    type Plain = extern "C" fn(libc::c_int);
    let handler = PREVIOUS.get().map_or(libc::SIG_DFL, |previous| previous.sa_sigaction);
    let takes_info = PREVIOUS.get().is_some_and(|previous| previous.sa_flags & libc::SA_SIGINFO != 0);
    // SAFETY: a handler that is neither default nor ignore is a function of the type its flags tell.
    // The default is restored for the fault, or the signal sent again, to end the program.
    unsafe {
        if handler == libc::SIG_DFL || handler == libc::SIG_IGN {
            libc::signal(signal, libc::SIG_DFL);
            if (*info).si_code <= 0 {
                libc::raise(signal);
            }
        } else if takes_info {
            std::mem::transmute::<libc::sighandler_t, WithInfo>(handler)(signal, info, context);
        } else {
            std::mem::transmute::<libc::sighandler_t, Plain>(handler)(signal);
        }
    }
}
