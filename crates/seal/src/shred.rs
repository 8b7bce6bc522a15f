//! The shred store: the one place of the house that can truly forget.
//!
//! It keeps the keys of at most eight shred epochs per tenant, and nothing else does: they are in no database, log or
//! backup. Each stands in two or more *holders* (a small file each, of fixed size, in different places) and in one
//! *escrow* object, all sealed to the root. To destroy an epoch every holder is overwritten without it, under a
//! fresh key, and the escrow object is wiped. What was destroyed is remembered, so that an old file put back does
//! not bring it back as long as one holder is intact.
//!
//! No step of any change leaves a holder without a whole region, and whatever a crash interrupted is finished by the
//! next [`ShredStore::open`]. A file system or a disk that keeps old blocks (snapshots, flash translation) keeps them
//! here too; then what protects is the root. `FORMATS.md` has the bytes.

mod files;
mod holder;
mod region;
#[cfg(test)]
mod tests;

use crate::aad::Aad;
use crate::labels::INDEX_EPOCH;
use crate::secret::{Secret, opaque_debug};
use crate::wrap::WrapKey;
use crate::{IndexId, Root, SealError};
use files::{Disk, Files};
use holder::{Found, Holder};
use model::{Entropy, TenantId, Timestamp};
use parking_lot::{Mutex, RwLock};
use region::{EPOCH_LIMIT, Live, MAX_EPOCHS, MergeError, Table};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One live epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochInfo {
    /// Its number: the week in which it began ([`Timestamp::week`]).
    pub epoch: u32,
    /// When its key was made.
    pub created: Timestamp,
}

/// The key of one live shred epoch. It wraps the key bundles of persons.
pub struct EpochKey {
    tenant: TenantId,
    info: EpochInfo,
    key: WrapKey,
}

opaque_debug!(EpochKey, ShredStore);

impl EpochKey {
    /// Its number.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.info.epoch
    }

    /// Puts the wrap of an index key under this epoch as well, so that it opens with tenant key and epoch key together. A
    /// copy of the key store whose epochs are destroyed then tells nothing by its indexes either: whoever has the
    /// tenant key alone cannot try values against them.
    ///
    /// # Errors
    /// [`SealError::Exhausted`], [`SealError::Library`].
    pub fn hold_index(
        &self,
        index: IndexId,
        wrap: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, SealError> {
        self.key.wrap(&self.aad_index(index), wrap, entropy)
    }

    /// The wrap that was put under this epoch.
    ///
    /// # Errors
    /// [`SealError::Open`].
    pub fn held_index(&self, index: IndexId, held: &[u8]) -> Result<Vec<u8>, SealError> {
        Ok(self.key.unwrap(&self.aad_index(index), held)?.to_vec())
    }

    fn aad_index(&self, index: IndexId) -> Aad {
        Aad::new(INDEX_EPOCH).bytes(&self.tenant.0).u32(self.info.epoch).u16(index.0)
    }

    pub(crate) fn is_at(&self, tenant: TenantId, epoch: u32) -> bool {
        self.tenant == tenant && self.info.epoch == epoch
    }

    pub(crate) fn key(&self) -> &WrapKey {
        &self.key
    }
}

/// What [`ShredStore::open`] put right, for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repair {
    /// This holder's file was missing, broken, torn or older than another's and was written anew.
    Holder(usize),
    /// This epoch's escrow object was missing or torn and was written anew.
    Escrow(u32),
    /// This epoch was destroyed before, but its escrow object was still or again there; it was wiped.
    Wiped(u32),
    /// This epoch was found in escrow alone and taken up again.
    Adopted(u32),
    /// This escrow object belongs to no epoch that is known and does not open; it was left as it is.
    Unreadable(u32),
}

/// How thoroughly an epoch was destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destroyed {
    /// How many holders confirmed. All, or there would be an error.
    pub holders: usize,
    /// Whether the escrow object is gone. Always, or there would be an error.
    pub escrow: bool,
}

