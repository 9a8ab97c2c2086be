//! The same loop compiled for the widest vectors the machine has.

use std::sync::OnceLock;

/// Defines a function whose body is compiled three times, for AVX-512, for AVX2 and for any machine,
/// and chosen when it is called. The body is plain Rust; the compiler vectorises it. All three compute
/// the same bits: none may fuse or reorder floating-point operations.
macro_rules! widest {
    (
        $(#[$meta:meta])*
        $vis:vis fn $name:ident $(<$($t:ident: $bound:path),+>)? ($($arg:ident: $ty:ty),* $(,)?) $(-> $out:ty)?
        $body:block
    ) => {
        $(#[$meta])*
        $vis fn $name $(<$($t: $bound),+>)? ($($arg: $ty),*) $(-> $out)? {
            #[inline(always)]
            fn body $(<$($t: $bound),+>)? ($($arg: $ty),*) $(-> $out)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,popcnt,bmi1,bmi2")]
                fn avx512 $(<$($t: $bound),+>)? ($($arg: $ty),*) $(-> $out)? {
                    body($($arg),*)
                }
                #[target_feature(enable = "avx2,popcnt,bmi1,bmi2")]
                fn avx2 $(<$($t: $bound),+>)? ($($arg: $ty),*) $(-> $out)? {
                    body($($arg),*)
                }
                #[expect(unsafe_code, reason = "calls for features just detected")]
                match $crate::kernel::wide::level() {
                    // SAFETY: `level` detected every feature that `avx512` is compiled for.
                    $crate::kernel::wide::Level::Avx512 => return unsafe { avx512($($arg),*) },
                    // SAFETY: `level` detected AVX2 and the operations on bits.
                    $crate::kernel::wide::Level::Avx2 => return unsafe { avx2($($arg),*) },
                    $crate::kernel::wide::Level::Any => {}
                }
            }
            body($($arg),*)
        }
    };
}
pub(crate) use widest;

/// The widest vectors the machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// Foundation, doubleword/quadword, byte/word, 128- and 256-bit forms.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 256-bit integers and floats, and operations on single bits.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Whatever the program was built for.
    Any,
}

/// Detected once.
#[inline]
pub(crate) fn level() -> Level {
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(detected)
}

fn detected() -> Level {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        if !(has!("popcnt") && has!("bmi1") && has!("bmi2")) {
            return Level::Any;
        }
        if has!("avx512f") && has!("avx512dq") && has!("avx512vl") && has!("avx512bw") {
            return Level::Avx512;
        }
        if has!("avx2") {
            return Level::Avx2;
        }
    }
    Level::Any
}
