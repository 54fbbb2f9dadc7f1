use std::sync::Arc;

use crate::{routes::Routes, settings::Settings};

/// What a service of one worker knows.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) settings: Arc<Settings>,
    pub(crate) routes: Routes,
}

impl Worker {
    pub(crate) fn new(settings: Arc<Settings>) -> Self {
        Self {
            settings,
            routes: Routes::default(),
        }
    }
}