/// Why the shred store could not do what was asked. Holders are numbered from 0 in the order given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShredError {
    /// Two to four holders are needed, in different directories.
    #[error("two to four different holders are needed")]
    Holders,
    /// This holder could not be read or written; its directory must exist.
    #[error("holder {0} unavailable")]
    Holder(usize),
    /// The escrow place could not be read or written; its directory must exist.
    #[error("escrow unavailable")]
    Escrow,
    /// There are files, but none is whole. Only a person may decide to go on from escrow, by moving them away.
    #[error("no whole holder file")]
    Damaged,
    /// The files were sealed to another root.
    #[error("sealed to another root")]
    Root,
    /// Two holders have different keys for one epoch.
    #[error("holders diverge")]
    Diverged,
    /// Eight epochs are alive already.
    #[error("eight epochs are alive")]
    Full,
    /// No such epoch was ever made, or its number is not in 1 to 8,191.
    #[error("unknown epoch")]
    Unknown,
    /// The epoch was destroyed and does not come back.
    #[error("epoch destroyed")]
    Destroyed,
    /// The cryptographic library refused to work.
    #[error("cryptographic library failed")]
    Library,
}

impl From<SealError> for ShredError {
    fn from(_: SealError) -> Self {
        Self::Library
    }
}

impl From<MergeError> for ShredError {
    fn from(error: MergeError) -> Self {
        match error {
            MergeError::Diverged => Self::Diverged,
            MergeError::Full => Self::Full,
        }
    }
}

/// The epoch keys of one tenant.
pub struct ShredStore {
    place: Place,
    /// What is, or is about to be, in the files. One change at a time.
    book: Mutex<Book>,
    /// What readers see: ascending, and no epoch before every holder has it, nor once its end has begun.
    live: RwLock<Vec<Arc<EpochKey>>>,
    repairs: Vec<Repair>,
}

/// Whose files, and how to reach them.
struct Place {
    files: Box<dyn Files>,
    tenant: TenantId,
    root: Arc<Root>,
    escrow: PathBuf,
}

/// The state of the files.
struct Book {
    table: Table,
    sequence: u64,
    holders: Vec<Holder>,
    /// For each holder whether its file has the table as it stands.
    confirmed: Vec<bool>,
}

impl ShredStore {
    /// Opens the files of a tenant, making them where there are none, and finishes what was interrupted. Costs about
    /// 1.5 ms of RSA for each holder. The directories must exist.
    ///
    /// # Errors
    /// As the variants of [`ShredError`] say.
    pub fn open(
        holders: &[PathBuf],
        escrow: &Path,
        tenant: TenantId,
        root: &Arc<Root>,
        entropy: &dyn Entropy,
    ) -> Result<Self, ShredError> {
        Self::open_on(Box::new(Disk), holders, escrow, tenant, root, entropy)
    }

    fn open_on(
        files: Box<dyn Files>,
        holders: &[PathBuf],
        escrow: &Path,
        tenant: TenantId,
        root: &Arc<Root>,
        entropy: &dyn Entropy,
    ) -> Result<Self, ShredError> {
        let distinct = holders.iter().enumerate().all(|(at, dir)| !holders[..at].contains(dir));
        if !(2..=4).contains(&holders.len()) || !distinct {
            return Err(ShredError::Holders);
        }
        let place = Place { files, tenant, root: root.clone(), escrow: escrow.to_owned() };
        let mut repairs = Vec::new();
        let (mut book, found) = Book::read(&place, holders)?;
        let objects = place.escrow_objects()?;
        let any = |wanted: fn(&Found) -> bool| found.iter().any(wanted);
        if any(|one| matches!(one, Found::Broken)) && !any(|one| matches!(one, Found::Table { .. })) {
            return Err(ShredError::Damaged);
        }
        place.adopt(&objects, &mut book.table, &mut repairs)?;
        book.settle(&place, &found, &mut repairs, entropy)?;
        place.mend_escrow(&objects, &book.table, &mut repairs, entropy)?;
        let live = book.table.live().iter().map(|live| place.handle(live)).collect::<Result<_, _>>()?;
        Ok(Self { place, book: Mutex::new(book), live: RwLock::new(live), repairs })
    }

    /// What opening put right.
    #[must_use]
    pub fn repairs(&self) -> &[Repair] {
        &self.repairs
    }

    /// The live epochs, ascending.
    #[must_use]
    pub fn epochs(&self) -> Vec<EpochInfo> {
        self.live.read().iter().map(|key| key.info).collect()
    }

    /// The key of a live epoch.
    #[must_use]
    pub fn key(&self, epoch: u32) -> Option<Arc<EpochKey>> {
        self.live.read().iter().find(|key| key.info.epoch == epoch).cloned()
    }

