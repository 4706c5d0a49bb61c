//! Which of the programs stands between foreign code and libc.

use std::collections::BTreeSet;
use std::process::Command;

/// A few hooks of each family. (That all are found by plugins is tested where they are.)
const HOOKS: &str = "malloc calloc realloc reallocarray free posix_memalign aligned_alloc memalign \
    pthread_mutex_lock pthread_mutex_trylock pthread_mutex_timedlock pthread_rwlock_rdlock pthread_rwlock_wrlock \
    pthread_spin_lock pthread_cond_wait pthread_cond_timedwait sem_wait pthread_join nanosleep clock_nanosleep usleep \
    sleep poll select epoll_wait read write open openat close fopen fwrite fread puts vfprintf send recv mmap munmap \
    mprotect brk pthread_create fork execve posix_spawn syscall";
#[cfg(target_arch = "x86_64")]
const MORE: &str = "printf fprintf __printf_chk __fprintf_chk dlopen dlsym vfork";
#[cfg(not(target_arch = "x86_64"))]
const MORE: &str = "";

/// Functions that a library which is loaded into this program finds there, not in libc.
fn exported_functions(program: &str) -> BTreeSet<String> {
    let listed = Command::new("nm").args(["-D", "--defined-only", program]).output().expect("nm runs");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let listed = String::from_utf8(listed.stdout).expect("names are UTF-8");
    let function = |line: &str| {
        let (kind, name) = line.split_once(' ')?.1.split_once(' ')?;
        ["T", "W", "i"].contains(&kind).then(|| name.split('@').next().unwrap_or(name).to_owned())
    };
    listed.lines().filter_map(function).collect()
}

#[test]
fn only_the_probe_has_hooks() {
    let product = exported_functions(env!("CARGO_BIN_EXE_kmidi"));
    let probe = exported_functions(env!("CARGO_BIN_EXE_kmidi-probe"));
    let hooks = HOOKS.split_whitespace().chain(MORE.split_whitespace());
    let missing: Vec<&str> = hooks.filter(|hook| !probe.contains(*hook)).collect();
    assert_eq!(missing, [""; 0], "the probe exports {probe:?}");
    let stolen: Vec<&String> = product.intersection(&probe).collect();
    assert_eq!(stolen, [""; 0]);
}
