//! Messages between a plugin's two objects: made by the host, filled and read by the plugin.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{CString, c_void};

use ::vst3::Steinberg::Vst::IAttributeList_::AttrID;
use ::vst3::Steinberg::Vst::{IAttributeList, IAttributeListTrait, IMessage, IMessageTrait, TChar};
use ::vst3::Steinberg::{
    FIDString, int64, kInvalidArgument, kOutOfMemory, kResultFalse, kResultOk, tresult, uint32,
};
use ::vst3::{Class, ComWrapper};

use super::limits::{MAX_ATTRIBUTE_BYTES, MAX_ATTRIBUTES, MAX_NAME_BYTES};
use super::text::c_string;

enum Value {
    Int(i64),
    Float(f64),
    /// With a NUL at the end.
    Text(Vec<TChar>),
    Binary(Vec<u8>),
}

/// Named values. Used by one thread at a time, as VST3 has it.
#[derive(Default)]
pub struct AttributeList {
    values: RefCell<BTreeMap<Vec<u8>, Value>>,
}

impl Class for AttributeList {
    type Interfaces = (IAttributeList,);
}

impl AttributeList {
    /// # Safety
    /// `id` is null or a C string.
    unsafe fn set(&self, id: AttrID, value: Value) -> tresult {
        // SAFETY: the caller's promise.
        let Some(name) = (unsafe { c_string(id, MAX_NAME_BYTES) }) else { return kInvalidArgument };
        let mut values = self.values.borrow_mut();
        if values.len() >= MAX_ATTRIBUTES && !values.contains_key(&name) {
            return kOutOfMemory;
        }
        values.insert(name, value);
        kResultOk
    }

    /// # Safety
    /// `id` is null or a C string.
    unsafe fn get(&self, id: AttrID, read: impl FnOnce(&Value) -> Option<()>) -> tresult {
        // SAFETY: the caller's promise.
        let Some(name) = (unsafe { c_string(id, MAX_NAME_BYTES) }) else { return kInvalidArgument };
        match self.values.borrow().get(&name).and_then(read) {
            Some(()) => kResultOk,
            None => kResultFalse,
        }
    }
}

impl IAttributeListTrait for AttributeList {
    unsafe fn setInt(&self, id: AttrID, value: int64) -> tresult {
        // SAFETY: the plugin gives a C string.
        unsafe { self.set(id, Value::Int(value)) }
    }

    unsafe fn getInt(&self, id: AttrID, value: *mut int64) -> tresult {
        let read = |it: &Value| match it {
            Value::Int(int) if !value.is_null() => {
                // SAFETY: not null; the plugin gives room for the number.
                unsafe { value.write(*int) };
                Some(())
            }
            _ => None,
        };
        // SAFETY: the plugin gives a C string.
        unsafe { self.get(id, read) }
    }

    unsafe fn setFloat(&self, id: AttrID, value: f64) -> tresult {
        // SAFETY: the plugin gives a C string.
        unsafe { self.set(id, Value::Float(value)) }
    }

    unsafe fn getFloat(&self, id: AttrID, value: *mut f64) -> tresult {
        let read = |it: &Value| match it {
            Value::Float(float) if !value.is_null() => {
                // SAFETY: not null; the plugin gives room for the number.
                unsafe { value.write(*float) };
                Some(())
            }
            _ => None,
        };
        // SAFETY: the plugin gives a C string.
        unsafe { self.get(id, read) }
    }

    unsafe fn setString(&self, id: AttrID, string: *const TChar) -> tresult {
        if string.is_null() {
            return kInvalidArgument;
        }
        let longest = MAX_ATTRIBUTE_BYTES / size_of::<TChar>();
        // SAFETY: not null; the plugin gives a text with a NUL, at which reading stops.
        let units = (0..longest).map(|at| unsafe { *string.add(at) });
        let mut text: Vec<TChar> = units.take_while(|&unit| unit != 0).collect();
        text.push(0);
        // SAFETY: the plugin gives a C string.
        unsafe { self.set(id, Value::Text(text)) }
    }