    /// Makes the key of an epoch, durable in every holder and in escrow before it is handed out; or gives the one
    /// that is there. After an error the call may be repeated and goes on with the same key.
    ///
    /// # Errors
    /// [`ShredError::Full`], [`ShredError::Unknown`] (number out of bounds), [`ShredError::Destroyed`],
    /// [`ShredError::Holder`], [`ShredError::Escrow`].
    pub fn create(
        &self,
        epoch: u32,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Arc<EpochKey>, ShredError> {
        let mut book = self.book.lock();
        if let Some(key) = self.key(epoch) {
            return Ok(key);
        }
        if book.table.get(epoch).is_none() {
            if epoch == 0 || epoch >= EPOCH_LIMIT {
                return Err(ShredError::Unknown);
            }
            if book.table.is_destroyed(epoch) {
                return Err(ShredError::Destroyed);
            }
            let live = Live { epoch, created: now, key: Secret::random(entropy) };
            book.table.add(live).ok_or(ShredError::Full)?;
            book.confirmed.fill(false);
        }
        let live = book.table.get(epoch).ok_or(ShredError::Unknown)?;
        self.place.write_escrow(live, entropy)?;
        let key = self.place.handle(live)?;
        book.flush(&self.place, entropy)?;
        let mut live = self.live.write();
        let at = live.partition_point(|key| key.info.epoch < epoch);
        live.insert(at, key.clone());
        Ok(key)
    }

    /// Destroys an epoch: out of memory at once, then out of every holder, then out of escrow. After an error the
    /// call may be repeated; done twice it confirms again. Handles that are still held elsewhere go with their holders.
    ///
    /// # Errors
    /// [`ShredError::Unknown`]; [`ShredError::Holder`] with the first holder that did not confirm, after the others
    /// were tried; [`ShredError::Escrow`].
    pub fn destroy(&self, epoch: u32, entropy: &dyn Entropy) -> Result<Destroyed, ShredError> {
        let mut book = self.book.lock();
        if book.table.get(epoch).is_some() {
            book.table.destroy(epoch);
            book.confirmed.fill(false);
        } else if !book.table.is_destroyed(epoch) {
            return Err(ShredError::Unknown);
        }
        self.live.write().retain(|key| key.info.epoch != epoch);
        let flushed = book.flush(&self.place, entropy);
        let wiped = self.place.wipe_escrow(epoch);
        flushed?;
        wiped?;
        Ok(Destroyed { holders: book.holders.len(), escrow: true })
    }
}

impl Book {
    /// Reads all holders and puts together what they know.
    fn read(place: &Place, dirs: &[PathBuf]) -> Result<(Self, Vec<Found>), ShredError> {
        let mut holders: Vec<_> =
            dirs.iter().enumerate().map(|(number, dir)| Holder::new(number, dir, place.tenant)).collect();
        let mut found = Vec::with_capacity(holders.len());
        let (mut table, mut newest) = (Table::empty(), 0);
        for holder in &mut holders {
            found.push(holder.read(&*place.files, place.tenant, &place.root)?);
        }
        for one in &found {
            if let Found::Table { table: theirs, sequence, .. } = one {
                table.merge(theirs)?;
                newest = newest.max(*sequence);
            }
        }
        let confirmed = vec![true; holders.len()];
        Ok((Self { table, sequence: newest, holders, confirmed }, found))
    }

    /// Brings every holder to the common table.
    fn settle(
        &mut self,
        place: &Place,
        found: &[Found],
        repairs: &mut Vec<Repair>,
        entropy: &dyn Entropy,
    ) -> Result<(), ShredError> {
        let known = found.iter().any(|found| !matches!(found, Found::Nothing)) || !repairs.is_empty();
        self.sequence += 1;
        for (number, found) in found.iter().enumerate() {
            match found {
                Found::Table { table, settled: true, .. } if table.equals(&self.table) => continue,
                Found::Table { .. } => self.write(number, place, entropy)?,
                Found::Nothing | Found::Broken => {
                    let region = self.encode(place, entropy)?;
                    self.holders[number].create(&*place.files, &region)?;
                }
            }
            if known {
                repairs.push(Repair::Holder(number));
            }
        }
        Ok(())
    }

    /// Writes the table to every holder that does not have it, going on after a failure.
    fn flush(&mut self, place: &Place, entropy: &dyn Entropy) -> Result<(), ShredError> {
        let mut result = Ok(());
        self.sequence += 1;
        for number in 0..self.holders.len() {
            if !self.confirmed[number] {
                let written = self.write(number, place, entropy);
                self.confirmed[number] = written.is_ok();
                result = result.and(written);
            }
        }
        result
    }

