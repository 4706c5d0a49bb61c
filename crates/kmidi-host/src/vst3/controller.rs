//! Safe calls of a plugin's controller: `IEditController`, `IUnitInfo`, `IMidiMapping`. `[side B]`

use std::mem::zeroed;

use ::vst3::Steinberg::Vst::BusDirections_::kInput;
use ::vst3::Steinberg::Vst::MediaTypes_::kEvent;
use ::vst3::Steinberg::Vst::{
    IComponentHandler, IEditController, IEditControllerTrait as _, IMidiMapping, IMidiMappingTrait as _,
    IUnitInfo, IUnitInfoTrait as _, ParameterInfo, ProgramListInfo, String128, UnitInfo,
};
use ::vst3::Steinberg::{IPluginBaseTrait as _, kResultOk, tresult};
use ::vst3::{ComPtr, ComWrapper};

use super::exchange::normalised;
use super::handler::Handler;
use super::host::host_context;
use super::limits::{MAX_PARAMETERS, MAX_PROGRAM_LISTS, MAX_UNITS};
use super::stream::{reading, writing};
use super::text::{from_utf16, to_utf16};

/// A group of parameters.
pub struct Unit {
    pub id: i32,
    pub parent: i32,
    pub name: String,
    /// Its program list; negative if it has none.
    pub program_list: i32,
}

/// A list of programs.
pub struct ProgramList {
    pub id: i32,
    /// Never negative.
    pub programs: usize,
}

/// A controller that has been initialised.
pub struct Controller {
    pub com: ComPtr<IEditController>,
    units: Option<ComPtr<IUnitInfo>>,
    midi: Option<ComPtr<IMidiMapping>>,
}

impl Controller {
    pub fn new(com: ComPtr<IEditController>) -> Self {
        let units = com.cast();
        let midi = com.cast();
        Controller { com, units, midi }
    }

    /// Initialises it, if it is an object of its own.
    pub fn initialise(&self) -> tresult {
        // SAFETY: the context is a valid object that is never dropped.
        unsafe { self.com.initialize(host_context()) }
    }

    /// Ends it, if it is an object of its own.
    pub fn terminate(&self) {
        // SAFETY: it was initialised.
        unsafe { self.com.terminate() };
    }

    /// Tells it who listens; nobody with `None`.
    pub fn set_handler(&self, handler: Option<&ComWrapper<Handler>>) {
        let handler = handler.and_then(|it| it.as_com_ref::<IComponentHandler>());
        let pointer = handler.map_or(std::ptr::null_mut(), |it| it.as_ptr());
        // SAFETY: null or a valid object that lives until another or none is set.
        unsafe { self.com.setComponentHandler(pointer) };
    }

    /// What it says of its parameters, in its order.
    pub fn parameters(&self) -> Vec<ParameterInfo> {
        // SAFETY: a plain call of a live object.
        let count = unsafe { self.com.getParameterCount() };
        let count = usize::try_from(count).unwrap_or(0).min(MAX_PARAMETERS) as i32;
        (0..count).filter_map(|index| self.parameter(index)).collect()
    }

    fn parameter(&self, index: i32) -> Option<ParameterInfo> {
        // SAFETY: a plain C struct of numbers and text, for which all zero is valid.
        let mut info: ParameterInfo = unsafe { zeroed() };
        // SAFETY: the struct outlives the call.
        let result = unsafe { self.com.getParameterInfo(index, &mut info) };
        (result == kResultOk).then_some(info)
    }

    /// The value of a parameter; 0 if what it says is no number.
    pub fn value(&self, id: u32) -> f64 {
        // SAFETY: a plain call of a live object.
        normalised(unsafe { self.com.getParamNormalized(id) }).unwrap_or(0.0)
    }

    /// Tells it a value. It does not pass it on to the processor.
    pub fn set_value(&self, id: u32, value: f64) {
        // SAFETY: a plain call of a live object.
        unsafe { self.com.setParamNormalized(id, value) };
    }

    /// How it writes a value, without the unit.
    pub fn text_of(&self, id: u32, value: f64) -> Option<String> {
        let mut text: String128 = [0; 128];
        // SAFETY: the text outlives the call.
        let result = unsafe { self.com.getParamStringByValue(id, value, &mut text) };
        (result == kResultOk).then(|| from_utf16(&text))
    }

    /// The value that it reads in a text.
    pub fn value_of(&self, id: u32, text: &str) -> Option<f64> {
        let mut text: String128 = to_utf16(text);
        let mut value = 0.0;
        // SAFETY: the text ends with a NUL, and both outlive the call.
        let result = unsafe { self.com.getParamValueByString(id, text.as_mut_ptr(), &mut value) };
        if result == kResultOk { normalised(value) } else { None }
    }