    unsafe fn getString(&self, id: AttrID, string: *mut TChar, size_in_bytes: uint32) -> tresult {
        let room = size_in_bytes as usize / size_of::<TChar>();
        let read = |it: &Value| match it {
            Value::Text(text) if !string.is_null() && room > 0 => {
                let len = text.len().min(room);
                // SAFETY: not null, and the plugin gives room for `room` units.
                unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), string, len) };
                // SAFETY: `len` is at least 1 and at most `room`.
                unsafe { string.add(len - 1).write(0) };
                Some(())
            }
            _ => None,
        };
        // SAFETY: the plugin gives a C string.
        unsafe { self.get(id, read) }
    }

    unsafe fn setBinary(&self, id: AttrID, data: *const c_void, size_in_bytes: uint32) -> tresult {
        let size = size_in_bytes as usize;
        if (data.is_null() && size > 0) || size > MAX_ATTRIBUTE_BYTES {
            return kInvalidArgument;
        }
        let bytes = match size {
            0 => Vec::new(),
            // SAFETY: not null, and the plugin gives `size` bytes.
            _ => unsafe { std::slice::from_raw_parts(data.cast::<u8>(), size) }.to_vec(),
        };
        // SAFETY: the plugin gives a C string.
        unsafe { self.set(id, Value::Binary(bytes)) }
    }

    unsafe fn getBinary(&self, id: AttrID, data: *mut *const c_void, size_in_bytes: *mut uint32) -> tresult {
        let read = |it: &Value| match it {
            Value::Binary(bytes) if !data.is_null() && !size_in_bytes.is_null() => {
                // SAFETY: not null; the bytes stay where they are until the attribute is set anew.
                unsafe { data.write(bytes.as_ptr().cast()) };
                // SAFETY: not null.
                unsafe { size_in_bytes.write(bytes.len() as uint32) };
                Some(())
            }
            _ => None,
        };
        // SAFETY: the plugin gives a C string.
        unsafe { self.get(id, read) }
    }
}

/// A message: a name and attributes.
pub struct Message {
    name: RefCell<CString>,
    attributes: ComWrapper<AttributeList>,
}

impl Default for Message {
    fn default() -> Self {
        Message { name: RefCell::default(), attributes: ComWrapper::new(AttributeList::default()) }
    }
}

impl Class for Message {
    type Interfaces = (IMessage,);
}

impl IMessageTrait for Message {
    unsafe fn getMessageID(&self) -> FIDString {
        self.name.borrow().as_ptr()
    }

    unsafe fn setMessageID(&self, id: FIDString) {
        // SAFETY: the plugin gives a C string or null.
        let name = unsafe { c_string(id, MAX_NAME_BYTES) }.unwrap_or_default();
        *self.name.borrow_mut() = CString::new(name).unwrap_or_default();
    }

    unsafe fn getAttributes(&self) -> *mut IAttributeList {
        // Without a reference of its own: it lives as long as the message.
        self.attributes.as_com_ref::<IAttributeList>().map_or(std::ptr::null_mut(), |list| list.as_ptr())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_keep_their_type_and_a_text_is_cut_to_the_room_with_its_nul() {
        let list = AttributeList::default();
        let name = c"a".as_ptr();
        let mut int = 0;
        let mut float = 0.0;
        // SAFETY: every pointer is valid for what the call reads or writes.
        unsafe {
            assert_eq!(list.getInt(name, &mut int), kResultFalse);
            assert_eq!(list.setInt(name, 7), kResultOk);
            assert_eq!((list.getInt(name, &mut int), int), (kResultOk, 7));
            assert_eq!(list.getFloat(name, &mut float), kResultFalse);
            assert_eq!(list.setString(name, [72, 101, 108, 108, 111, 0].as_ptr()), kResultOk);
            let mut text = [9; 4];
            assert_eq!(list.getString(name, text.as_mut_ptr(), 6), kResultOk);
            assert_eq!(text, [72, 101, 0, 9]);
            assert_eq!(list.setInt(std::ptr::null(), 1), kInvalidArgument);
            assert_eq!(list.getInt(name, std::ptr::null_mut()), kResultFalse);
        }
    }

    #[test]
    fn a_flood_of_attributes_is_refused() {
        let list = AttributeList::default();
        for at in 0..MAX_ATTRIBUTES + 10 {
            let name = CString::new(at.to_string()).unwrap();
            // SAFETY: the name is a C string.
            let result = unsafe { list.setInt(name.as_ptr(), 0) };
            assert_eq!(result == kResultOk, at < MAX_ATTRIBUTES);
        }
    }
}
