//! CLAP plugins of others, from Debian's `zam-plugins`.
