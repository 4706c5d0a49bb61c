//! The controller of the test plugin: an object of its own, or a part of the component.

use std::ffi::c_char;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use vst3::Steinberg::Vst::ParameterInfo_::ParameterFlags_::{
    kCanAutomate, kIsBypass, kIsHidden, kIsList, kIsProgramChange, kIsReadOnly,
};
use vst3::Steinberg::Vst::*;
use vst3::Steinberg::*;
use vst3::{Class, ComPtr, ComRef};

use super::shared::{GAIN, LATENCY, Life, METER, MIDI, MODE, Numbers, PROGRAM, Shared};
use super::wide;

/// What both kinds of controller do.
pub struct Editor(pub Arc<Shared>);

const SHOWN: [u32; 5] = [GAIN, METER, LATENCY, PROGRAM, MODE];
const ALIVE: [Life; 4] = [Life::Initialised, Life::SetUp, Life::Active, Life::Processing];

impl Editor {
    fn shared(&self) -> &Shared {
        &self.0
    }

    pub fn count(&self) -> i32 {
        self.0.on_main("getParameterCount", &ALIVE);
        match (self.0.config.is_hostile, self.0.config.maps_midi) {
            (true, _) => i32::MAX,
            (_, true) => SHOWN.len() as i32 + 16 * 130,
            _ => SHOWN.len() as i32,
        }
    }

    pub fn info(&self, index: i32) -> Option<ParameterInfo> {
        let blank = ParameterInfo {
            id: 0,
            title: [0; 128],
            shortTitle: [0; 128],
            units: [0; 128],
            stepCount: 0,
            defaultNormalizedValue: 0.0,
            unitId: 0,
            flags: kCanAutomate,
        };
        if self.0.config.is_hostile {
            return self.hostile(blank, index);
        }
        let at = usize::try_from(index).ok()?;
        let Some(&id) = SHOWN.get(at) else {
            let id = MIDI + (at - SHOWN.len()) as u32;
            return Some(ParameterInfo { id, title: wide("MIDI"), ..blank });
        };
        let info = ParameterInfo { id, ..blank };
        Some(match id {
            GAIN => ParameterInfo {
                title: wide("Gain"),
                units: wide("dB"),
                defaultNormalizedValue: 1.0,
                unitId: 2,
                ..info
            },
            METER => ParameterInfo { title: wide("Meter"), flags: kIsReadOnly, ..info },
            LATENCY => ParameterInfo { title: wide("Latency"), flags: kCanAutomate | kIsHidden, ..info },
            PROGRAM => ParameterInfo {
                title: wide("Program"),
                stepCount: 9,
                flags: kIsProgramChange | kIsList,
                unitId: 1,
                ..info
            },
            _ => ParameterInfo { title: wide("Gain"), stepCount: 1, flags: kCanAutomate | kIsBypass, ..info },
        })
    }

    fn hostile(&self, blank: ParameterInfo, index: i32) -> Option<ParameterInfo> {
        let flags = [-1, 0, i32::MIN, kIsList, kIsProgramChange][index as usize % 5];
        (index % 3 != 0).then_some(ParameterInfo {
            id: index as u32 % 5000,
            title: [0xd800; 128],
            units: [7; 128],
            stepCount: [i32::MIN, -1, 2, 63, i32::MAX][index as usize % 5],
            defaultNormalizedValue: [f64::NAN, f64::INFINITY, -5.0][index as usize % 3],
            unitId: index % 7 - 3,
            flags,
            ..blank
        })
    }

    pub fn value(&self, id: u32) -> f64 {
        match id {
            _ if self.0.config.is_hostile => f64::NAN,
            GAIN => f64::from_bits(self.0.shown_gain.load(SeqCst)),
            PROGRAM => f64::from_bits(self.0.shown_program.load(SeqCst)),
            METER => f64::from_bits(self.0.shown_meter.load(SeqCst)),
            _ => 0.0,
        }
    }

    pub fn set_value(&self, id: u32, value: f64) {
        self.0.on_main("setParamNormalized", &ALIVE);
        match id {
            GAIN => self.0.shown_gain.store(value.to_bits(), SeqCst),
            PROGRAM => self.0.shown_program.store(value.to_bits(), SeqCst),
            METER => self.0.shown_meter.store(value.to_bits(), SeqCst),
            MIDI.. => self.0.violate(format!("the controller is told of stand-in {id}")),
            _ => {}
        }
    }

