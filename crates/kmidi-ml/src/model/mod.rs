//! Models: which there are, where their files lie, and how one is loaded, run and unloaded.
//!
//! Small models are part of the program; larger ones are fetched once into a folder. Each is loaded when it is
//! first used, held under a lease, and unloaded again when memory is short and nobody uses it.

mod built_in;
mod cache;
mod catalog;
mod copies;
mod error;
mod files;
mod loaded;
mod mapped;
mod tensor;
mod worker;

pub use built_in::built_in_files;
pub use cache::{ModelCache, ModelStatistics};
pub use catalog::{Catalog, CatalogError, ExampleInput, ModelEntry, ModelFile, ModelName};
pub use copies::UnusedCopy;
pub(crate) use copies::{COPY_FILE, ModelCopy, read as read_copy};
pub use error::ModelError;
pub use files::{FileState, ModelFolders};
pub(crate) use files::{sha256_of, verify};
pub(crate) use loaded::Example;
pub use loaded::Model;
pub use tensor::{Input, Tensor, Values};
