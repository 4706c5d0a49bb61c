//! Text, before it means anything: words, stems, tables of words.
pub(super) mod bisect;
pub(super) mod language;
pub(super) mod plain;
pub(super) mod stem;
pub(super) mod words;