    pub fn text(&self, id: u32, value: f64) -> String {
        match id {
            GAIN => format!("{:.1}", value * 60.0 - 60.0),
            PROGRAM => format!("Program {}", (value * 9.0).round()),
            _ => format!("{value}"),
        }
    }

    pub fn plain(&self, id: u32, value: f64) -> f64 {
        self.0.on_main("normalizedParamToPlain", &ALIVE);
        match (self.0.config.numbers, id) {
            _ if self.0.config.is_hostile => [f64::NAN, f64::INFINITY, 1e308][id as usize % 3],
            (Numbers::Straight, GAIN) => value * 60.0 - 60.0,
            // Between two steps the lower one counts, as VST3 says.
            (Numbers::Straight, PROGRAM) => 1.0 + (value * 10.0).floor().min(9.0),
            (Numbers::Curved, GAIN) => value * value * 60.0 - 60.0,
            (Numbers::Reversed, GAIN) => -60.0 * value,
            _ => value,
        }
    }

    pub fn normalised(&self, id: u32, plain: f64) -> f64 {
        self.0.on_main("plainParamToNormalized", &ALIVE);
        match (self.0.config.numbers, id) {
            _ if self.0.config.is_hostile => f64::NAN,
            (Numbers::Disagree, _) => plain / 10.0,
            (Numbers::Straight, GAIN) => (plain + 60.0) / 60.0,
            (Numbers::Straight, PROGRAM) => (plain - 1.0) / 9.0,
            (Numbers::Curved, GAIN) => ((plain + 60.0) / 60.0).sqrt(),
            (Numbers::Reversed, GAIN) => plain / -60.0,
            _ => plain,
        }
    }

    pub fn read_component_state(&self, stream: *mut IBStream) -> tresult {
        self.0.on_main("setComponentState", &ALIVE);
        match read_number(stream) {
            Some(gain) => self.0.shown_gain.store(gain.to_bits(), SeqCst),
            None => return kResultFalse,
        }
        kResultOk
    }

    pub fn unit(&self, index: i32) -> Option<UnitInfo> {
        let unit = |id, parent, name: &str, list| UnitInfo {
            id,
            parentUnitId: parent,
            name: wide(name),
            programListId: list,
        };
        match index {
            // A circle.
            _ if self.0.config.is_hostile => Some(unit(index % 4, (index + 1) % 4, "x", index)),
            0 => Some(unit(0, -1, "Root", -1)),
            1 => Some(unit(1, 0, "Part", 7)),
            2 => Some(unit(2, 1, "Output", -1)),
            _ => None,
        }
    }
}

pub fn read_number(stream: *mut IBStream) -> Option<f64> {
    // SAFETY: null or a stream that outlives the call.
    let stream = unsafe { ComRef::from_raw(stream) }?;
    let mut bytes = [0u8; 8];
    let mut read = 0;
    // SAFETY: there is room for eight bytes.
    unsafe { stream.read(bytes.as_mut_ptr().cast(), 8, &mut read) };
    (read == 8).then(|| f64::from_le_bytes(bytes))
}

pub fn write_number(stream: *mut IBStream, number: f64) -> tresult {
    // SAFETY: null or a stream that outlives the call.
    let Some(stream) = (unsafe { ComRef::from_raw(stream) }) else { return kInvalidArgument };
    let mut bytes = number.to_le_bytes();
    // SAFETY: there are eight bytes.
    unsafe { stream.write(bytes.as_mut_ptr().cast(), 8, std::ptr::null_mut()) }
}

/// An object that is a controller.
pub trait HasEditor {
    fn editor(&self) -> &Editor;
}

