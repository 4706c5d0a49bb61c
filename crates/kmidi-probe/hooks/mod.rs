//! Functions of libc as plugins find them: a program's own come before those of the libraries, so whatever a plugin calls
//! by these names comes here first. Each notes the call, if its thread is watched, and goes on to the real one.
//!
//! What a real one does itself is not counted again: one call of a plugin is one deed.

use std::ffi::{CStr, c_char, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

mod files;
#[cfg(target_arch = "x86_64")]
mod loading;
mod locks;
mod mapping;
pub mod memory;
#[cfg(target_arch = "x86_64")]
mod printing;
mod sockets;
mod streams;
mod system;
mod threads;
mod waits;

unsafe extern "C" {
    fn dlvsym(library: *mut c_void, name: *const c_char, version: *const c_char) -> *mut c_void;
}

/// A function that has a hook, and where the real one is.
pub struct Function {
    name: &'static CStr,
    address: AtomicPtr<c_void>,
}

impl Function {
    pub const fn new(name: &'static CStr) -> Self {
        Function { name, address: AtomicPtr::new(ptr::null_mut()) }
    }

    pub fn name(&self) -> &'static str {
        self.name.to_str().unwrap_or_default()
    }

    /// The real one. Looked up at the first call: hooks are called before `main` is.
    #[inline(always)]
    pub fn address(&self) -> *mut c_void {
        let address = self.address.load(Relaxed);
        if address.is_null() { self.find() } else { address }
    }

    #[cold]
    #[inline(never)]
    fn find(&self) -> *mut c_void {
        let address = next(self.name);
        if address.is_null() {
            // Whoever calls a function that libc does not have would not have been loaded without the hook.
            std::process::abort();
        }
        self.address.store(address, Relaxed);
        address
    }
}

/// What a name would mean if this program did not have it. Takes no memory.
fn next(name: &CStr) -> *mut c_void {
    // The conditions of old had other structures; their names still stand beside those of today.
    let newer = if name.to_bytes().starts_with(b"pthread_cond_") { Some(c"GLIBC_2.3.2") } else { None };
    let versioned = newer.map_or(ptr::null_mut(), |version| next_of_version(name, version));
    if !versioned.is_null() {
        return versioned;
    }
    static LOOK_UP: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
    let mut look_up = LOOK_UP.load(Relaxed);
    if look_up.is_null() {
        // The one by that name here is a hook.
        let versions = [c"GLIBC_2.34", c"GLIBC_2.17", c"GLIBC_2.2.5"];
        let found = versions.iter().map(|version| next_of_version(c"dlsym", version));
        look_up = found.into_iter().find(|it| !it.is_null()).unwrap_or_else(|| std::process::abort());
        LOOK_UP.store(look_up, Relaxed);
    }
    type LookUp = unsafe extern "C" fn(*mut c_void, *const c_char) -> *mut c_void;
    // SAFETY: it is libc's dlsym, which has this type.
    let look_up: LookUp = unsafe { std::mem::transmute(look_up) };
    // SAFETY: a name that ends with a zero.
    unsafe { look_up(libc::RTLD_NEXT, name.as_ptr()) }
}

fn next_of_version(name: &CStr, version: &CStr) -> *mut c_void {
    // SAFETY: both end with a zero.
    unsafe { dlvsym(libc::RTLD_NEXT, name.as_ptr(), version.as_ptr()) }
}

/// All that have a real one to be looked up.
pub fn all() -> Vec<&'static Function> {
    let families = [
        files::ALL,
        locks::ALL,
        mapping::ALL,
        sockets::ALL,
        streams::ALL,
        system::ALL,
        threads::ALL,
        waits::ALL,
        #[cfg(target_arch = "x86_64")]
        loading::ALL,
        #[cfg(target_arch = "x86_64")]
        printing::ALL,
    ];
    families.concat()
}

/// Looks all real ones up, so that no hook does while it is watched.
pub fn resolve() {
    for function in all() {
        function.address.store(next(function.name), Relaxed);
    }
}

/// A pointer that a hook only passes on.
type Pointer = *mut c_void;

/// Declares [`Function`]s by their names, and all of them as `ALL`.
macro_rules! functions {
    ($($name:ident)*) => {
        #[allow(non_upper_case_globals, reason = "they are called what the functions are called")]
        mod real {
            $(pub static $name: $crate::hooks::Function = {
                let name = concat!(stringify!($name), "\0").as_bytes();
                match std::ffi::CStr::from_bytes_with_nul(name) {
                    Ok(name) => $crate::hooks::Function::new(name),
                    Err(_) => panic!(),
                }
            };)*
        }
        pub(super) const ALL: &[&$crate::hooks::Function] = &[$(&real::$name),*];
    };
}
use functions;

/// The real function behind a hook, with a type.
macro_rules! real {
    ($name:ident: fn($($type:ty),*) $(-> $result:ty)?) => {{
        let address = real::$name.address();
        // SAFETY: it is the function of this name, whose type in C is this one.
        unsafe {
            std::mem::transmute::<
                *mut std::ffi::c_void,
                unsafe extern "C-unwind" fn($($type),*) $(-> $result)?,
            >(address)
        }
    }};
}
use real;

/// Defines hooks that count as one deed and pass on what they are given. A variadic function of C whose further
/// arguments are numbers and pointers can be passed on with as many as it ever has.
///
/// They let foreign exceptions through: glibc ends a thread that is cancelled in a wait by one.
macro_rules! hooks {
    ($deed:ident: $(fn $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        $crate::hooks::functions! { $($name)* }
        $(
            #[unsafe(no_mangle)]
            #[inline(never)]
            unsafe extern "C-unwind" fn $name($($argument: $type),*) $(-> $result)? {
                let next = $crate::hooks::real!($name: fn($($type),*) $(-> $result)?);
                let _quiet = $crate::state::tell(&real::$name, kmidi_host::certify::Deed::$deed);
                // SAFETY: what the caller gave.
                unsafe { next($($argument),*) }
            }
        )*
    };
}
use hooks;
