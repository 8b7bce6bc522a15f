//! What a tenant declares, as JSON.

use model::catalogue::{self, Field};
use model::purpose;
use vault::TenantConfig;

/// A catalogue: an accepted one keeps the rules that others rely on.
pub fn catalogue(bytes: &[u8]) -> bool {
    let Ok(fields) = serde_json::from_slice::<Vec<Field>>(bytes) else { return false };
    if catalogue::validate(&fields).is_err() {
        return false;
    }
    for field in &fields {
        assert!(field.id.0 != 0, "number 0 is the reference's");
        assert!(field.compartment.0 < 16);
        let indexed = field.index == catalogue::Index::Equality;
        assert!(!(indexed && field.category.is_special()), "a special category is indexed");
    }
    let again = serde_json::to_vec(&fields).ok().and_then(|json| serde_json::from_slice(&json).ok());
    assert_eq!(again, Some(fields));
    true
}

const FIELDS: &str = r#"[
  {"id":1,"name":"name","category":"identity","kind":"text","mask":"initials","index":"none","token":"opaque",
   "compartment":0,"third_party":false,"max_bytes":200},
  {"id":2,"name":"email","category":"contact","kind":"email","mask":"redact","index":"equality","token":"email",
   "compartment":0,"third_party":false,"max_bytes":254},
  {"id":3,"name":"health_note","category":"health","kind":"text","mask":"redact","index":"none",
   "token":{"digits":12},"compartment":1,"third_party":false,"max_bytes":4000}]"#;

/// A small catalogue, and the empty one.
pub fn catalogue_seeds() -> Vec<Vec<u8>> {
    vec![FIELDS.as_bytes().to_vec(), b"[]".to_vec()]
}

/// A whole configuration: an accepted one refers only to what it declares.
pub fn tenant_config(bytes: &[u8]) -> bool {
    let Ok(config) = serde_json::from_slice::<TenantConfig>(bytes) else { return false };
    let valid = catalogue::validate(&config.fields).is_ok()
        && purpose::validate(&config.purposes, &config.recipients, &config.fields).is_ok()
        && config.notices.iter().all(|notice| notice.validate().is_ok());
    if !valid {
        return false;
    }
    for one in &config.purposes {
        assert!(one.fields.iter().all(|id| config.field_by_id(*id).is_some()));
        assert_eq!(config.purpose(&one.name), Some(one));
        let special = one.fields.iter().filter_map(|id| config.field_by_id(*id));
        let special = special.filter(|field| field.category.is_special()).count();
        assert!(special == 0 || one.special_basis.is_some(), "a special category without a basis");
    }
    true
}

/// A configuration with one of each.
pub fn tenant_config_seeds() -> Vec<Vec<u8>> {
    let rest = r#""recipients":[{"id":1,"name":"clinic","title":"Clinic"}],
        "purposes":[{"id":1,"name":"return-to-work","title":"Return to work","basis":"consent",
          "special_basis":"explicit_consent","fields":[1,3],"masked":[2],"recipients":[0,1],
          "roles":["case_manager"],"marketing":false,"survives_restriction":false,"current":true}],
        "notices":[{"id":"not_00000000000000000000000000","name":"return-to-work","versions":[{"texts":[
          {"language":"de","text":"Wir fragen."},{"language":"en","text":"We ask."}]}]}]"#;
    vec![format!(r#"{{"name":"Werk Süd","fields":{FIELDS},{rest}}}"#).into_bytes()]
}
