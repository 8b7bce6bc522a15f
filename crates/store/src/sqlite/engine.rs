//! Both files of a folder together.

use super::connect::{Place, create, writer};
use super::data_plan::{DataPlan, DataPlans};
use super::key_plan::KeyPlans;
use super::lock::FolderLock;
use super::migrate::{DATA, KEYS, Schema};
use super::pool::{Pool, View};
use super::writer::{Plans, Writer};
use crate::error::{ApplyError, OpenError, StoreError};
use crate::ops::{DataOp, KeyOp};
use crate::rows::JobRow;
use crate::store::{Health, Lease, Options};
use crate::touched::Touched;
use parking_lot::Mutex;
use std::path::Path;
use std::sync::Arc;

/// The embedded backend.
pub(crate) struct Engine {
    pub(super) keys: Side<KeyPlans>,
    pub(super) data: Side<DataPlans>,
    lock: Mutex<Option<FolderLock>>,
}

/// One file: who writes it, who reads it.
pub(super) struct Side<F: Plans> {
    pub(super) place: Place,
    pub(super) writer: Writer<F>,
    pub(super) pool: Arc<Pool>,
}

/// Both files, each as of the moment of its first read.
pub(crate) struct Reads {
    pub(super) keys: View,
    pub(super) data: View,
}

impl<F: Plans> Side<F> {
    fn open(place: Place, schema: &Schema, options: &Options) -> Result<Self, OpenError> {
        create(&place.path)?;
        let connection = writer(&place, Some(schema))?;
        let writer = Writer::start(connection, place.clone(), options.plans_per_commit)?;
        let pool = Arc::new(Pool::new(place.clone(), options.readers.max(1)));
        Ok(Self { place, writer, pool })
    }

    /// The writer's connection goes last, so that it leaves no log behind.
    fn close(&self) {
        self.pool.close();
        self.writer.close();
    }
}

impl Engine {
    pub(crate) fn open(folder: &Path, options: &Options) -> Result<Self, OpenError> {
        let lock = FolderLock::take(folder)?;
        let (keys, data) = places(folder, options);
        let keys = Side::open(keys, &KEYS, options)?;
        let data = Side::open(data, &DATA, options)?;
        Ok(Self { keys, data, lock: Mutex::new(Some(lock)) })
    }

    pub(crate) fn reads(&self) -> Result<Reads, StoreError> {
        Ok(Reads { keys: View::new(&self.keys.pool), data: View::new(&self.data.pool) })
    }

    pub(crate) fn touched(&self) -> &Touched {
        self.keys.writer.touched()
    }

    pub(crate) fn apply_keys(
        &self,
        name: &'static str,
        plan: Vec<KeyOp>,
    ) -> impl Future<Output = Result<(), ApplyError>> + Send + use<> {
        self.keys.writer.submit(name, plan)
    }

    pub(crate) fn apply_keys_blocking(&self, name: &'static str, plan: Vec<KeyOp>) -> Result<(), ApplyError> {
        self.keys.writer.submit_blocking(name, plan)
    }

    pub(crate) fn apply_data(
        &self,
        name: &'static str,
        plan: Vec<DataOp>,
    ) -> impl Future<Output = Result<(), ApplyError>> + Send + use<> {
        let answer = self.data.writer.submit(name, DataPlan::Ops(plan));
        async move { answer.await.map(drop) }
    }

    pub(crate) fn apply_data_blocking(
        &self,
        name: &'static str,
        plan: Vec<DataOp>,
    ) -> Result<(), ApplyError> {
        self.data.writer.submit_blocking(name, DataPlan::Ops(plan)).map(drop)
    }

    pub(crate) fn lease_jobs(
        &self,
        lease: Lease,
    ) -> impl Future<Output = Result<Vec<JobRow>, ApplyError>> + Send + use<> {
        self.data.writer.submit("lease_jobs", DataPlan::Lease(lease))
    }

    pub(crate) fn health(&self) -> Health {
        let (keys, data) = (self.keys.writer.counts(), self.data.writer.counts());
        let last_fault = if keys.last_fault == 0 { data.last_fault } else { keys.last_fault };
        let mut plans = keys.plans;
        plans.extend(data.plans);
        Health { key_commits: keys.commits, data_commits: data.commits, last_fault, plans }
    }

    pub(crate) fn close(&self) {
        self.keys.close();
        self.data.close();
        drop(self.lock.lock().take());
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.close();
    }
}

/// The whole cache in sixteenths: the key store's writer takes 4, the data file's 2, and of the 10 that readers
/// share each one's two connections take 3 : 1, since most reads are on keys.
fn places(folder: &Path, options: &Options) -> (Place, Place) {
    let share = options.cache_bytes / 16;
    let reader = 10 * share / options.readers.max(1) / 4;
    let place = |schema: &Schema, writer_cache, reader_cache| Place {
        path: folder.join(schema.file),
        writer_cache,
        reader_cache,
    };
    (place(&KEYS, 4 * share, 3 * reader), place(&DATA, 2 * share, reader))
}
