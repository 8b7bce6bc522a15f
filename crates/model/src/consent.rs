//! The states of a consent record (ISO/IEC TS 27560, W3C DPV) and how one leads to another.

use serde::{Deserialize, Serialize};

/// Where a consent record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum ConsentState {
    /// Asked for, not yet answered.
    Requested = 1,
    /// The person wants to decide later.
    Deferred = 2,
    /// The person said no.
    Refused = 3,
    /// The person said yes. Permits.
    Given = 4,
    /// The person said yes again. Permits.
    Renewed = 5,
    /// The person took it back.
    Withdrawn = 6,
    /// Its term is over.
    Expired = 7,
    /// The controller ended it.
    Terminated = 8,
    /// Found not to have been valid.
    Invalidated = 9,
}
