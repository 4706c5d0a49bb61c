//! The last words of a program that a library ends.

/// From now on a crash says on stderr in which file it was, with what can be done then, and gives the terminal back as it is
/// now. The process ends by the same signal as it would have.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn name_who_crashes(next_step: &'static str) {
    linux::install(next_step);
}

/// Nothing is known of libraries on this system.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn name_who_crashes(_next_step: &'static str) {}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod linux {
    use std::ffi::{CStr, c_int, c_void};
    use std::ptr::null_mut;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    /// What ends a program for what it did itself.
    const SIGNALS: [(c_int, &str); 5] = [
        (libc::SIGSEGV, "SIGSEGV"),
        (libc::SIGBUS, "SIGBUS"),
        (libc::SIGFPE, "SIGFPE"),
        (libc::SIGILL, "SIGILL"),
        (libc::SIGABRT, "SIGABRT"),
    ];
    /// Beginnings of file names of what everybody calls: who called them is named.
    const RUNTIME: [&str; 7] =
        ["libc.so", "libm.so", "libgcc_s.so", "libstdc++.so", "libpthread.so", "ld-linux", "linux-vdso"];
    /// Calls of calls that are looked at.
    const MAX_FRAMES: usize = 64;
    /// Whatever hangs in the last words ends after so many seconds.
    const PATIENCE_SECONDS: u32 = 2;
    const LEAVE_THE_SCREEN: &str = "\x1b[?1049l\x1b[?25h\r";

    struct Last {
        next_step: &'static str,
        /// How stderr was, where it is a terminal.
        terminal: Option<libc::termios>,
    }

    static LAST: OnceLock<Last> = OnceLock::new();

    pub fn install(next_step: &'static str) {
        LAST.get_or_init(|| Last { next_step, terminal: terminal() });
        let mut frames = [null_mut(); 1];
        // SAFETY: it writes one pointer into the array; the first call loads what later ones need.
        unsafe { libc::backtrace(frames.as_mut_ptr(), 1) };
        for (signal, _) in SIGNALS {
            // SAFETY: an all-zero sigaction is valid; the handler has the signature that SA_SIGINFO asks for.
            unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                action.sa_sigaction = last_words as *const () as usize;
                action.sa_flags = libc::SA_SIGINFO;
                libc::sigemptyset(&mut action.sa_mask);
                libc::sigaction(signal, &action, null_mut());
            }
        }
    }

    fn terminal() -> Option<libc::termios> {
        // SAFETY: an all-zero termios is valid, and the call writes nothing else.
        unsafe {
            let mut now: libc::termios = std::mem::zeroed();
            (libc::tcgetattr(libc::STDERR_FILENO, &mut now) == 0).then_some(now)
        }
    }

    /// Calls only what takes no memory: the thread may have been anywhere.
    extern "C" fn last_words(signal: c_int, _: *mut libc::siginfo_t, context: *mut c_void) {
        static IS_TOLD: AtomicBool = AtomicBool::new(false);
        if !IS_TOLD.swap(true, Relaxed) {
            // SAFETY: a system call without memory.
            unsafe { libc::alarm(PATIENCE_SECONDS) };
            give_the_terminal_back();
            let name = SIGNALS.iter().find(|(it, _)| *it == signal).map_or("a signal", |(_, name)| name);
            // SAFETY: the kernel gives the handler its context.
            let file = unsafe { guilty(program_counter(context)) };
            write("kmidi: ");
            write(name);
            match file {
                Some(file) => {
                    write(" in ");
                    write_bytes(file.to_bytes());
                    write(": it has ended the program. ");
                    write(LAST.get().map_or("", |last| last.next_step));
                }
                None => write(" in kmidi itself: please report this"),
            }
            write("\n");
        }
        // SAFETY: system calls without memory. It ends as it would have without these words.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
            libc::raise(signal);
        }
    }

    fn give_the_terminal_back() {
        let (Some(before), Some(now)) = (LAST.get().and_then(|last| last.terminal), terminal()) else {
            return;
        };
        if before.c_lflag != now.c_lflag {
            // SAFETY: `before` is a whole termios.
            unsafe { libc::tcsetattr(libc::STDERR_FILENO, libc::TCSANOW, &before) };
            write(LEAVE_THE_SCREEN);
        }
    }

    fn write(text: &str) {
        write_bytes(text.as_bytes());
    }

    fn write_bytes(bytes: &[u8]) {
        // SAFETY: the bytes are there for the call. Nobody is left to be told that nobody can be told.
        unsafe { libc::write(libc::STDERR_FILENO, bytes.as_ptr().cast(), bytes.len()) };
    }

    /// Where the thread was.
    ///
    /// # Safety
    /// `context` is what a handler was given.
    unsafe fn program_counter(context: *mut c_void) -> *mut c_void {
        // SAFETY: by the caller.
        let context = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext };
        #[cfg(target_arch = "x86_64")]
        let counter = context.gregs[libc::REG_RIP as usize] as u64;
        #[cfg(target_arch = "aarch64")]
        let counter = context.pc;
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        let counter = {
            let _ = context;
            0u64
        };
        counter as *mut c_void
    }

    /// The file of the library that was running, or that called what was; `None` if it is the program itself.
    fn guilty(counter: *mut c_void) -> Option<&'static CStr> {
        let own = file_of(last_words as *mut c_void)?;
        let mut frames = [null_mut(); MAX_FRAMES];
        // SAFETY: it writes no more pointers than that.
        let found = unsafe { libc::backtrace(frames.as_mut_ptr(), MAX_FRAMES as c_int) };
        let frames = &frames[..usize::try_from(found).unwrap_or(0)];
        // The innermost ones are the handler and what called it.
        let start = frames.iter().position(|frame| *frame == counter).unwrap_or(frames.len());
        let calls = std::iter::once(&counter).chain(&frames[start..]);
        let file = calls.filter_map(|frame| file_of(*frame)).find(|file| !is_runtime(file))?;
        (file != own).then_some(file)
    }

    /// The file that the code at an address is from.
    fn file_of(address: *mut c_void) -> Option<&'static CStr> {
        // SAFETY: an all-zero Dl_info is valid, and the call reads the tables of the loader alone. Names stay as long as their
        // libraries: nothing is unloaded any more.
        unsafe {
            let mut info: libc::Dl_info = std::mem::zeroed();
            (libc::dladdr(address, &mut info) != 0 && !info.dli_fname.is_null())
                .then(|| CStr::from_ptr(info.dli_fname))
        }
    }

    fn is_runtime(file: &CStr) -> bool {
        let name = file.to_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        RUNTIME.iter().any(|runtime| name.starts_with(runtime.as_bytes()))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_file_of_a_function_is_known_and_a_runtime_is_one() {
            let own = file_of(last_words as *mut c_void).unwrap();
            assert!(!is_runtime(own), "{own:?}");
            let libc = file_of(libc::getpid as *mut c_void).unwrap();
            assert!(is_runtime(libc), "{libc:?}");
            assert_eq!(file_of(null_mut()), None);
            assert!(
                is_runtime(c"/lib/x86_64-linux-gnu/libm.so.6") && !is_runtime(c"/usr/lib/lv2/libcalf.so")
            );
        }
    }
}
