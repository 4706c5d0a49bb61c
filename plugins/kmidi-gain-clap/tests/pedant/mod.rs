//! A host that goes by the headers of CLAP 1.2 word by word. It calls a plugin in every way that these allow, and writes down
//! where the plugin, or what it calls of the host, breaks a rule.

mod events;
mod file;
mod host;
mod instance;
mod parameters;
mod ports;
mod running;
mod state;

use std::path::Path;

use file::File;
use host::Host;
use instance::Instance;

/// Every rule that the plugin `id` in `file` breaks, in plain words.
pub fn violations(file: &Path, id: &str) -> Vec<String> {
    let host = Host::new();
    let file = File::open(file, &host);
    file.check(id);
    ports::check(&Instance::new(&file, id, &host));
    parameters::check(&Instance::new(&file, id, &host));
    state::check(&file, id, &host);
    running::check(&file, id, &host);
    drop(file);
    host.complaints()
}
