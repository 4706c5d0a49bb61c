//! The factory of a module: which classes it has, and instances of them.

use std::mem::zeroed;
use std::path::PathBuf;
use std::sync::Arc;

use ::vst3::Steinberg::{
    IPluginFactory, IPluginFactory2, IPluginFactory2Trait as _, IPluginFactory3, IPluginFactory3Trait as _,
    IPluginFactoryTrait as _, PClassInfo, PClassInfo2, PClassInfoW, PFactoryInfo, TUID, kResultOk, tresult,
};
use ::vst3::{ComPtr, Interface};

use super::host::host_context;
use super::limits::MAX_CLASSES;
use super::module::Module;
use super::text::{from_bytes, from_utf16};

/// The category of classes that are plugins; the others are controllers and helpers.
const AUDIO_CLASS: &str = "Audio Module Class";

/// What a factory says of a class.
#[derive(Clone)]
pub struct ClassInfo {
    pub id: TUID,
    pub name: String,
    pub sub_categories: String,
    pub vendor: String,
    pub version: String,
}

/// A factory, and where it is from.
pub struct Factory {
    // Before the module: it is released first.
    com: ComPtr<IPluginFactory>,
    /// The module it is in; none if it is linked in.
    pub module: Option<Arc<Module>>,
    /// The file or bundle folder; empty if it is linked in.
    pub path: PathBuf,
}

impl Factory {
    /// A factory, told who the host is.
    pub fn new(com: ComPtr<IPluginFactory>, module: Option<Arc<Module>>, path: PathBuf) -> Self {
        if let Some(third) = com.cast::<IPluginFactory3>() {
            // SAFETY: the context is a valid object that is never dropped.
            unsafe { third.setHostContext(host_context()) };
        }
        Factory { com, module, path }
    }

    /// Its plugins. A class of which it says nothing is left out.
    pub fn audio_classes(&self) -> Vec<ClassInfo> {
        // SAFETY: a plain call of a live object.
        let count = unsafe { self.com.countClasses() };
        let count = usize::try_from(count).unwrap_or(0).min(MAX_CLASSES) as i32;
        (0..count).filter_map(|index| self.audio_class(index)).collect()
    }

    fn audio_class(&self, index: i32) -> Option<ClassInfo> {
        // SAFETY: a plain C struct of numbers and text, for which all zero is valid.
        let mut first: PClassInfo = unsafe { zeroed() };
        // SAFETY: the struct outlives the call.
        if unsafe { self.com.getClassInfo(index, &mut first) } != kResultOk
            || from_bytes(&first.category) != AUDIO_CLASS
        {
            return None;
        }
        let mut class = ClassInfo {
            id: first.cid,
            name: from_bytes(&first.name),
            sub_categories: String::new(),
            vendor: String::new(),
            version: String::new(),
        };
        self.read_second(index, &mut class);
        self.read_unicode(index, &mut class);
        if class.vendor.is_empty() {
            class.vendor = self.vendor();
        }
        Some(class)
    }

    fn read_second(&self, index: i32, class: &mut ClassInfo) {
        let Some(factory) = self.com.cast::<IPluginFactory2>() else { return };
        // SAFETY: as for `PClassInfo`.
        let mut info: PClassInfo2 = unsafe { zeroed() };
        // SAFETY: the struct outlives the call.
        if unsafe { factory.getClassInfo2(index, &mut info) } == kResultOk && info.cid == class.id {
            class.sub_categories = from_bytes(&info.subCategories);
            class.vendor = from_bytes(&info.vendor);
            class.version = from_bytes(&info.version);
        }
    }

    fn read_unicode(&self, index: i32, class: &mut ClassInfo) {
        let Some(factory) = self.com.cast::<IPluginFactory3>() else { return };
        // SAFETY: as for `PClassInfo`.
        let mut info: PClassInfoW = unsafe { zeroed() };
        // SAFETY: the struct outlives the call.
        if unsafe { factory.getClassInfoUnicode(index, &mut info) } != kResultOk || info.cid != class.id {
            return;
        }
        let better = [
            (&mut class.name, from_utf16(&info.name)),
            (&mut class.sub_categories, from_bytes(&info.subCategories)),
            (&mut class.vendor, from_utf16(&info.vendor)),
            (&mut class.version, from_utf16(&info.version)),
        ];
        for (field, text) in better {
            if !text.is_empty() {
                *field = text;
            }
        }
    }

    fn vendor(&self) -> String {
        // SAFETY: as for `PClassInfo`.
        let mut info: PFactoryInfo = unsafe { zeroed() };
        // SAFETY: the struct outlives the call.
        match unsafe { self.com.getFactoryInfo(&mut info) } {
            kResultOk => from_bytes(&info.vendor),
            _ => String::new(),
        }
    }

    /// A new object of a class.
    pub fn create<I: Interface>(&self, class: &TUID) -> Result<ComPtr<I>, tresult> {
        let mut object = std::ptr::null_mut();
        // SAFETY: both ids are 16 bytes that outlive the call, and so does `object`.
        let result = unsafe { self.com.createInstance(class.as_ptr(), I::IID.as_ptr().cast(), &mut object) };
        if result != kResultOk {
            return Err(result);
        }
        // SAFETY: the factory says that it is an object of the interface that was asked for, with a reference of ours.
        unsafe { ComPtr::from_raw(object.cast::<I>()) }.ok_or(result)
    }
}
