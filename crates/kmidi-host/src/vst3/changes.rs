//! Changes of parameters in one quantum, as a plugin reads and writes them. All `[side A]` except what makes them.
//!
//! Used by one thread at a time: the one that runs the plugin's audio half.

use std::cell::Cell;

use ::vst3::Steinberg::Vst::{
    IParamValueQueue, IParamValueQueueTrait, IParameterChanges, IParameterChangesTrait, ParamID, ParamValue,
};
use ::vst3::Steinberg::{int32, kInvalidArgument, kResultOk, tresult};
use ::vst3::{Class, ComWrapper};

use super::exchange::normalised;
use super::limits::{PARAMETER_QUEUES, QUEUE_POINTS};

/// Places of the table that finds a parameter's queue.
const HINTS: usize = 2 * PARAMETER_QUEUES;

/// The changes of one parameter.
pub struct Queue {
    id: Cell<u32>,
    len: Cell<usize>,
    points: [Cell<(i32, f64)>; QUEUE_POINTS],
    lost: Cell<bool>,
}

impl Class for Queue {
    type Interfaces = (IParamValueQueue,);
}

impl Queue {
    fn new() -> Self {
        let points = std::array::from_fn(|_| Cell::new((0, 0.0)));
        Queue { id: Cell::new(0), len: Cell::new(0), points, lost: Cell::new(false) }
    }

    fn start(&self, id: u32) {
        self.id.set(id);
        self.len.set(0);
    }

    /// Adds a change; its place. One at the same frame as the last takes its place, and so does one for which there is no
    /// room: what a parameter ends up at is never lost.
    pub fn add(&self, offset: i32, value: f64) -> usize {
        let len = self.len.get();
        let same_frame = len > 0 && self.points[len - 1].get().0 == offset;
        let at = if same_frame { len - 1 } else { len.min(QUEUE_POINTS - 1) };
        if !same_frame && len == QUEUE_POINTS {
            self.lost.set(true);
        }
        self.points[at].set((offset, value));
        self.len.set(at + 1);
        at
    }

    /// What the parameter ends up at.
    fn last(&self) -> Option<f64> {
        let points = self.points[..self.len.get()].iter().map(Cell::get);
        points.reduce(|last, point| if point.0 >= last.0 { point } else { last }).map(|point| point.1)
    }
}

impl IParamValueQueueTrait for Queue {
    unsafe fn getParameterId(&self) -> ParamID {
        self.id.get()
    }

    unsafe fn getPointCount(&self) -> int32 {
        self.len.get() as int32
    }

    unsafe fn getPoint(&self, index: int32, sample_offset: *mut int32, value: *mut ParamValue) -> tresult {
        let points = &self.points[..self.len.get()];
        let Some(point) = usize::try_from(index).ok().and_then(|at| points.get(at)) else {
            return kInvalidArgument;
        };
        if sample_offset.is_null() || value.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: not null; the plugin gives room for the number.
        unsafe { sample_offset.write(point.get().0) };
        // SAFETY: as above.
        unsafe { value.write(point.get().1) };
        kResultOk
    }

    unsafe fn addPoint(&self, sample_offset: int32, value: ParamValue, index: *mut int32) -> tresult {
        let Some(value) = normalised(value) else { return kInvalidArgument };
        let at = self.add(sample_offset, value);
        if !index.is_null() {
            // SAFETY: not null; the plugin gives room for the number.
            unsafe { index.write(at as int32) };
        }
        kResultOk
    }
}

/// The changes of all parameters.
pub struct Changes {
    queues: Box<[ComWrapper<Queue>]>,
    /// The same as plugins get them, found once.
    pointers: Box<[*mut IParamValueQueue]>,
    used: Cell<usize>,
    /// Where to look first for a parameter's queue: by its id modulo [`HINTS`].
    hints: [Cell<u16>; HINTS],
    lost: Cell<bool>,
}

impl Class for Changes {
    type Interfaces = (IParameterChanges,);
}

impl Changes {
    /// Room for [`PARAMETER_QUEUES`] parameters. `[side B]`
    pub fn new() -> Self {
        let queues: Box<[_]> = (0..PARAMETER_QUEUES).map(|_| ComWrapper::new(Queue::new())).collect();
        let pointer = |queue: &ComWrapper<Queue>| {
            queue.as_com_ref::<IParamValueQueue>().map_or(std::ptr::null_mut(), |it| it.as_ptr())
        };
        let pointers = queues.iter().map(pointer).collect();
        let hints = std::array::from_fn(|_| Cell::new(0));
        Changes { queues, pointers, used: Cell::new(0), hints, lost: Cell::new(false) }
    }

    /// Forgets all changes; what was lost stays known.
    pub fn clear(&self) {
        for queue in &self.queues[..self.used.get()] {
            self.lost.set(self.lost.get() | queue.lost.take());
        }
        self.used.set(0);
    }

