//! In place of `redis.rs` where the binary is built without: there is none, and nothing to be done with it.

use std::future::Ready;

use anyhow::bail;
use brightstaff_metrics_core::Metrics;

use super::{Failed, Session};
use crate::{config, gateway::directory::Candidate};

#[derive(Clone, Debug)]
pub(super) enum Redis {}

impl Redis {
    pub(super) fn new(_: &config::Sessions, _: &Metrics) -> anyhow::Result<Self> {
        bail!("sessions.store: this build has no Redis: build it with the feature redis")
    }

    pub(super) fn get(&self, _: &Session, _: &[Candidate]) -> Ready<Result<Option<usize>, Failed>> {
        match *self {}
    }

    pub(super) fn put(&self, _: &Session, _: &Candidate) {
        match *self {}
    }

    pub(super) fn settle(&self) -> Ready<()> {
        match *self {}
    }

    pub(super) fn watch(&self) {
        match *self {}
    }
}