/// The controller's interfaces of a type that has an [`Editor`].
macro_rules! controller_interfaces {
    ($type:ty) => {
        impl IEditControllerTrait for $type {
            unsafe fn setComponentState(&self, state: *mut IBStream) -> tresult {
                self.editor().read_component_state(state)
            }
            unsafe fn setState(&self, state: *mut IBStream) -> tresult {
                match read_number(state) {
                    Some(value) => self.editor().0.shown_program.store(value.to_bits(), SeqCst),
                    None => return kResultFalse,
                }
                kResultOk
            }
            unsafe fn getState(&self, state: *mut IBStream) -> tresult {
                if self.editor().0.config.has_no_state {
                    return kNotImplemented;
                }
                write_number(state, self.editor().value(PROGRAM))
            }
            unsafe fn getParameterCount(&self) -> int32 {
                self.editor().count()
            }
            unsafe fn getParameterInfo(&self, index: int32, info: *mut ParameterInfo) -> tresult {
                let Some(found) = self.editor().info(index) else { return kInvalidArgument };
                // SAFETY: the host gives room for it.
                unsafe { info.write(found) };
                kResultOk
            }
            unsafe fn getParamStringByValue(&self, id: ParamID, value: f64, text: *mut String128) -> tresult {
                let found = if self.editor().0.config.is_hostile {
                    [0xdfff; 128]
                } else {
                    wide(&self.editor().text(id, value))
                };
                // SAFETY: the host gives room for it.
                unsafe { text.write(found) };
                kResultOk
            }
            unsafe fn getParamValueByString(
                &self,
                id: ParamID,
                text: *mut TChar,
                value: *mut f64,
            ) -> tresult {
                // SAFETY: the host gives a text with a NUL.
                let units = (0..128).map(|at| unsafe { *text.add(at) }).take_while(|&unit| unit != 0);
                let text = String::from_utf16_lossy(&units.collect::<Vec<u16>>());
                let (GAIN, Ok(db)) = (id, text.parse::<f64>()) else { return kResultFalse };
                // SAFETY: the host gives room for it.
                unsafe { value.write((db + 60.0) / 60.0) };
                kResultOk
            }
            unsafe fn normalizedParamToPlain(&self, id: ParamID, value: f64) -> f64 {
                self.editor().plain(id, value)
            }
            unsafe fn plainParamToNormalized(&self, id: ParamID, value: f64) -> f64 {
                self.editor().normalised(id, value)
            }
            unsafe fn getParamNormalized(&self, id: ParamID) -> f64 {
                self.editor().value(id)
            }
            unsafe fn setParamNormalized(&self, id: ParamID, value: f64) -> tresult {
                self.editor().set_value(id, value);
                kResultOk
            }
            unsafe fn setComponentHandler(&self, handler: *mut IComponentHandler) -> tresult {
                self.editor().0.handler.store(handler, SeqCst);
                kResultOk
            }
            unsafe fn createView(&self, _name: FIDString) -> *mut IPlugView {
                std::ptr::null_mut()
            }
        }

        impl IMidiMappingTrait for $type {
            unsafe fn getMidiControllerAssignment(
                &self,
                bus: int32,
                channel: int16,
                controller: CtrlNumber,
                id: *mut ParamID,
            ) -> tresult {
                let config = &self.editor().0.config;
                let found = match (config.maps_midi, controller) {
                    (true, _) if bus == 0 => MIDI + channel as u32 * 130 + controller as u32,
                    (false, 7) if bus == 0 => GAIN,
                    _ => return kResultFalse,
                };
                // SAFETY: the host gives room for it.
                unsafe { id.write(found) };
                kResultOk
            }
        }

        impl IUnitInfoTrait for $type {
            unsafe fn getUnitCount(&self) -> int32 {
                if self.editor().0.config.is_hostile { i32::MAX } else { 3 }
            }
            unsafe fn getUnitInfo(&self, index: int32, info: *mut UnitInfo) -> tresult {
                let Some(found) = self.editor().unit(index) else { return kInvalidArgument };
                // SAFETY: the host gives room for it.
                unsafe { info.write(found) };
                kResultOk
            }
            unsafe fn getProgramListCount(&self) -> int32 {
                if self.editor().0.config.is_hostile { i32::MAX } else { 1 }
            }
            unsafe fn getProgramListInfo(&self, index: int32, info: *mut ProgramListInfo) -> tresult {
                let count = if self.editor().0.config.is_hostile { i32::MAX } else { 10 };
                let id = if self.editor().0.config.is_hostile { index } else { 7 };
                // SAFETY: the host gives room for it.
                unsafe { info.write(ProgramListInfo { id, name: wide("Programs"), programCount: count }) };
                kResultOk
            }
            unsafe fn getProgramName(&self, list: i32, program: int32, name: *mut String128) -> tresult {
                // SAFETY: the host gives room for it.
                unsafe { name.write(wide(&format!("Sound {list}/{program}"))) };
                kResultOk
            }
            unsafe fn getProgramInfo(&self, _: i32, _: i32, _: *const c_char, _: *mut String128) -> tresult {
                kNotImplemented
            }
            unsafe fn hasProgramPitchNames(&self, _: i32, _: int32) -> tresult {
                kResultFalse
            }
            unsafe fn getProgramPitchName(&self, _: i32, _: int32, _: int16, _: *mut String128) -> tresult {
                kNotImplemented
            }
            unsafe fn getSelectedUnit(&self) -> UnitID {
                0
            }
            unsafe fn selectUnit(&self, _unit: UnitID) -> tresult {
                kResultOk
            }
            unsafe fn getUnitByBus(
                &self,
                _: i32,
                _: i32,
                _: int32,
                channel: int32,
                unit: *mut UnitID,
            ) -> tresult {
                // SAFETY: the host gives room for it.
                unsafe { unit.write(if channel < 8 { 1 } else { 99 }) };
                kResultOk
            }
            unsafe fn setUnitProgramData(&self, _: int32, _: int32, _: *mut IBStream) -> tresult {
                kNotImplemented
            }
        }
    };
}
pub(super) use controller_interfaces;

