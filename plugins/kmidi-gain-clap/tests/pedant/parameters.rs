//! Parameters: infos, values and texts.

use std::collections::BTreeSet;
use std::ffi::{CString, c_char};

use clap_sys::ext::params::*;

use super::events::{Input, Output, Sent};
use super::file::field;
use super::instance::Instance;

/// The parameters of an instance.
pub struct Parameters<'a> {
    instance: &'a Instance<'a>,
    extension: &'a clap_plugin_params,
}

impl<'a> Parameters<'a> {
    /// `None` where it has none.
    pub fn of(instance: &'a Instance<'a>) -> Option<Self> {
        Some(Parameters { instance, extension: instance.extension(CLAP_EXT_PARAMS)? })
    }

    fn info(&self, index: u32) -> Option<clap_param_info> {
        // SAFETY: zeros are an info.
        let mut info: clap_param_info = unsafe { std::mem::zeroed() };
        // SAFETY: on the main thread; any index may be asked for.
        let is_there =
            unsafe { self.extension.get_info.expect("in the header")(self.instance.raw(), index, &mut info) };
        is_there.then_some(info)
    }

    /// All infos.
    pub fn infos(&self) -> Vec<clap_param_info> {
        // SAFETY: on the main thread.
        let count = unsafe { self.extension.count.expect("in the header")(self.instance.raw()) };
        let beyond = self.info(count).is_some() || self.info(u32::MAX).is_some();
        self.instance.host.rule(!beyond, || "it has a parameter behind the last".into());
        (0..count).filter_map(|index| self.info(index)).collect()
    }

    /// A value.
    pub fn value(&self, id: u32) -> Option<f64> {
        let mut value = f64::NAN;
        // SAFETY: on the main thread; any id may be asked for.
        let is_there =
            unsafe { self.extension.get_value.expect("in the header")(self.instance.raw(), id, &mut value) };
        is_there.then_some(value)
    }

    /// Values of all parameters, in their order.
    pub fn values(&self) -> Vec<Option<f64>> {
        self.infos().iter().map(|info| self.value(info.id)).collect()
    }

    /// Sends events to a plugin that does not process.
    pub fn flush(&self, events: Vec<Sent>) {
        let (input, output) = (Input::new(events), Output::default());
        let (raw_input, raw_output) = (input.raw(), output.raw());
        // SAFETY: the lists live longer than the call.
        unsafe { self.extension.flush.expect("in the header")(self.instance.raw(), &raw_input, &raw_output) }
    }

    /// The text of a value, in a buffer of `capacity` bytes behind which nothing may be written.
    fn text_of(&self, id: u32, value: f64, capacity: usize) -> Option<String> {
        const GUARD: c_char = 0x55;
        let mut buffer = [GUARD; 512];
        let to_text = self.extension.value_to_text.expect("in the header");
        // SAFETY: on the main thread; the buffer is longer than it says.
        let is_there =
            unsafe { to_text(self.instance.raw(), id, value, buffer.as_mut_ptr(), capacity as u32) };
        let rule = |kept, text: &str| self.instance.host.rule(kept, || format!("parameter {id}: {text}"));
        rule(buffer[capacity..].iter().all(|&it| it == GUARD), "its text goes over the end of the buffer");
        if is_there {
            rule(buffer[..capacity].contains(&0), "its text has no end");
        }
        is_there.then(|| field(&buffer[..capacity]))
    }

    fn value_of(&self, id: u32, text: &str) -> Option<f64> {
        let (text, mut value) = (CString::new(text).ok()?, f64::NAN);
        let to_value = self.extension.text_to_value.expect("in the header");
        // SAFETY: on the main thread; the text ends with a zero.
        let is_there = unsafe { to_value(self.instance.raw(), id, text.as_ptr(), &mut value) };
        is_there.then_some(value)
    }
}

