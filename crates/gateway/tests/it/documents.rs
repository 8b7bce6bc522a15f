//! The blocks of TOML in docs/gateway.md: each is a configuration, or a part of one, that is taken.

use gateway::Setup;
use gateway::config::Tables;
use std::path::Path;

const HEAD: &str = "[gateway]\nlisten = [\"127.0.0.1:8443\"]\nupstream = \"http://127.0.0.1:8000\"\n\
    [gateway.principal]\nkind = \"forward\"\npath = \"/whoami\"\nroles = { lead = \"operations\" }\n";

fn blocks() -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/gateway.md");
    let text = std::fs::read_to_string(file).expect("docs/gateway.md");
    let blocks = text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.map(str::to_owned).collect()
}

fn build(block: &str, base: &Path) -> Result<Setup, String> {
    let whole = if block.contains("[gateway]") { block.to_owned() } else { format!("{HEAD}{block}") };
    let tables: Tables = toml::from_str(&whole).map_err(|error| error.to_string())?;
    Setup::build(&tables, base, None).map_err(|error| error.to_string())
}

#[test]
fn each_block_of_the_tour_is_taken() {
    let folder = std::env::temp_dir().join(format!("obhut-gateway-doc-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let key = rcgen::KeyPair::generate().expect("a key");
    std::fs::write(folder.join("app-keys.json"), key.public_key_pem()).expect("written");
    let blocks = blocks();
    assert!(blocks.len() >= 8, "the tour has its blocks");
    for block in &blocks {
        if let Err(error) = build(block, &folder) {
            panic!("{error}\n{block}");
        }
        // The control: a block with a word too much is refused.
        let wrong = block.replacen(" = ", "_not_a_key = ", 1);
        assert!(build(&wrong, &folder).is_err(), "{wrong}");
    }
    std::fs::remove_dir_all(folder).expect("removed");
}
