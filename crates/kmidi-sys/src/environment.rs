//! The environment of the process, as foreign libraries read it.

/// Tells toolkits that plugins bring along to do without a screen: without one, Qt ends the process when such a plugin is
/// started. Nothing of ours shows their windows. What the user has set stays. To be called first of all: where there is
/// another thread, which might be reading the environment, nothing is done.
pub fn hide_the_screen_from_plugins() {
    const NAME: &str = "QT_QPA_PLATFORM";
    let threads = std::fs::read_dir("/proc/self/task").map_or(0, |threads| threads.count());
    if threads == 1 && std::env::var_os(NAME).is_none() {
        // SAFETY: there is no other thread that could read the environment now.
        unsafe { std::env::set_var(NAME, "offscreen") };
    }
}
