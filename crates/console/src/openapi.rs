//! The description of the API (OpenAPI 3.1), made from the handlers themselves.

use crate::routes::{consents, declarations, erasure, find, house, keys, limits, persons, reveal, rights};
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Obhut",
        description = "A vault that decides on purpose and consent before each read, and proves what it did. \
            Every request names its key: `Authorization: Bearer obk_…`. Errors are problem+json with a stable code."
    ),
    paths(
        persons::store,
        persons::rectify,
        reveal::reveal,
        find::find,
        rights::export,
        rights::accesses,
        consents::list,
        consents::ask,
        consents::show,
        consents::give,
        consents::refuse,
        consents::withdraw,
        erasure::erase,
        erasure::certificate,
        limits::restrict,
        limits::object,
        limits::hold,
        declarations::catalogue,
        declarations::put_catalogue,
        declarations::purposes,
        declarations::put_purposes,
        declarations::notices,
        declarations::put_notice,
        keys::issue,
        keys::revoke,
        house::alive,
        house::ready,
        house::figures,
        house::keys,
        house::ledger,
        house::description
    )
)]
struct Description;

/// The description as JSON text.
#[must_use]
pub fn text() -> String {
    Description::openapi().to_pretty_json().unwrap_or_default()
}
