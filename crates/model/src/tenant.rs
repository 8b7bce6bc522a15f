//! The life of a tenant.

use serde::{Deserialize, Serialize};

/// What a tenant's contract allows at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum TenantState {
    /// Everything.
    Active = 1,
    /// Ended in the future: everything still works.
    Notice = 2,
    /// The retrieval window: export and the persons' own rights alone.
    Retrieval = 3,
    /// Being removed: nothing.
    Closing = 4,
    /// Gone: nothing.
    Closed = 5,
}
