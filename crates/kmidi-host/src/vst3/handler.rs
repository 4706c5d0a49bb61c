//! What a plugin's controller can ask of the host. Plugins ask from any thread, whatever the standard says.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use ::vst3::Class;
use ::vst3::Steinberg::Vst::{
    IComponentHandler, IComponentHandler2, IComponentHandler2Trait, IComponentHandlerTrait, ParamID,
    ParamValue,
};
use ::vst3::Steinberg::{FIDString, TBool, int32, kInvalidArgument, kResultFalse, kResultOk, tresult};

use super::exchange::{Exchange, normalised};

/// The handler of one plugin. It hears nothing until its parameters are known.
#[derive(Default)]
pub struct Handler {
    exchange: OnceLock<Arc<Exchange>>,
}

impl Handler {
    /// Hands edits and requests to this from now on.
    pub fn attach(&self, exchange: Arc<Exchange>) {
        let _ = self.exchange.set(exchange);
    }
}

impl Class for Handler {
    type Interfaces = (IComponentHandler, IComponentHandler2);
}

impl IComponentHandlerTrait for Handler {
    unsafe fn beginEdit(&self, _id: ParamID) -> tresult {
        kResultOk
    }

    unsafe fn performEdit(&self, id: ParamID, value: ParamValue) -> tresult {
        let Some(exchange) = self.exchange.get() else { return kResultFalse };
        let (Some(place), Some(value)) = (exchange.place(id), normalised(value)) else {
            return kInvalidArgument;
        };
        exchange.store(place, value);
        exchange.to_processor.set(place);
        exchange.to_user.set(place);
        kResultOk
    }

    unsafe fn endEdit(&self, _id: ParamID) -> tresult {
        kResultOk
    }

    unsafe fn restartComponent(&self, flags: int32) -> tresult {
        // Before the parameters are known nothing has been read that could have changed.
        if let Some(exchange) = self.exchange.get() {
            exchange.ask_restart(flags);
        }
        kResultOk
    }
}

impl IComponentHandler2Trait for Handler {
    unsafe fn setDirty(&self, state: TBool) -> tresult {
        if let Some(exchange) = self.exchange.get().filter(|_| state != 0) {
            exchange.dirty.store(true, Ordering::Release);
        }
        kResultOk
    }

    unsafe fn requestOpenEditor(&self, _name: FIDString) -> tresult {
        // There are no editors here.
        kResultFalse
    }

    unsafe fn startGroupEdit(&self) -> tresult {
        kResultOk
    }

    unsafe fn finishGroupEdit(&self) -> tresult {
        kResultOk
    }
}
