//! Runs the suite that every backend must pass. A further backend adds a test with its own way to open a store.

use crate::suite;
use store::{Options, Store};

#[test]
fn the_embedded_backend_conforms() {
    suite::run(|| {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), &Options::default()).unwrap();
        (store, Box::new(dir))
    });
}
