//! What a text feels.
