//! Loses a block for good: what looks for leaks must find it before its silence means anything.

#[global_allocator]
static HEAP: kmidi_memory::Heap = kmidi_memory::Heap::new();

fn main() {
    let block = std::hint::black_box(Box::new([7u8; 1000]));
    std::mem::forget(block);
    // Nothing on the stack or in a register is to look like its address.
    let room = std::hint::black_box([0u8; 4096]);
    println!("{}", room.len());
}
