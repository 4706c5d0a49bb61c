//! What the host is to a plugin.

use std::ffi::c_void;
use std::sync::OnceLock;

use ::vst3::Steinberg::Vst::{
    IAttributeList, IAudioProcessor, IComponent, IConnectionPoint, IEditController, IHostApplication,
    IHostApplicationTrait, IMessage, IMidiMapping, IPlugInterfaceSupport, IPlugInterfaceSupportTrait,
    IUnitInfo, String128,
};
use ::vst3::Steinberg::{
    FUnknown, TUID, kInvalidArgument, kNotImplemented, kResultFalse, kResultOk, tresult,
};
use ::vst3::{Class, ComWrapper, Interface};

use super::message::{AttributeList, Message};
use super::text::to_utf16;
use crate::role::is_audio_thread;

/// Name that plugins are told.
const NAME: &str = "KmiDi";

/// The host as plugins see it. It has no state: one serves all.
struct Host;

impl Class for Host {
    type Interfaces = (IHostApplication, IPlugInterfaceSupport);
}

/// The host's object. It is never dropped, for some plugins keep the pointer without a reference.
pub fn host_context() -> *mut FUnknown {
    static HOST: OnceLock<ComWrapper<Host>> = OnceLock::new();
    let host = HOST.get_or_init(|| ComWrapper::new(Host)).as_com_ref::<IHostApplication>();
    host.map_or(std::ptr::null_mut(), |host| host.as_ptr().cast())
}

impl IHostApplicationTrait for Host {
    unsafe fn getName(&self, name: *mut String128) -> tresult {
        if name.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: not null, and the plugin gives room for a whole `String128`.
        unsafe { name.write(to_utf16(NAME)) };
        kResultOk
    }

    unsafe fn createInstance(&self, cid: *mut TUID, _iid: *mut TUID, obj: *mut *mut c_void) -> tresult {
        if cid.is_null() || obj.is_null() {
            return kInvalidArgument;
        }
        // Messages take memory and run the controller's code: VST3 keeps them off the audio thread, not every plugin does.
        if is_audio_thread() {
            return kResultFalse;
        }
        // SAFETY: not null; a class id is 16 bytes.
        let class = unsafe { *cid }.map(|byte| byte as u8);
        let object: *mut c_void = if class == IMessage::IID {
            ComWrapper::new(Message::default()).to_com_ptr::<IMessage>().map(|it| it.into_raw().cast())
        } else if class == IAttributeList::IID {
            ComWrapper::new(AttributeList::default())
                .to_com_ptr::<IAttributeList>()
                .map(|it| it.into_raw().cast())
        } else {
            None
        }
        .unwrap_or(std::ptr::null_mut());
        // SAFETY: not null; the plugin gives room for a pointer.
        unsafe { obj.write(object) };
        if object.is_null() { kNotImplemented } else { kResultOk }
    }
}

impl IPlugInterfaceSupportTrait for Host {
    unsafe fn isPlugInterfaceSupported(&self, iid: *const TUID) -> tresult {
        if iid.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: not null; an interface id is 16 bytes.
        let id = unsafe { *iid }.map(|byte| byte as u8);
        let known = [
            IComponent::IID,
            IAudioProcessor::IID,
            IEditController::IID,
            IConnectionPoint::IID,
            IUnitInfo::IID,
            IMidiMapping::IID,
        ];
        if known.contains(&id) { kResultOk } else { kResultFalse }
    }
}
