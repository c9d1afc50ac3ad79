//! How much memory a bench holds: the system's allocator, which counts bytes.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

static LIVE: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

struct Counting;

/// How many bytes are held.
pub fn live() -> usize {
    LIVE.load(Ordering::Relaxed)
}

/// How many were held at most since [`forget_most`].
#[allow(dead_code, reason = "not every bench asks")]
pub fn most() -> usize {
    MOST.load(Ordering::Relaxed)
}

/// What is held now is the most so far.
#[allow(dead_code, reason = "not every bench asks")]
pub fn forget_most() {
    MOST.store(live(), Ordering::Relaxed);
}

fn held(more: usize) {
    let live = LIVE.fetch_add(more, Ordering::Relaxed) + more;
    MOST.fetch_max(live, Ordering::Relaxed);
}

#[allow(unsafe_code, reason = "an allocator cannot be written without; this one only passes calls on")]
// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        held(layout.size());
        // SAFETY: the caller keeps to the contract, and this is the same one.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        held(size);
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(place, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
