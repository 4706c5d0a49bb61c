//! Where models lie that are not part of the program.

use std::path::PathBuf;

use clap::Args;
use kmidi_memory::Budgets;
use kmidi_ml::model::{Catalog, ModelCache, ModelFolders, ModelName};

/// Where a distribution puts them.
const OF_THE_SYSTEM: [&str; 2] = ["/usr/local/share/kmidi/models", "/usr/share/kmidi/models"];

/// What every command that uses models shares.
#[derive(Clone, Debug, Args)]
pub struct ModelsFlag {
    /// Folder of the models that are fetched; $XDG_DATA_HOME/kmidi/models and /usr/share/kmidi/models otherwise
    #[arg(long, value_name = "DIR", hide_short_help = true)]
    pub models: Option<PathBuf>,
}

impl ModelsFlag {
    /// The models, of which nothing is loaded yet. Copies of those that will be used, and cannot be, are told.
    pub fn cache(&self, budgets: &Budgets, used: &[ModelName]) -> ModelCache {
        if let Some(folder) = self.models.as_ref().filter(|folder| !folder.is_dir()) {
            eprintln!(
                "kmidi: warning: --models {}: there is no such folder, and so no model in it",
                folder.display()
            );
        }
        let models = ModelCache::new(budgets.clone(), self.folders());
        for copy in models.unused_copies().iter().filter(|copy| used.contains(&copy.model)) {
            eprintln!("kmidi: warning: {copy}");
        }
        models
    }

    /// The models themselves, whatever copies there are.
    pub fn originals(&self, budgets: &Budgets) -> ModelCache {
        ModelCache::with_catalog(budgets.clone(), self.folders(), Catalog::of_the_program().clone())
    }

    /// Where they are looked for: in the user's own folder before those of the system.
    pub fn folders(&self) -> ModelFolders {
        match &self.models {
            Some(folder) => ModelFolders::new([folder.clone()]),
            None => ModelFolders::new(own_folder().into_iter().chain(OF_THE_SYSTEM.map(PathBuf::from))),
        }
    }

    /// Where they are fetched to: the user's own folder.
    pub fn own_folder(&self) -> Option<PathBuf> {
        self.models.clone().or_else(own_folder)
    }
}

fn own_folder() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")));
    Some(data?.join("kmidi/models"))
}
