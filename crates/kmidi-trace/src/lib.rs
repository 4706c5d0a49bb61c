//! What was planned and done, line by line, in a log that only grows. `[side B]`
#![forbid(unsafe_code)]
