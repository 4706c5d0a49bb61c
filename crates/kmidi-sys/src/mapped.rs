use std::fs::File;
use std::io;
use std::ops::Deref;
use std::os::fd::AsRawFd;
use std::ptr::NonNull;

/// The first bytes of a file, as memory that the kernel fills when it is looked at. `[side B]`
///
/// For files that are replaced as a whole (by a rename) and never written in place: what is mapped stays as it was then,
/// whatever takes its name. Whoever cuts such a file short while it is mapped ends the process with a signal.
#[derive(Debug)]
pub struct MappedFile {
    start: NonNull<libc::c_void>,
    len: usize,
}

// SAFETY: it owns its mapping, which is only read.
unsafe impl Send for MappedFile {}
// SAFETY: the mapping is only read.
unsafe impl Sync for MappedFile {}

impl MappedFile {
    /// Maps the first `len` bytes of `file`, which can be closed then.
    ///
    /// # Errors
    /// `UnexpectedEof` where the file is shorter, `InvalidInput` where `len` is 0; what the system answers otherwise.
    pub fn new(file: &File, len: usize) -> io::Result<Self> {
        if len == 0 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        if file.metadata()?.len() < len as u64 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // SAFETY: a new mapping at an address of the kernel's choice overlaps nothing that there is.
        let start = unsafe {
            libc::mmap(std::ptr::null_mut(), len, libc::PROT_READ, libc::MAP_SHARED, file.as_raw_fd(), 0)
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start).ok_or_else(|| io::Error::other("mapped at address 0"))?;
        Ok(MappedFile { start, len })
    }

    /// Bytes of it that are in memory now, in whole pages: an upper bound of what it costs this process, as pages that
    /// others have brought in count too.
    ///
    /// # Errors
    /// Of the system.
    pub fn resident_bytes(&self) -> io::Result<u64> {
        let page = page_bytes();
        let mut pages = vec![0u8; self.len.div_ceil(page)];
        // SAFETY: the range is mapped as long as `self` is there, and `pages` has a byte for each of its pages.
        let result = unsafe { libc::mincore(self.start.as_ptr(), self.len, pages.as_mut_ptr().cast()) };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(pages.iter().filter(|page| **page & 1 != 0).count() as u64 * page as u64)
    }
}

impl Deref for MappedFile {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: `len` bytes are mapped for reading as long as `self` is there; the file is not written in place.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().cast(), self.len) }
    }
}

impl Drop for MappedFile {
    fn drop(&mut self) {
        // SAFETY: the mapping is this one's own, and nothing that was lent of it is left.
        let result = unsafe { libc::munmap(self.start.as_ptr(), self.len) };
        debug_assert_eq!(result, 0);
    }
}

fn page_bytes() -> usize {
    // SAFETY: asks for a constant of the system.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn what_is_mapped_is_the_file_also_when_another_has_taken_its_name() {
        let folder = std::env::temp_dir().join(format!("kmidi-mapped-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("a");
        File::create(&path).unwrap().write_all(&[7; 10_000]).unwrap();
        let file = File::open(&path).unwrap();
        let mapped = MappedFile::new(&file, 9_999).unwrap();
        std::fs::write(folder.join("b"), [1; 4]).unwrap();
        std::fs::rename(folder.join("b"), &path).unwrap();
        assert!(mapped.len() == 9_999 && mapped.iter().all(|byte| *byte == 7));
        assert_eq!(mapped.resident_bytes().unwrap(), 3 * 4096);
        let error = |len| MappedFile::new(&file, len).unwrap_err().kind();
        assert_eq!((error(0), error(10_001)), (io::ErrorKind::InvalidInput, io::ErrorKind::UnexpectedEof));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