    /// The number in the parameter's unit that stands for a value; `None` if it is no finite one.
    pub fn plain_of(&self, id: u32, value: f64) -> Option<f64> {
        // SAFETY: a plain call of a live object.
        let plain = unsafe { self.com.normalizedParamToPlain(id, value) };
        plain.is_finite().then_some(plain)
    }

    /// The value that stands for a number in the parameter's unit.
    pub fn value_of_plain(&self, id: u32, plain: f64) -> Option<f64> {
        // SAFETY: a plain call of a live object.
        normalised(unsafe { self.com.plainParamToNormalized(id, plain) })
    }

    /// Tells it the state of the component.
    pub fn set_component_state(&self, bytes: &[u8]) {
        // SAFETY: the stream outlives the call.
        reading(bytes, |stream| unsafe { self.com.setComponentState(stream) });
    }

    /// Its own state, if it has one.
    pub fn state(&self) -> Option<Vec<u8>> {
        // SAFETY: the stream outlives the call.
        let (result, bytes) = writing(|stream| unsafe { self.com.getState(stream) });
        (result == kResultOk && !bytes.is_empty()).then_some(bytes)
    }

    /// Gives it a state of its own.
    pub fn set_state(&self, bytes: &[u8]) {
        // SAFETY: the stream outlives the call.
        reading(bytes, |stream| unsafe { self.com.setState(stream) });
    }

    /// Its units; none if it has no `IUnitInfo`.
    pub fn units(&self) -> Vec<Unit> {
        let Some(units) = &self.units else { return Vec::new() };
        // SAFETY: a plain call of a live object.
        let count = usize::try_from(unsafe { units.getUnitCount() }).unwrap_or(0).min(MAX_UNITS) as i32;
        let unit = |index| {
            // SAFETY: a plain C struct of numbers and text, for which all zero is valid.
            let mut info: UnitInfo = unsafe { zeroed() };
            // SAFETY: the struct outlives the call.
            let result = unsafe { units.getUnitInfo(index, &mut info) };
            (result == kResultOk).then(|| Unit {
                id: info.id,
                parent: info.parentUnitId,
                name: from_utf16(&info.name),
                program_list: info.programListId,
            })
        };
        (0..count).filter_map(unit).collect()
    }

    /// Its program lists.
    pub fn program_lists(&self) -> Vec<ProgramList> {
        let Some(units) = &self.units else { return Vec::new() };
        // SAFETY: a plain call of a live object.
        let count = unsafe { units.getProgramListCount() };
        let count = usize::try_from(count).unwrap_or(0).min(MAX_PROGRAM_LISTS) as i32;
        let list = |index| {
            // SAFETY: a plain C struct of numbers and text, for which all zero is valid.
            let mut info: ProgramListInfo = unsafe { zeroed() };
            // SAFETY: the struct outlives the call.
            let result = unsafe { units.getProgramListInfo(index, &mut info) };
            let programs = usize::try_from(info.programCount).unwrap_or(0);
            (result == kResultOk).then_some(ProgramList { id: info.id, programs })
        };
        (0..count).filter_map(list).collect()
    }

    /// The name of a program.
    pub fn program_name(&self, list: i32, program: usize) -> Option<String> {
        let units = self.units.as_ref()?;
        let mut name: String128 = [0; 128];
        // SAFETY: the text outlives the call.
        let result = unsafe { units.getProgramName(list, program as i32, &mut name) };
        (result == kResultOk).then(|| from_utf16(&name))
    }

    /// The unit that a channel of an event input belongs to.
    pub fn unit_of_channel(&self, bus: usize, channel: usize) -> Option<i32> {
        let units = self.units.as_ref()?;
        let mut unit = 0;
        let (bus, channel) = (bus as i32, channel as i32);
        // SAFETY: the number outlives the call.
        let result = unsafe { units.getUnitByBus(kEvent as i32, kInput as i32, bus, channel, &mut unit) };
        (result == kResultOk).then_some(unit)
    }

    /// Whether it says which parameters controllers of MIDI move.
    pub fn maps_midi(&self) -> bool {
        self.midi.is_some()
    }

    /// The parameter that a controller of MIDI moves. `bus` and `channel` count from 0.
    pub fn midi_parameter(&self, bus: usize, channel: usize, controller: usize) -> Option<u32> {
        let midi = self.midi.as_ref()?;
        let mut id = u32::MAX;
        // SAFETY: the number outlives the call.
        let result = unsafe {
            midi.getMidiControllerAssignment(bus as i32, channel as i16, controller as i16, &mut id)
        };
        (result == kResultOk).then_some(id)
    }
}
