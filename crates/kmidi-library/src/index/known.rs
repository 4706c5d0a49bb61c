//! What is known of files by what is in them, wherever they were: a file that was moved or copied is not analysed again.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::Item;
use crate::catalogue::Catalogue;

pub(super) struct Known {
    /// One of the files with each content, when indexing began.
    paths: HashMap<u128, PathBuf>,
}

impl Known {
    pub fn of(catalogue: &Catalogue) -> Self {
        let good = catalogue.files.iter().filter(|(_, record)| !record.is_plugin && record.items.is_ok());
        Known { paths: good.map(|(path, record)| (record.hash, path.clone())).collect() }
    }

    /// The items of a file with this content.
    pub fn items(&self, hash: u128, catalogue: &Catalogue) -> Option<Result<Vec<Item>, String>> {
        let there = self.paths.get(&hash).and_then(|path| catalogue.files.get(path));
        let gone = || catalogue.gone.get(&hash).map(|gone| &gone.record);
        let record = there.filter(|record| record.hash == hash).or_else(gone)?;
        Some(record.items.clone())
    }
}
