//! A stream of bytes in memory, through which plugins read and write their state.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;

use ::vst3::Steinberg::IBStream_::IStreamSeekMode_::{kIBSeekCur, kIBSeekEnd, kIBSeekSet};
use ::vst3::Steinberg::{
    IBStream, IBStreamTrait, int32, int64, kInvalidArgument, kOutOfMemory, kResultOk, tresult,
};
use ::vst3::{Class, ComWrapper};

use super::limits::MAX_STATE_BYTES;

/// Bytes and a place in them. Used by one thread at a time.
#[derive(Default)]
pub struct MemoryStream {
    bytes: RefCell<Vec<u8>>,
    place: Cell<usize>,
}

impl Class for MemoryStream {
    type Interfaces = (IBStream,);
}

/// Lets `use_it` read from these bytes.
pub fn reading<R>(bytes: &[u8], use_it: impl FnOnce(*mut IBStream) -> R) -> R {
    let stream = MemoryStream { bytes: RefCell::new(bytes.to_vec()), place: Cell::new(0) };
    with_pointer(&ComWrapper::new(stream), use_it)
}

/// Lets `use_it` write; gives what it says and the bytes.
pub fn writing<R>(use_it: impl FnOnce(*mut IBStream) -> R) -> (R, Vec<u8>) {
    let stream = ComWrapper::new(MemoryStream::default());
    let said = with_pointer(&stream, use_it);
    let bytes = stream.bytes.take();
    (said, bytes)
}

fn with_pointer<R>(stream: &ComWrapper<MemoryStream>, use_it: impl FnOnce(*mut IBStream) -> R) -> R {
    use_it(stream.as_com_ref::<IBStream>().map_or(std::ptr::null_mut(), |it| it.as_ptr()))
}

impl IBStreamTrait for MemoryStream {
    unsafe fn read(&self, buffer: *mut c_void, num_bytes: int32, num_bytes_read: *mut int32) -> tresult {
        let bytes = self.bytes.borrow();
        let rest = bytes.get(self.place.get()..).unwrap_or_default();
        let Ok(wanted) = usize::try_from(num_bytes) else { return kInvalidArgument };
        if buffer.is_null() && wanted > 0 {
            return kInvalidArgument;
        }
        let len = rest.len().min(wanted);
        if len > 0 {
            // SAFETY: not null, the plugin gives room for `num_bytes`, and `len` is no more than that or than `rest` has.
            unsafe { std::ptr::copy_nonoverlapping(rest.as_ptr(), buffer.cast(), len) };
        }
        self.place.set(self.place.get() + len);
        if !num_bytes_read.is_null() {
            // SAFETY: not null; the plugin gives room for the number.
            unsafe { num_bytes_read.write(len as int32) };
        }
        kResultOk
    }

    unsafe fn write(&self, buffer: *mut c_void, num_bytes: int32, num_bytes_written: *mut int32) -> tresult {
        let Ok(len) = usize::try_from(num_bytes) else { return kInvalidArgument };
        if buffer.is_null() && len > 0 {
            return kInvalidArgument;
        }
        let start = self.place.get();
        let end = start.saturating_add(len);
        if end > MAX_STATE_BYTES {
            return kOutOfMemory;
        }
        if len > 0 {
            // SAFETY: not null, and the plugin gives `num_bytes` bytes.
            let given = unsafe { std::slice::from_raw_parts(buffer.cast::<u8>(), len) };
            let mut bytes = self.bytes.borrow_mut();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[start..end].copy_from_slice(given);
        }
        self.place.set(end);
        if !num_bytes_written.is_null() {
            // SAFETY: not null; the plugin gives room for the number.
            unsafe { num_bytes_written.write(num_bytes) };
        }
        kResultOk
    }

    unsafe fn seek(&self, pos: int64, mode: int32, result: *mut int64) -> tresult {
        let from = match mode as u32 {
            kIBSeekSet => 0,
            kIBSeekCur => self.place.get(),
            kIBSeekEnd => self.bytes.borrow().len(),
            _ => return kInvalidArgument,
        };
        let place = (from as int64).saturating_add(pos);
        if !(0..=MAX_STATE_BYTES as int64).contains(&place) {
            return kInvalidArgument;
        }
        self.place.set(place as usize);
        if !result.is_null() {
            // SAFETY: not null; the plugin gives room for the number.
            unsafe { result.write(place) };
        }
        kResultOk
    }

    unsafe fn tell(&self, pos: *mut int64) -> tresult {
        if pos.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: not null; the plugin gives room for the number.
        unsafe { pos.write(self.place.get() as int64) };
        kResultOk
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stream: &MemoryStream, len: i32) -> (tresult, Vec<u8>) {
        let mut buffer = vec![0u8; len.max(0) as usize];
        let mut done = 0;
        // SAFETY: the buffer has the length that is told.
        let result = unsafe { stream.read(buffer.as_mut_ptr().cast(), len, &mut done) };
        buffer.truncate(done as usize);
        (result, buffer)
    }

    fn write(stream: &MemoryStream, bytes: &[u8]) -> tresult {
        // SAFETY: the bytes have the length that is told.
        unsafe { stream.write(bytes.as_ptr().cast_mut().cast(), bytes.len() as i32, std::ptr::null_mut()) }
    }

    #[test]
    fn seeking_and_writing_over_an_end_keep_the_bytes_between() {
        let stream = MemoryStream::default();
        assert_eq!(write(&stream, b"abcdef"), kResultOk);
        let mut at = 0;
        // SAFETY: the result has room.
        unsafe {
            assert_eq!(stream.seek(-2, kIBSeekEnd as i32, &mut at), kResultOk);
            assert_eq!(at, 4);
            assert_eq!(write(&stream, b"XYZ"), kResultOk);
            assert_eq!(stream.seek(2, kIBSeekEnd as i32, &mut at), kResultOk);
            assert_eq!(write(&stream, b"!"), kResultOk);
            assert_eq!(stream.seek(0, kIBSeekSet as i32, &mut at), kResultOk);
        }
        assert_eq!(read(&stream, 100), (kResultOk, b"abcdXYZ\0\0!".to_vec()));
        assert_eq!(read(&stream, 100), (kResultOk, Vec::new()));
    }

    #[test]
    fn absurd_places_and_lengths_are_refused_without_an_allocation_of_their_size() {
        let stream = MemoryStream::default();
        // SAFETY: null pointers are allowed where a result is not wanted.
        unsafe {
            for (pos, mode) in
                [(-1, 0), (i64::MAX, 1), (i64::MIN, 2), (MAX_STATE_BYTES as i64 + 1, 0), (0, 9)]
            {
                assert_eq!(stream.seek(pos, mode, std::ptr::null_mut()), kInvalidArgument);
            }
            assert_eq!(stream.read(std::ptr::null_mut(), 4, std::ptr::null_mut()), kInvalidArgument);
            assert_eq!(stream.write(std::ptr::null_mut(), 4, std::ptr::null_mut()), kInvalidArgument);
            assert_eq!(stream.write(std::ptr::null_mut(), -4, std::ptr::null_mut()), kInvalidArgument);
            assert_eq!(stream.tell(std::ptr::null_mut()), kInvalidArgument);
            assert_eq!(stream.seek(MAX_STATE_BYTES as i64, 0, std::ptr::null_mut()), kResultOk);
        }
        assert_eq!(write(&stream, b"x"), kOutOfMemory);
        assert_eq!(read(&stream, 4), (kResultOk, Vec::new()));
    }
}
