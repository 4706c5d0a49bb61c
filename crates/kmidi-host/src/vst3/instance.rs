//! The two objects of a plugin: brought to life, joined, and ended in the order that VST3 asks for. `[side B]`

use std::rc::Rc;

use ::vst3::Steinberg::Vst::{
    IAudioProcessor, IComponent, IConnectionPoint, IConnectionPointTrait as _, IEditController,
};
use ::vst3::Steinberg::kResultOk;
use ::vst3::{ComPtr, ComWrapper};

use super::component::{Component, is_done};
use super::controller::Controller;
use super::factory::{ClassInfo, Factory};
use super::handler::Handler;
use super::text::class_id_text;
use crate::{Format, LoadError, PluginId};

/// A plugin that is initialised. Dropped only while it is not active.
pub struct Instance {
    pub component: Component,
    pub controller: Option<Controller>,
    /// Whether the controller is an object of its own.
    is_separate: bool,
    joined: Option<(ComPtr<IConnectionPoint>, ComPtr<IConnectionPoint>)>,
    handler: ComWrapper<Handler>,
    // Last: the module is left after everything of it has been released.
    pub factory: Rc<Factory>,
}

impl Instance {
    /// Brings a plugin to life.
    ///
    /// # Errors
    /// [`LoadError::Instance`] and [`LoadError::NeedsFeature`].
    pub fn new(factory: Rc<Factory>, class: &ClassInfo) -> Result<Self, LoadError> {
        let id = PluginId::new(Format::Vst3, class_id_text(&class.id));
        let error = |why: String| LoadError::Instance { id: id.clone(), why };
        let com: ComPtr<IComponent> =
            factory.create(&class.id).map_err(|code| error(format!("it is not made (code {code})")))?;
        let processor =
            com.cast::<IAudioProcessor>().ok_or_else(|| error("it processes no audio".to_owned()))?;
        let component = Component { com, processor };
        match component.initialise() {
            kResultOk => {}
            code => return Err(error(format!("it cannot be initialised (code {code})"))),
        }
        let handler = ComWrapper::new(Handler::default());
        let mut instance =
            Instance { component, controller: None, is_separate: false, joined: None, handler, factory };
        if instance.component.refuses_f32() {
            return Err(LoadError::NeedsFeature { id, what: "samples of 64 bits alone".to_owned() });
        }
        instance.find_controller();
        instance.join();
        instance.show_state();
        Ok(instance)
    }

    fn find_controller(&mut self) {
        if let Some(own) = self.component.com.cast::<IEditController>() {
            self.controller = Some(Controller::new(own));
        } else if let Some(class) = self.component.controller_class()
            && let Ok(com) = self.factory.create::<IEditController>(&class)
        {
            let controller = Controller::new(com);
            // Without its controller a plugin has no parameters, but it runs.
            if is_done(controller.initialise()) {
                self.controller = Some(controller);
                self.is_separate = true;
            }
        }
        if let Some(controller) = &self.controller {
            controller.set_handler(Some(&self.handler));
        }
    }

    fn join(&mut self) {
        let Some(controller) = self.controller.as_ref().filter(|_| self.is_separate) else { return };
        let ends = (self.component.com.cast::<IConnectionPoint>(), controller.com.cast::<IConnectionPoint>());
        if let (Some(component), Some(controller)) = ends {
            // SAFETY: both are live objects, and stay so until they are parted.
            unsafe { component.connect(controller.as_ptr()) };
            // SAFETY: as above.
            unsafe { controller.connect(component.as_ptr()) };
            self.joined = Some((component, controller));
        }
    }

    /// Shows the controller the state of the component, as the two must agree from the start.
    fn show_state(&self) {
        if let Some(controller) = &self.controller
            && let Some(state) = self.component.state().filter(|state| !state.is_empty())
        {
            controller.set_component_state(&state);
        }
    }

    /// A handler that hears nothing yet takes the place of the one before.
    pub fn new_handler(&mut self) -> &Handler {
        self.handler = {
            let handler = ComWrapper::new(Handler::default());
            if let Some(controller) = &self.controller {
                controller.set_handler(Some(&handler));
            }
            handler
        };
        &self.handler
    }

    /// The handler that the controller has.
    pub fn handler(&self) -> &Handler {
        &self.handler
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Some((component, controller)) = self.joined.take() {
            // SAFETY: both are live and were joined to each other.
            unsafe { component.disconnect(controller.as_ptr()) };
            // SAFETY: as above.
            unsafe { controller.disconnect(component.as_ptr()) };
        }
        if let Some(controller) = self.controller.take() {
            controller.set_handler(None);
            if self.is_separate {
                controller.terminate();
            }
        }
        self.component.terminate();
    }
}