/// A controller that is an object of its own.
pub struct Controller {
    editor: Editor,
    is_joined: std::cell::Cell<bool>,
    is_initialised: std::cell::Cell<bool>,
    /// Messages are sent through this.
    other: std::cell::RefCell<Option<ComPtr<IConnectionPoint>>>,
}

impl Controller {
    pub fn new(shared: Arc<Shared>) -> Self {
        shared.live_objects.fetch_add(1, SeqCst);
        Controller {
            editor: Editor(shared),
            is_joined: false.into(),
            is_initialised: false.into(),
            other: None.into(),
        }
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        let shared = self.editor.shared();
        shared.live_objects.fetch_sub(1, SeqCst);
        if self.is_initialised.get() || self.is_joined.get() {
            shared.violate("the controller is released before its end".to_owned());
        }
    }
}

impl HasEditor for Controller {
    fn editor(&self) -> &Editor {
        &self.editor
    }
}

impl Class for Controller {
    type Interfaces = (IEditController, IConnectionPoint, IMidiMapping, IUnitInfo);
}

controller_interfaces!(Controller);

impl IPluginBaseTrait for Controller {
    unsafe fn initialize(&self, context: *mut FUnknown) -> tresult {
        self.editor.0.on_main("controller.initialize", &[Life::Initialised]);
        assert!(!context.is_null());
        self.is_initialised.set(true);
        kResultOk
    }
    unsafe fn terminate(&self) -> tresult {
        self.editor.0.on_main("controller.terminate", &[Life::Initialised, Life::SetUp]);
        if self.is_joined.get() || !self.editor.0.handler.load(SeqCst).is_null() {
            self.editor.0.violate("the controller is ended while it is joined or has a handler".to_owned());
        }
        self.is_initialised.set(false);
        kResultOk
    }
}

impl IConnectionPointTrait for Controller {
    unsafe fn connect(&self, other: *mut IConnectionPoint) -> tresult {
        self.editor.0.on_main("controller.connect", &[Life::Initialised]);
        self.is_joined.set(true);
        // SAFETY: the host gives a live object.
        *self.other.borrow_mut() = unsafe { ComRef::from_raw(other) }.map(|other| other.to_com_ptr());
        kResultOk
    }
    unsafe fn disconnect(&self, _other: *mut IConnectionPoint) -> tresult {
        self.editor.0.on_main("controller.disconnect", &[Life::Initialised, Life::SetUp]);
        self.is_joined.set(false);
        self.other.borrow_mut().take();
        kResultOk
    }
    unsafe fn notify(&self, message: *mut IMessage) -> tresult {
        // SAFETY: the component gives a live object.
        let Some(message) = (unsafe { ComRef::from_raw(message) }) else { return kInvalidArgument };
        // SAFETY: plain calls of live objects with valid pointers.
        unsafe {
            let attributes = ComRef::from_raw(message.getAttributes()).unwrap();
            let mut number = 0;
            assert_eq!(attributes.getInt(c"number".as_ptr(), &mut number), kResultOk);
            self.editor.0.messages.fetch_add(number as u32, SeqCst);
        }
        kResultOk
    }
}