    fn write(&mut self, number: usize, place: &Place, entropy: &dyn Entropy) -> Result<(), ShredError> {
        let region = self.encode(place, entropy)?;
        self.holders[number].replace(&*place.files, &region)
    }

    fn encode(&self, place: &Place, entropy: &dyn Entropy) -> Result<Vec<u8>, ShredError> {
        Ok(region::encode(&self.table, place.tenant, self.sequence, &place.root, entropy)?)
    }
}

/// An escrow object that was found.
struct Object {
    epoch: u32,
    bytes: Vec<u8>,
}

impl Place {
    fn handle(&self, live: &Live) -> Result<Arc<EpochKey>, ShredError> {
        let info = EpochInfo { epoch: live.epoch, created: live.created };
        let key = WrapKey::new(Secret::copy_of(live.key.as_ref())?);
        Ok(Arc::new(EpochKey { tenant: self.tenant, info, key }))
    }

    fn object(&self, epoch: u32) -> PathBuf {
        self.escrow.join(format!("{}.{epoch}.escrow", self.tenant))
    }

    /// This tenant's escrow objects; wipes what an interrupted creation left.
    fn escrow_objects(&self) -> Result<Vec<Object>, ShredError> {
        let mut objects = Vec::new();
        for name in self.files.list(&self.escrow).map_err(|_| ShredError::Escrow)? {
            let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(&format!("{}.", self.tenant)))
            else {
                continue;
            };
            let path = self.escrow.join(&name);
            if rest.ends_with(files::TEMPORARY) {
                files::wipe(&*self.files, &path).map_err(|_| ShredError::Escrow)?;
            } else if let Some(epoch) = rest.strip_suffix(".escrow").and_then(|epoch| epoch.parse().ok()) {
                let bytes = self.files.read(&path).map_err(|_| ShredError::Escrow)?;
                objects.extend(bytes.map(|bytes| Object { epoch, bytes }));
            }
        }
        objects.sort_by_key(|object| object.epoch);
        Ok(objects)
    }

    /// Takes up epochs that stand in escrow alone: a creation was interrupted, or the holders were lost.
    fn adopt(
        &self,
        objects: &[Object],
        table: &mut Table,
        repairs: &mut Vec<Repair>,
    ) -> Result<(), ShredError> {
        for Object { epoch, bytes } in objects {
            if table.get(*epoch).is_some() || table.is_destroyed(*epoch) {
                continue;
            }
            match region::decode_escrow(bytes, self.tenant, *epoch, &self.root) {
                Ok(live) => {
                    table.add(live).ok_or(ShredError::Full)?;
                    repairs.push(Repair::Adopted(*epoch));
                }
                Err(_) => repairs.push(Repair::Unreadable(*epoch)),
            }
        }
        Ok(())
    }

    /// Wipes objects of destroyed epochs, and writes those that a live epoch lacks.
    fn mend_escrow(
        &self,
        objects: &[Object],
        table: &Table,
        repairs: &mut Vec<Repair>,
        entropy: &dyn Entropy,
    ) -> Result<(), ShredError> {
        for object in objects.iter().filter(|object| table.is_destroyed(object.epoch)) {
            self.wipe_escrow(object.epoch)?;
            repairs.push(Repair::Wiped(object.epoch));
        }
        for live in table.live() {
            let whole = |object: &&Object| region::escrow_is_whole(&object.bytes, self.tenant, live.epoch);
            if objects.iter().find(|object| object.epoch == live.epoch).filter(whole).is_none() {
                self.write_escrow(live, entropy)?;
                repairs.push(Repair::Escrow(live.epoch));
            }
        }
        Ok(())
    }

    fn write_escrow(&self, live: &Live, entropy: &dyn Entropy) -> Result<(), ShredError> {
        let object = region::encode_escrow(live, self.tenant, &self.root, entropy)?;
        files::put(&*self.files, &self.object(live.epoch), &object).map_err(|_| ShredError::Escrow)
    }

    fn wipe_escrow(&self, epoch: u32) -> Result<(), ShredError> {
        files::wipe(&*self.files, &self.object(epoch)).map(|_| ()).map_err(|_| ShredError::Escrow)
    }
}

const _: () = assert!(MAX_EPOCHS == 8, "the limit that the errors' texts name");
