use std::process::Command;

/// Has what this command starts end with the thread that starts it, however that ends: what a child does for nobody costs a network and
/// a disk. It does nothing on other systems than Linux.
#[cfg(target_os = "linux")]
pub fn end_with_parent(command: &mut Command) {
    use std::os::unix::process::CommandExt;

    let parent = std::process::id();
    let ask = move || {
        // SAFETY: two plain system calls, which may be made between fork and exec: they take no lock and allocate nothing.
        let is_orphan = unsafe {
            if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
                return Err(std::io::Error::last_os_error());
            }
            libc::getppid() as u32 != parent
        };
        // Whoever ended before this was asked for sends no signal any more.
        if is_orphan { Err(std::io::ErrorKind::NotFound.into()) } else { Ok(()) }
    };
    // SAFETY: the closure makes system calls alone, as is said there.
    unsafe { command.pre_exec(ask) };
}

/// Has what this command starts end with the thread that starts it: not here.
#[cfg(not(target_os = "linux"))]
pub fn end_with_parent(_: &mut Command) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    use super::*;

    /// Whether a sleeper still runs a while after the thread that started it has ended.
    fn outlives(prepare: fn(&mut Command)) -> bool {
        let start = move || {
            let mut command = Command::new("sleep");
            command.arg("60").stdin(Stdio::null()).stdout(Stdio::null());
            prepare(&mut command);
            command.spawn().unwrap()
        };
        let mut child = std::thread::spawn(start).join().unwrap();
        let since = Instant::now();
        let mut ended = None;
        // Who ends with its parent does so at once; who does not is waited for in vain.
        while ended.is_none() && since.elapsed() < Duration::from_millis(1500) {
            ended = child.try_wait().unwrap();
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = child.kill();
        let _ = child.wait();
        ended.is_none()
    }

    #[test]
    fn a_child_ends_with_the_thread_that_started_it() {
        assert!(!outlives(end_with_parent));
        assert!(outlives(|_| {}), "the control: others do not");
    }
}
