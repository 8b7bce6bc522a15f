//! One holder: a file of two regions that is never without a whole one.

use super::ShredError;
use super::files::{self, Files};
use super::region::{FILE, REGION, Region, Table};
use crate::Root;
use model::TenantId;
use std::io;
use std::path::{Path, PathBuf};

/// One holder's file.
pub(crate) struct Holder {
    number: usize,
    path: PathBuf,
    /// The region that is known to be whole and durable; the other one is written first.
    safe: usize,
}

/// What was found in a holder.
pub(crate) enum Found {
    /// No file.
    Nothing,
    /// A file, but no region that opens.
    Broken,
    /// A table. `settled` unless the other region is older or torn.
    Table { table: Table, sequence: u64, settled: bool },
}

impl Holder {
    pub(crate) fn new(number: usize, dir: &Path, tenant: TenantId) -> Self {
        Self { number, path: dir.join(format!("{tenant}.shred")), safe: 0 }
    }

    fn failed<T>(&self, result: io::Result<T>) -> Result<T, ShredError> {
        result.map_err(|_| ShredError::Holder(self.number))
    }

    /// Reads the file, and wipes what an interrupted creation left beside it.
    pub(crate) fn read(
        &mut self,
        files: &dyn Files,
        tenant: TenantId,
        root: &Root,
    ) -> Result<Found, ShredError> {
        self.failed(files::wipe(files, &files::temporary(&self.path)))?;
        let Some(bytes) = self.failed(files.read(&self.path))? else { return Ok(Found::Nothing) };
        let ([first, second], []) = bytes.as_chunks::<REGION>() else { return Ok(Found::Broken) };
        let mut regions: Vec<_> = [first, second]
            .into_iter()
            .enumerate()
            .filter_map(|(at, bytes)| Region::parse(bytes, tenant).map(|region| (at, region)))
            .collect();
        // The newest first; of equals the first.
        regions.sort_by_key(|(_, region)| std::cmp::Reverse(region.sequence));
        let mut found = Found::Broken;
        for (at, region) in &regions {
            if !region.is_for(root) {
                return Err(ShredError::Root);
            }
            if let Ok(table) = region.open(root) {
                self.safe = *at;
                found = Found::Table { table, sequence: region.sequence, settled: first == second };
                break;
            }
        }
        Ok(found)
    }

    /// Makes the file, in place of whatever is there.
    pub(crate) fn create(&mut self, files: &dyn Files, region: &[u8]) -> Result<(), ShredError> {
        self.failed(files::wipe(files, &self.path))?;
        self.failed(files::put(files, &self.path, &region.repeat(FILE / REGION)))?;
        self.safe = 0;
        Ok(())
    }

    /// Replaces both regions, one after the other, each durable before the next step. When this returns, nothing
    /// of the former content is left in the file.
    pub(crate) fn replace(&mut self, files: &dyn Files, region: &[u8]) -> Result<(), ShredError> {
        let first = 1 - self.safe;
        self.write(files, first, region)?;
        self.safe = first;
        self.write(files, 1 - first, region)
    }

    fn write(&self, files: &dyn Files, at: usize, region: &[u8]) -> Result<(), ShredError> {
        let offset = if at == 0 { 0 } else { REGION as u64 };
        self.failed(files.write_at(&self.path, offset, region))?;
        self.failed(files.sync(&self.path))
    }
}
