//! Syscall User Dispatch: the kernel sends a thread a signal instead of doing what it asks for, unless a byte of the thread
//! says otherwise. The handler counts, and asks in its place. So system calls are seen however they are made.

#[cfg(target_arch = "x86_64")]
pub use x86_64::{is_available, trap, untrap};

/// Not on this architecture.
#[cfg(not(target_arch = "x86_64"))]
pub fn is_available() -> bool {
    false
}

#[cfg(not(target_arch = "x86_64"))]
pub fn trap() -> bool {
    false
}

#[cfg(not(target_arch = "x86_64"))]
pub fn untrap() {}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use std::arch::{asm, global_asm};
    use std::ffi::{c_int, c_long, c_ulong, c_void};
    use std::ptr;

    use crate::state::{self, Quiet};
    use crate::system_calls;
    use crate::table::What;

    const PR_SET_SYSCALL_USER_DISPATCH: c_int = 59;
    const ON: c_ulong = 1;
    const OFF: c_ulong = 0;
    /// The reason of a signal that the kernel sent for this.
    const SYS_USER_DISPATCH: c_int = 2;
    /// Bytes of a set of signals in the kernel.
    const MASK_BYTES: usize = 8;

    // The way back from a signal is a system call too, and must pass whatever the byte says: it is made from a range that
    // the kernel is told. The unwinder knows a signal's frame by exactly these instructions.
    global_asm!(
        ".pushsection .text.kmidi_signal_return, \"ax\", @progbits",
        ".p2align 4",
        ".hidden kmidi_probe_signal_return",
        ".globl kmidi_probe_signal_return",
        ".type kmidi_probe_signal_return, @function",
        "nop",
        "kmidi_probe_signal_return:",
        ".byte 0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00",
        "syscall",
        "ud2",
        ".size kmidi_probe_signal_return, . - kmidi_probe_signal_return",
        ".popsection",
    );
    unsafe extern "C" {
        fn kmidi_probe_signal_return();
    }
    /// Bytes from there on that include the address behind the call.
    const RETURN_BYTES: c_ulong = 11;

    /// Whether this kernel can do it.
    pub fn is_available() -> bool {
        let available = install() && switch(ON);
        switch(OFF);
        available
    }

    /// Sends this thread's system calls to the handler where its byte says so; whether that worked.
    pub fn trap() -> bool {
        switch(ON)
    }

    /// Back to what is usual.
    pub fn untrap() {
        switch(OFF);
    }

    fn switch(on: c_ulong) -> bool {
        let start = kmidi_probe_signal_return as *const () as c_ulong;
        let (start, bytes, selector) = match on {
            ON => (start, RETURN_BYTES, state::selector()),
            _ => (0, 0, ptr::null_mut()),
        };
        // SAFETY: the byte lives as long as the thread, and the handler is there.
        unsafe { libc::prctl(PR_SET_SYSCALL_USER_DISPATCH, on, start, bytes, selector) == 0 }
    }

    /// What the kernel takes for a handler. libc's wrapper would put a way back of its own there.
    #[repr(C)]
    struct Action {
        handler: usize,
        flags: c_ulong,
        way_back: usize,
        mask: u64,
    }

    fn install() -> bool {
        const SA_RESTORER: c_int = 0x0400_0000;
        // On the stack of the thread: the one for signals may be too small to look at the calls from.
        let flags = libc::SA_SIGINFO | libc::SA_NODEFER | SA_RESTORER;
        let action = Action {
            handler: handle as *const () as usize,
            flags: flags as c_ulong,
            way_back: kmidi_probe_signal_return as *const () as usize,
            mask: 0,
        };
        let action = (&raw const action) as c_long;
        let [signal, size] = [libc::SIGSYS.into(), MASK_BYTES as c_long];
        // SAFETY: a valid action, of which the kernel takes a copy; the handler does only what one may.
        unsafe { call(libc::SYS_rt_sigaction, [signal, action, 0, size, 0, 0]) == 0 }
    }

    /// Makes a system call.
    ///
    /// # Safety
    /// What the call asks for.
    unsafe fn call(number: c_long, arguments: [c_long; 6]) -> c_long {
        let result;
        // SAFETY: it changes nothing else in the program; what it does is the caller's business.
        unsafe {
            asm!(
                "syscall",
                inlateout("rax") number => result,
                in("rdi") arguments[0],
                in("rsi") arguments[1],
                in("rdx") arguments[2],
                in("r10") arguments[3],
                in("r8") arguments[4],
                in("r9") arguments[5],
                lateout("rcx") _,
                lateout("r11") _,
            );
        }
        result
    }

    /// Counts a system call of the watched thread and does it.
    unsafe extern "C" fn handle(_: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
        // From here on system calls pass.
        let mut quiet = Quiet::new();
        // SAFETY: the kernel gives both, and nobody else has them.
        let (info, context) = unsafe { (&*info, &mut *context.cast::<libc::ucontext_t>()) };
        if info.si_code != SYS_USER_DISPATCH {
            return;
        }
        let registers = &mut context.uc_mcontext.gregs;
        let register = |name: c_int| registers[name as usize];
        let number = register(libc::REG_RAX);
        let arguments =
            [libc::REG_RDI, libc::REG_RSI, libc::REG_RDX, libc::REG_R10, libc::REG_R8, libc::REG_R9];
        let arguments = arguments.map(register);
        // Frames below the interrupted one are the handler's.
        let frame = register(libc::REG_RSP) as usize - 1;
        if let Some(recorder) = quiet.recorder() {
            recorder.note(What::System(number, system_calls::deed(number, arguments[1])), 0, frame);
        }
        if must_be_its_own(number) {
            // Once more, and this time it passes: the kernel must find the caller's stack and registers.
            quiet.let_pass();
            registers[libc::REG_RIP as usize] -= 2;
            return;
        }
        // SAFETY: what the plugin asked for.
        registers[libc::REG_RAX as usize] = unsafe { call(number, arguments) };
        if number == libc::SYS_rt_sigprocmask {
            keep_mask(context);
        }
    }

    /// Calls that cannot be made from elsewhere.
    fn must_be_its_own(number: c_long) -> bool {
        let calls = [
            libc::SYS_clone,
            libc::SYS_clone3,
            libc::SYS_fork,
            libc::SYS_vfork,
            libc::SYS_execve,
            libc::SYS_execveat,
            libc::SYS_exit,
            libc::SYS_exit_group,
            libc::SYS_rt_sigreturn,
            libc::SYS_sigaltstack,
        ];
        calls.contains(&number)
    }

    /// Makes the mask of signals that the plugin asked for outlast the handler, without the signal that this works by.
    fn keep_mask(context: &mut libc::ucontext_t) {
        let mask = &raw mut context.uc_sigmask;
        // SAFETY: the kernel writes so many bytes, of which the set of libc has more.
        unsafe {
            call(libc::SYS_rt_sigprocmask, [0, 0, mask as c_long, MASK_BYTES as c_long, 0, 0]);
            libc::sigdelset(mask, libc::SIGSYS);
        }
    }
}
