//! Models that listen and read, each loaded when it is first used and held under a lease. `[side B]`
#![forbid(unsafe_code)]