/// The rules of parameters, of a plugin that does not process.
pub fn check(instance: &Instance<'_>) {
    let Some(parameters) = Parameters::of(instance) else { return };
    let infos = parameters.infos();
    let rule = |kept: bool, text: String| instance.host.rule(kept, || text);
    let ids: BTreeSet<u32> = infos.iter().map(|info| info.id).collect();
    rule(ids.len() == infos.len(), "two parameters have one id".into());
    for info in &infos {
        check_one(&parameters, info);
    }
    let unknown = (0..).find(|id| !ids.contains(id)).expect("not all ids are taken");
    rule(parameters.value(unknown).is_none(), "it has a value of a parameter that it does not have".into());
    rule(
        parameters.text_of(unknown, 0.0, 64).is_none(),
        "it has a text of a parameter that it does not have".into(),
    );
    check_flush(instance, &parameters, &infos, unknown);
}

fn check_one(parameters: &Parameters<'_>, info: &clap_param_info) {
    let name = field(&info.name);
    let rule = |kept: bool, text: String| {
        parameters.instance.host.rule(kept, || format!("parameter {name}: {text}"))
    };
    rule(!name.is_empty(), format!("{} has no name", info.id));
    let range = info.min_value..=info.max_value;
    rule(range.contains(&info.default_value), "its default is out of its range".into());
    let value = parameters.value(info.id);
    rule(value == Some(info.default_value), format!("a fresh one is {value:?}, not {}", info.default_value));
    for step in 0..=10 {
        let value = info.min_value + (info.max_value - info.min_value) * f64::from(step) / 10.0;
        let is_stepped = info.flags & CLAP_PARAM_IS_STEPPED != 0;
        let value = if is_stepped { value.trunc() } else { value };
        let Some(text) = parameters.text_of(info.id, value, 256) else {
            rule(false, format!("there is no text for {value}"));
            continue;
        };
        let read = parameters.value_of(info.id, &text);
        // A text need not hold all digits; but what it says is the same the next time.
        let again = read.and_then(|value| parameters.text_of(info.id, value, 256));
        rule(again.as_deref() == Some(&text), format!("{value} is {text:?}, which is read as {read:?}"));
        for capacity in [1, 2, 4] {
            parameters.text_of(info.id, value, capacity);
        }
    }
    for hostile in ["", "   ", "no value at all", "1e999", "nan", "-inf", "\u{1f3b9}"] {
        let read = parameters.value_of(info.id, hostile);
        rule(read.is_none_or(|value| range.contains(&value)), format!("{hostile:?} is read as {read:?}"));
    }
}

/// Parameters change by what is sent to them and by nothing else.
fn check_flush(
    instance: &Instance<'_>,
    parameters: &Parameters<'_>,
    infos: &[clap_param_info],
    unknown: u32,
) {
    use super::events::{midi, note, parameter};
    use clap_sys::events::CLAP_EVENT_NOTE_ON;
    let rule = |kept: bool, text: &str| instance.host.rule(kept, || text.to_owned());
    let before = parameters.values();
    parameters.flush(vec![]);
    parameters.flush(vec![
        parameter(0, unknown, 1.0),
        note(0, CLAP_EVENT_NOTE_ON, 0, 60),
        midi(0, [0xff; 3]),
    ]);
    let foreign = infos.iter().map(|info| parameter(0, info.id, info.max_value).in_unknown_space()).collect();
    parameters.flush(foreign);
    rule(parameters.values() == before, "parameters change by events that are not theirs");
    let settable = |info: &&clap_param_info| info.flags & CLAP_PARAM_IS_READONLY == 0;
    for info in infos.iter().filter(settable) {
        for value in [info.max_value, info.min_value, info.default_value] {
            parameters.flush(vec![parameter(0, info.id, value)]);
            rule(parameters.value(info.id) == Some(value), "a flushed value is not taken");
        }
        for value in [f64::NAN, f64::INFINITY, -1e300] {
            parameters.flush(vec![parameter(0, info.id, value)]);
            let now = parameters.value(info.id);
            let is_in_range = now.is_some_and(|now| (info.min_value..=info.max_value).contains(&now));
            rule(is_in_range, "a value out of the range is taken");
        }
        parameters.flush(vec![parameter(0, info.id, info.default_value)]);
    }
}
