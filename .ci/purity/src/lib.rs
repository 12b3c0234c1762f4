//! Both sessions, on a machine that has no operating system, no clock, and next to no memory.
#![no_std]

extern crate alloc;

use core::alloc::{GlobalAlloc, Layout};

use longshore_core::machine::Machine;
use longshore_core::time::Instant;
use longshore_core::{client, server};

struct NoMemory;

// SAFETY: it never hands out memory, which an allocator may always refuse.
unsafe impl GlobalAlloc for NoMemory {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static NO_MEMORY: NoMemory = NoMemory;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// Drives both sessions a step, so that the linker keeps them.
#[unsafe(no_mangle)]
pub extern "C" fn longshore_step(server: &mut server::Session, client: &mut client::Session, millis: u64) -> bool {
    let now = Instant::after_origin(core::time::Duration::from_millis(millis));
    let taken = server.receive(now, client.transmit());
    client.sent(now, taken);
    let taken = client.receive(now, server.transmit());
    server.sent(now, taken);
    server.poll().is_some() | client.poll().is_some()
}
