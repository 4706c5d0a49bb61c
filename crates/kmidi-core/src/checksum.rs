/// FNV-1a of 64 bits (Fowler, Noll, Vo; RFC 9923): sees what a disk or a crash has damaged, and is no defence against
/// who damages on purpose.
///
/// ```
/// assert_eq!(kmidi_core::fnv1a_64(b"foobar"), 0x85944171f73967e8);
/// ```
pub fn fnv1a_64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
