//! Memory that is asked for before it is needed.
//!
//! A read that waits has what follows it wait, too, once the processor holds as much as it can; this does not. It is
//! no more than a hint: nothing changes but the time that something takes.

/// The bytes of memory that come together.
const LINE: usize = 64;

/// Has words come near that lie side by side.
#[inline(always)]
pub(super) fn near<T: Copy>(words: &[T]) {
    let step = const {
        assert!(size_of::<T>() <= LINE, "a line has room for one");
        LINE / size_of::<T>()
    };
    if let [before @ .., last] = words {
        before.iter().step_by(step).for_each(ask);
        ask(last);
    }
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the hint can be given for any address, and takes a pointer")]
#[inline(always)]
fn ask<T: Copy>(value: &T) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: it reads nothing and never faults; the address is that of a value besides.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast()) }
}

/// Elsewhere it is read, which comes to the same but for the wait.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn ask<T: Copy>(value: &T) {
    std::hint::black_box(*value);
}
