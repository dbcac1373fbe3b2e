//! The memory suite and the image memory of the effect suite, both with guard bytes around each block.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex};

use openfx::sys::generic::core::*;
use openfx::sys::image_effect_v1::memory::{OfxMemorySuiteV1, kOfxMemorySuite};

use super::handles::{IMAGE_MEMORY, give, lock, new_handle};
use super::options::HostOptions;
use super::scope::{report, spoil_lent_strings};
use super::suites::{Suite, suite};

pub(super) fn memory_v1(options: &HostOptions) -> Suite {
    suite!(
        options,
        kOfxMemorySuite,
        1,
        OfxMemorySuiteV1 {
            memoryAlloc: memory_alloc,
            memoryFree: memory_free,
        }
    )
}

const GUARD: usize = 64;
const CANARY: u8 = 0xc5;

struct Block {
    memory: NonNull<u8>,
    layout: Layout,
    /// The effect handle it was allocated for; may be null.
    owner: usize,
}

// SAFETY: the block owns its memory, and looks only at the guards, which the plugin must not touch.
unsafe impl Send for Block {}
// SAFETY: as above.
unsafe impl Sync for Block {}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout.
        unsafe { dealloc(self.memory.as_ptr(), self.layout) };
    }
}

impl Block {
    fn new(bytes: usize, owner: usize) -> Option<Block> {
        let length = bytes.checked_add(2 * GUARD)?;
        let layout = Layout::from_size_align(length, GUARD).ok()?;
        // SAFETY: never of length zero, because of the guards.
        let memory = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        for at in (0..GUARD).chain(length - GUARD..length) {
            // SAFETY: within the allocation, which nobody else knows yet.
            unsafe { memory.add(at).write(CANARY) };
        }
        Some(Block {
            memory,
            layout,
            owner,
        })
    }

    fn address(&self) -> usize {
        self.memory.as_ptr() as usize + GUARD
    }

    fn check(&self, what: &str) {
        let length = self.layout.size();
        let mut guards = (0..GUARD).chain(length - GUARD..length);
        // SAFETY: within the allocation, and initialised in `new`.
        if guards.any(|at| unsafe { self.memory.add(at).read() } != CANARY) {
            report(format!(
                "{what}: written before or after its {} bytes",
                length - 2 * GUARD
            ));
        }
    }
}

static BLOCKS: Mutex<BTreeMap<usize, Block>> = Mutex::new(BTreeMap::new());
static IMAGE_BLOCKS: Mutex<BTreeMap<usize, Arc<ImageMemory>>> = Mutex::new(BTreeMap::new());

/// How many blocks an effect allocated and did not free.
pub(super) fn live_blocks(owner: usize) -> usize {
    let blocks = lock(&BLOCKS)
        .values()
        .filter(|block| block.owner == owner)
        .count();
    let image = lock(&IMAGE_BLOCKS)
        .values()
        .filter(|image| image.block.owner == owner)
        .count();
    blocks + image
}

extern "C" fn memory_alloc(
    owner: *mut c_void,
    bytes: usize,
    address: *mut *mut c_void,
) -> OfxStatus {
    spoil_lent_strings();
    let Some(block) = Block::new(bytes, owner as usize) else {
        return kOfxStatErrMemory;
    };
    if !give(address, block.address() as *mut c_void) {
        report("memoryAlloc: null pointer for the address".into());
        return kOfxStatErrValue;
    }
    lock(&BLOCKS).insert(block.address(), block);
    kOfxStatOK
}

extern "C" fn memory_free(address: *mut c_void) -> OfxStatus {
    spoil_lent_strings();
    let Some(block) = lock(&BLOCKS).remove(&(address as usize)) else {
        report("memoryFree of what memoryAlloc did not give".into());
        return kOfxStatErrBadHandle;
    };
    block.check("a block of memoryAlloc");
    kOfxStatOK
}

pub(super) struct ImageMemory {
    handle: usize,
    block: Block,
    locks: AtomicI32,
}

impl Drop for ImageMemory {
    fn drop(&mut self) {
        IMAGE_MEMORY.remove(self.handle);
    }
}

impl ImageMemory {
    pub fn alloc(bytes: usize, owner: usize) -> Option<usize> {
        let block = Block::new(bytes, owner)?;
        let handle = new_handle();
        let memory = Arc::new(ImageMemory {
            handle,
            block,
            locks: AtomicI32::new(0),
        });
        IMAGE_MEMORY.add(handle, &memory);
        lock(&IMAGE_BLOCKS).insert(handle, memory);
        Some(handle)
    }

    pub fn free(&self) -> OfxStatus {
        if self.locks.load(Ordering::Relaxed) != 0 {
            report("imageMemoryFree of locked memory".into());
        }
        self.block.check("a block of imageMemoryAlloc");
        lock(&IMAGE_BLOCKS).remove(&self.handle);
        IMAGE_MEMORY.remove(self.handle);
        kOfxStatOK
    }

    pub fn lock(&self) -> usize {
        self.locks.fetch_add(1, Ordering::Relaxed);
        self.block.address()
    }

    pub fn unlock(&self) -> OfxStatus {
        if self.locks.fetch_sub(1, Ordering::Relaxed) <= 0 {
            report("imageMemoryUnlock without imageMemoryLock".into());
            self.locks.store(0, Ordering::Relaxed);
        }
        kOfxStatOK
    }
}
