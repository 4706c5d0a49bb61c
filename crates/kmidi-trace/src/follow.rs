//! What is appended from now on.

use std::fs::File;
use std::sync::Arc;

use crate::error::TraceError;
use crate::log::{Moment, TraceLog};
use crate::query::{Filter, Query};

/// Follows a log as it grows: [`Query::follow`].
pub struct Follow {
    log: TraceLog,
    place: Option<Place>,
}

/// Up to where a file was read.
#[derive(Clone)]
pub(crate) struct Place {
    file: Arc<File>,
    inode: u64,
    bytes: u64,
}

impl Place {
    /// The end of the last whole line.
    pub fn behind(moment: &Moment) -> Self {
        Place { file: moment.file.clone(), inode: moment.inode, bytes: moment.bytes }
    }
}

impl Follow {
    pub(crate) fn new(log: TraceLog, place: Option<Place>) -> Self {
        Follow { log, place }
    }

    /// What has been added since the last call. Where another file has the name, the rest of the one before comes first, then that
    /// one from its start; a file that has become shorter is read from its start.
    ///
    /// # Errors
    /// As [`TraceLog::query`].
    pub fn news(&mut self) -> Result<Query, TraceError> {
        let now = self.log.moment()?;
        let is_away = |place: &mut Place| now.as_ref().is_none_or(|now| now.inode != place.inode);
        if let Some(place) = self.place.take_if(is_away) {
            // Whoever gets its lock after this look sees that it has lost its name, and adds nothing.
            let rest = self.log.moment_of(place.file)?;
            if rest.bytes > place.bytes {
                self.place = now.as_ref().map(|now| Place { bytes: 0, ..Place::behind(now) });
                return Ok(Query::new(self.log.path(), Some(rest), place.bytes, Filter::default()));
            }
        }
        let start = match (&self.place, &now) {
            (Some(place), Some(now)) if place.bytes <= now.bytes => place.bytes,
            _ => 0,
        };
        self.place = now.as_ref().map(Place::behind);
        Ok(Query::new(self.log.path(), now, start, Filter::default()))
    }
}