    /// Whether changes had no room since this was asked last.
    pub fn take_lost(&self) -> bool {
        self.lost.take()
    }

    /// The place of a parameter's queue, which is begun if there is none; `None` if there is no room.
    fn place(&self, id: u32) -> Option<usize> {
        let used = self.used.get();
        let hint = &self.hints[id as usize % HINTS];
        let is_it = |at: usize| at < used && self.queues[at].id.get() == id;
        if is_it(hint.get().into()) {
            return Some(hint.get().into());
        }
        let found = (0..used).find(|&at| is_it(at));
        if found.is_none() && used == self.queues.len() {
            self.lost.set(true);
            return None;
        }
        let at = found.unwrap_or(used);
        if found.is_none() {
            self.queues[at].start(id);
            self.used.set(used + 1);
        }
        hint.set(at as u16);
        Some(at)
    }

    /// Adds a change; says whether there was room.
    pub fn add(&self, id: u32, offset: u32, value: f64) -> bool {
        let place = self.place(id);
        if let Some(at) = place {
            self.queues[at].add(offset as i32, value);
        }
        place.is_some()
    }

    /// Each parameter that changed and what it ends up at.
    pub fn last_values(&self) -> impl Iterator<Item = (u32, f64)> {
        self.queues[..self.used.get()].iter().filter_map(|queue| Some((queue.id.get(), queue.last()?)))
    }
}

impl IParameterChangesTrait for Changes {
    unsafe fn getParameterCount(&self) -> int32 {
        self.used.get() as int32
    }

    unsafe fn getParameterData(&self, index: int32) -> *mut IParamValueQueue {
        let used = &self.pointers[..self.used.get()];
        usize::try_from(index).ok().and_then(|at| used.get(at)).copied().unwrap_or(std::ptr::null_mut())
    }

    unsafe fn addParameterData(&self, id: *const ParamID, index: *mut int32) -> *mut IParamValueQueue {
        if id.is_null() {
            return std::ptr::null_mut();
        }
        // SAFETY: not null; the plugin gives a number.
        let Some(at) = self.place(unsafe { *id }) else { return std::ptr::null_mut() };
        if !index.is_null() {
            // SAFETY: not null; the plugin gives room for the number.
            unsafe { index.write(at as int32) };
        }
        self.pointers[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_share_a_hint_keep_their_own_queues() {
        let changes = Changes::new();
        for round in 0..3 {
            changes.clear();
            for id in [7, 7 + HINTS as u32, 7 + 2 * HINTS as u32, 7] {
                assert!(changes.add(id, round, f64::from(id)));
            }
            let values: Vec<_> = changes.last_values().collect();
            assert_eq!(values.len(), 3);
            assert!(values.iter().all(|&(id, value)| value == f64::from(id)));
        }
        assert!(!changes.take_lost());
    }

    #[test]
    fn a_flood_of_parameters_or_points_is_noted_and_the_last_value_of_each_stays() {
        let changes = Changes::new();
        let taken = (0..1000).filter(|&id| changes.add(id, 0, 0.5)).count();
        assert_eq!(taken, PARAMETER_QUEUES);
        assert!(changes.take_lost());
        changes.clear();
        assert!(!changes.take_lost());
        for offset in 0..1000 {
            assert!(changes.add(3, offset, f64::from(offset)));
        }
        assert_eq!(changes.last_values().collect::<Vec<_>>(), [(3, 999.0)]);
        changes.clear();
        assert!(changes.take_lost());
    }

    #[test]
    fn wrong_indices_null_pointers_and_what_is_no_number_are_refused() {
        let changes = Changes::new();
        changes.add(1, 2, 0.3);
        let (mut offset, mut value, mut index) = (0, 0.0, 0);
        // SAFETY: every pointer is null or valid for what the call reads or writes.
        unsafe {
            for at in [-1, 1, i32::MAX, i32::MIN] {
                assert!(changes.getParameterData(at).is_null());
                assert_eq!(changes.queues[0].getPoint(at, &mut offset, &mut value), kInvalidArgument);
            }
            assert_eq!(changes.queues[0].getPoint(0, &mut offset, std::ptr::null_mut()), kInvalidArgument);
            assert_eq!(changes.queues[0].getPoint(0, &mut offset, &mut value), kResultOk);
            assert_eq!((offset, value), (2, 0.3));
            assert_eq!(changes.queues[0].addPoint(3, f64::NAN, &mut index), kInvalidArgument);
            assert_eq!(changes.queues[0].addPoint(3, 7.0, std::ptr::null_mut()), kResultOk);
            assert!(changes.addParameterData(std::ptr::null(), &mut index).is_null());
        }
        assert_eq!(changes.last_values().collect::<Vec<_>>(), [(1, 1.0)]);
    }
}
