//! What may be declared and what may be stored: catalogue, purposes, notices, values, masks.

mod catalogue;
mod masks;
mod normal;
mod notices;
mod purposes;

use model::catalogue::{Category, Field, FieldType, Index, MaskRule, TokenFormat};
use model::{Compartment, FieldId};

/// A field that takes everything of its type.
fn field(kind: FieldType) -> Field {
    Field {
        id: FieldId(1),
        name: "field".to_owned(),
        category: Category::Identity,
        kind,
        mask: MaskRule::Redact,
        index: Index::None,
        token: TokenFormat::Opaque,
        compartment: Compartment(0),
        stable: false,
        third_party: false,
        max_bytes: 65_536,
    }
}

const KINDS: [FieldType; 5] =
    [FieldType::Text, FieldType::Email, FieldType::Phone, FieldType::Date, FieldType::Digits];
