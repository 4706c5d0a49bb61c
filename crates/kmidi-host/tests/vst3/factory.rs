//! The factory of test plugins.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use vst3::Steinberg::Vst::IEditController;
use vst3::Steinberg::*;
use vst3::{Class, ComPtr, ComWrapper};

use super::component::component;
use super::controller::Controller;
use super::shared::{Life, Shared};
use super::{narrow, wide};

/// The class id of the controllers that are objects of their own.
pub const CONTROLLER_CLASS: TUID = [0x7f; 16];

/// The class id of the plugin with this number.
pub fn class(number: usize) -> TUID {
    let mut id = [0x10; 16];
    id[15] = number as c_char;
    id
}

/// A factory of plugins.
pub struct Factory(Vec<Arc<Shared>>);

impl Factory {
    /// Of plugins with these objects to share.
    pub fn of(plugins: &[Arc<Shared>]) -> ComPtr<IPluginFactory> {
        ComWrapper::new(Factory(plugins.to_vec())).to_com_ptr::<IPluginFactory>().unwrap()
    }
}

impl Class for Factory {
    type Interfaces = (IPluginFactory3,);
}

impl IPluginFactoryTrait for Factory {
    unsafe fn getFactoryInfo(&self, _info: *mut PFactoryInfo) -> tresult {
        kNotImplemented
    }
    unsafe fn countClasses(&self) -> int32 {
        match self.0.first() {
            Some(shared) if shared.config.is_hostile => i32::MAX,
            _ => self.0.len() as int32,
        }
    }
    unsafe fn getClassInfo(&self, index: int32, info: *mut PClassInfo) -> tresult {
        if index as usize >= self.0.len() {
            return kInvalidArgument;
        }
        let category = narrow("Audio Module Class");
        let found =
            PClassInfo { cid: class(index as usize), cardinality: i32::MAX, category, name: narrow("Old") };
        // SAFETY: the host gives room for it.
        unsafe { info.write(found) };
        kResultOk
    }
    unsafe fn createInstance(&self, cid: FIDString, _iid: FIDString, obj: *mut *mut c_void) -> tresult {
        // SAFETY: the host gives 16 bytes.
        let id = unsafe { *cid.cast::<TUID>() };
        let controlled = self.0.iter().find(|it| id == CONTROLLER_CLASS && it.config.is_separate);
        let found = (0..self.0.len()).find(|&at| class(at) == id).map(|at| &self.0[at]);
        let object: *mut c_void = match (controlled, found) {
            (Some(shared), _) => ComWrapper::new(Controller::new(shared.clone()))
                .to_com_ptr::<IEditController>()
                .unwrap()
                .into_raw()
                .cast(),
            (_, Some(shared)) if shared.config.is_broken => return kInternalError,
            (_, Some(shared)) => {
                shared.set_life(Life::Made);
                component(shared.clone()).into_raw().cast()
            }
            _ => return kInvalidArgument,
        };
        // SAFETY: the host gives room for it.
        unsafe { obj.write(object) };
        kResultOk
    }
}

impl IPluginFactory2Trait for Factory {
    unsafe fn getClassInfo2(&self, _index: int32, _info: *mut PClassInfo2) -> tresult {
        kNotImplemented
    }
}

impl IPluginFactory3Trait for Factory {
    unsafe fn getClassInfoUnicode(&self, index: int32, info: *mut PClassInfoW) -> tresult {
        let found = PClassInfoW {
            cid: class(index as usize),
            cardinality: i32::MAX,
            category: narrow("Audio Module Class"),
            name: if self.0[index as usize].config.is_hostile { [0x41; 64] } else { wide("Prüfling") },
            classFlags: 0,
            subCategories: narrow("Fx|Tools"),
            vendor: wide("KmiDi"),
            version: wide("1.2.3"),
            sdkVersion: wide("VST 3.7"),
        };
        // SAFETY: the host gives room for it.
        unsafe { info.write(found) };
        kResultOk
    }
    unsafe fn setHostContext(&self, context: *mut FUnknown) -> tresult {
        assert!(!context.is_null());
        kResultOk
    }
}
