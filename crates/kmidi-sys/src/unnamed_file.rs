use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// A new file in `folder` that has no name: when the process ends before
/// [`name_file`], however it ends, nothing of it stays.
///
/// # Errors
/// `Unsupported` or another error of the system where the file system cannot do it.
#[cfg(target_os = "linux")]
pub fn create_unnamed(folder: &Path) -> io::Result<File> {
    File::options().read(true).write(true).mode(0o666).custom_flags(libc::O_TMPFILE).open(folder)
}

/// Gives a file of [`create_unnamed`] its name. Needs `/proc`.
///
/// # Errors
/// `AlreadyExists` if the name is taken; what the system call answers otherwise.
#[cfg(target_os = "linux")]
pub fn name_file(file: &File, name: &Path) -> io::Result<()> {
    let descriptor = format!("/proc/self/fd/{}", file.as_raw_fd());
    let descriptor = CString::new(descriptor).expect("digits hold no zero byte");
    let name = CString::new(name.as_os_str().as_bytes())?;
    // SAFETY: both names are terminated strings that live over the call.
    let result = unsafe {
        libc::linkat(
            libc::AT_FDCWD,
            descriptor.as_ptr(),
            libc::AT_FDCWD,
            name.as_ptr(),
            libc::AT_SYMLINK_FOLLOW,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_appears_only_when_it_is_named() {
        let folder = std::env::temp_dir().join(format!("kmidi-unnamed-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let mut file = create_unnamed(&folder).unwrap();
        file.write_all(b"whole").unwrap();
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        name_file(&file, &folder.join("a")).unwrap();
        assert_eq!(std::fs::read(folder.join("a")).unwrap(), b"whole");
        let again = name_file(&file, &folder.join("a")).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
