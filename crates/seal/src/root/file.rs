//! The root as a JSON file, its private keys sealed under a passphrase.
//!
//! Argon2id (RFC 9106) makes 32 bytes of the passphrase; they are the pseudorandom key of one sealing. Sealed is:
//! length of the RSA key (4 bytes, big-endian) ‖ RSA key as PKCS#8 ‖ ML-KEM decapsulation key (2,400). The public keys
//! stand inside too: who has no passphrase cannot even wrap for this root.

use super::{Passphrase, Root, RootError, RootId, RootInfo, RootKind};
use crate::aad::Aad;
use crate::kdf::Prk;
use crate::labels::ROOT_FILE;
use crate::one_seal::OneSealKey;
use crate::padding;
use crate::secret::{Buffer, Secret};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::PrivateDecryptingKey;
use data_encoding::{BASE64, HEXLOWER};
use model::Entropy;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

const FORMAT: &str = "obhut-root/1";
const KDF: &str = "argon2id";
/// Longest file that is looked at, in bytes.
const MAX_FILE: usize = 64 << 10;
const SALT: usize = 32;

/// Costs of the standard: 64 MiB, three passes, four lanes (RFC 9106 §4, second recommended option).
const STANDARD: Costs = Costs { memory_kib: 65_536, passes: 3, lanes: 4 };
/// Costs of a demo root, which guards nothing.
const DEMO: Costs = Costs { memory_kib: 1_024, passes: 1, lanes: 1 };
/// What no root needs.
const CEILING: Costs = Costs { memory_kib: 1 << 20, passes: 16, lanes: 16 };

#[derive(Clone, Copy)]
struct Costs {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Costs {
    fn of(kind: RootKind) -> Self {
        match kind {
            RootKind::Demo => DEMO,
            RootKind::Production => STANDARD,
        }
    }

    fn all_at_least(self, floor: Self) -> bool {
        self.memory_kib >= floor.memory_kib && self.passes >= floor.passes && self.lanes >= floor.lanes
    }

    /// Costs from a file are the enemy's to choose, downwards and upwards.
    fn check(self, kind: RootKind) -> Result<Params, RootError> {
        if !self.all_at_least(Self::of(kind)) {
            return Err(RootError::Weak);
        }
        if !CEILING.all_at_least(self) {
            return Err(RootError::Costly);
        }
        Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).map_err(|_| RootError::Format)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    id: String,
    kind: RootKind,
    kdf: Kdf,
    sealed: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kdf {
    name: String,
    version: u32,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
}

impl Root {
    /// The root's file, sealed under the passphrase with a fresh salt. Takes about 0.2 s for a production root.
    ///
    /// # Errors
    /// [`RootError::Library`].
    pub fn to_file(&self, passphrase: &Passphrase, entropy: &dyn Entropy) -> Result<Vec<u8>, RootError> {
        let (costs, salt) = (Costs::of(self.kind), model::clock::random::<SALT>(entropy));
        let prk = stretch(passphrase, &salt, costs.check(self.kind)?)?;
        let aad = aad(self.id, self.kind, costs, &salt);
        let mut sealed = Vec::new();
        let keys = self.private_keys()?;
        OneSealKey::derive(&prk, ROOT_FILE, aad)
            .and_then(|key| key.seal(&keys, &mut sealed))
            .map_err(|_| RootError::Library)?;
        let file = File {
            format: FORMAT.into(),
            id: HEXLOWER.encode(&self.id.0),
            kind: self.kind,
            kdf: Kdf {
                name: KDF.into(),
                version: Version::V0x13 as u32,
                memory_kib: costs.memory_kib,
                passes: costs.passes,
                lanes: costs.lanes,
                salt: BASE64.encode(&salt),
            },
            sealed: BASE64.encode(&sealed),
        };
        let mut json = serde_json::to_vec_pretty(&file).map_err(|_| RootError::Library)?;
        json.push(b'\n');
        Ok(json)
    }

    /// Opens a root file. Takes about 0.2 s and 64 MiB for a production root.
    ///
    /// # Errors
    /// [`RootError::Format`], [`RootError::Weak`] and [`RootError::Costly`] before any work is done;
    /// [`RootError::Open`] alike for a wrong passphrase and an altered file.
    pub fn open(file: &[u8], passphrase: &Passphrase) -> Result<Self, RootError> {
        let (file, id) = parse(file)?;
        let costs = Costs { memory_kib: file.kdf.memory_kib, passes: file.kdf.passes, lanes: file.kdf.lanes };
        let params = costs.check(file.kind)?;
        let salt = BASE64.decode(file.kdf.salt.as_bytes()).map_err(|_| RootError::Format)?;
        let salt: [u8; SALT] = salt.try_into().map_err(|_| RootError::Format)?;
        let sealed = BASE64.decode(file.sealed.as_bytes()).map_err(|_| RootError::Format)?;
        let prk = stretch(passphrase, &salt, params)?;
        let aad = aad(id, file.kind, costs, &salt);
        let keys = OneSealKey::derive(&prk, ROOT_FILE, aad)
            .and_then(|key| key.open(&sealed))
            .map_err(|_| RootError::Open)?;
        let (length, rest) = keys.split_first_chunk::<4>().ok_or(RootError::Open)?;
        let (rsa, kem) =
            rest.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or(RootError::Open)?;
        let rsa = PrivateDecryptingKey::from_pkcs8(rsa).map_err(|_| RootError::Open)?;
        Self::assemble(id, file.kind, rsa, kem).ok_or(RootError::Open)
    }

    /// What a root file says of itself, without a passphrase.
    ///
    /// # Errors
    /// [`RootError::Format`].
    pub fn inspect(file: &[u8]) -> Result<RootInfo, RootError> {
        parse(file).map(|(file, id)| RootInfo { id, kind: file.kind })
    }

    fn private_keys(&self) -> Result<Buffer, RootError> {
        let rsa: Pkcs8V1Der<'_> = self.rsa.as_der().map_err(|_| RootError::Library)?;
        let kem = self.kem_private.key_bytes().map_err(|_| RootError::Library)?;
        let (rsa, kem) = (rsa.as_ref(), kem.as_ref());
        let length = u32::try_from(rsa.len()).map_err(|_| RootError::Library)?;
        let mut keys = Buffer::with_capacity(padding::padded_len(4 + rsa.len() + kem.len()));
        keys.extend(&length.to_be_bytes());
        keys.extend(rsa);
        keys.extend(kem);
        Ok(keys)
    }
}

fn parse(file: &[u8]) -> Result<(File, RootId), RootError> {
    if file.len() > MAX_FILE {
        return Err(RootError::Format);
    }
    let file: File = serde_json::from_slice(file).map_err(|_| RootError::Format)?;
    if file.format != FORMAT || file.kdf.name != KDF || file.kdf.version != Version::V0x13 as u32 {
        return Err(RootError::Format);
    }
    let id = HEXLOWER.decode(file.id.as_bytes()).map_err(|_| RootError::Format)?;
    let id = RootId(id.try_into().map_err(|_| RootError::Format)?);
    Ok((file, id))
}

/// Argon2id, in memory that is wiped afterwards: its last block would give the key away.
fn stretch(passphrase: &Passphrase, salt: &[u8; SALT], params: Params) -> Result<Prk, RootError> {
    let mut blocks = vec![Block::default(); params.block_count()];
    let mut key = Secret::zero();
    let result = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into_with_memory(
        &passphrase.0,
        salt,
        key.as_mut(),
        &mut blocks,
    );
    blocks.iter_mut().for_each(Zeroize::zeroize);
    result.map_err(|_| RootError::Library)?;
    Ok(Prk::of(key))
}

fn aad(id: RootId, kind: RootKind, costs: Costs, salt: &[u8; SALT]) -> Aad {
    Aad::new(ROOT_FILE)
        .bytes(&id.0)
        .u8(match kind {
            RootKind::Demo => 1,
            RootKind::Production => 2,
        })
        .u32(costs.memory_kib)
        .u32(costs.passes)
        .u32(costs.lanes)
        .bytes(salt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ROOT_FILE as DEMO_FILE, Seeded, passphrase, root};
    use serde_json::Value;

    fn edited(edit: impl FnOnce(&mut Value)) -> Vec<u8> {
        let mut file: Value = serde_json::from_slice(DEMO_FILE).unwrap();
        edit(&mut file);
        serde_json::to_vec(&file).unwrap()
    }

    fn error(file: &[u8]) -> Option<RootError> {
        Root::open(file, &passphrase()).err()
    }

    #[test]
    fn a_written_file_opens_as_the_same_root() {
        let root = root();
        let file = root.to_file(&passphrase(), &Seeded::new(1)).unwrap();
        let again = Root::open(&file, &passphrase()).unwrap();
        assert_eq!((again.id, again.kind, again.public_digests), (root.id, root.kind, root.public_digests));
        assert_eq!(Root::inspect(&file), Ok(RootInfo { id: root.id, kind: root.kind }));
    }

    #[test]
    fn a_wrong_passphrase_and_an_altered_file_look_alike() {
        let wrong = Passphrase::new(b"correct horse battery stapler".to_vec()).unwrap();
        assert_eq!(Root::open(DEMO_FILE, &wrong).err(), Some(RootError::Open));
        let altered: [fn(&mut Value); 4] = [
            |file| file["id"] = Value::from("00000000000000000000000000000000"),
            |file| file["kdf"]["passes"] = Value::from(2),
            |file| file["kdf"]["salt"] = Value::from(BASE64.encode(&[0; 32])),
            |file| {
                let mut sealed = BASE64.decode(file["sealed"].as_str().unwrap().as_bytes()).unwrap();
                sealed[2_000] ^= 1;
                file["sealed"] = BASE64.encode(&sealed).into();
            },
        ];
        for edit in altered {
            assert_eq!(error(&edited(edit)), Some(RootError::Open));
        }
        // The control: writing the same values again does no harm.
        assert_eq!(error(&edited(|_| {})), None);
    }

    #[test]
    fn no_flipped_bit_of_the_file_opens() {
        for at in (0..DEMO_FILE.len()).step_by(41) {
            for bit in 0..8 {
                let mut flipped = DEMO_FILE.to_vec();
                flipped[at] ^= 1 << bit;
                let opened = Root::open(&flipped, &passphrase());
                // White space is the one thing that may change: it is not part of what is said.
                let same = serde_json::from_slice::<Value>(&flipped).ok()
                    == serde_json::from_slice::<Value>(DEMO_FILE).ok();
                assert_eq!(opened.is_ok(), same, "{at}");
            }
        }
    }

    #[test]
    fn costs_from_a_file_are_bounded_on_both_sides() {
        let costs = |memory: u64, passes: u64, lanes: u64, kind: &str| {
            error(&edited(|file| {
                file["kind"] = kind.into();
                file["kdf"]["memory_kib"] = memory.into();
                file["kdf"]["passes"] = passes.into();
                file["kdf"]["lanes"] = lanes.into();
            }))
        };
        // A demo file that calls itself production, and a production file with easier costs.
        assert_eq!(costs(1_024, 1, 1, "production"), Some(RootError::Weak));
        assert_eq!(costs(65_535, 3, 4, "production"), Some(RootError::Weak));
        assert_eq!(costs(65_536, 2, 4, "production"), Some(RootError::Weak));
        assert_eq!(costs(65_536, 3, 3, "production"), Some(RootError::Weak));
        assert_eq!(costs(1_023, 1, 1, "demo"), Some(RootError::Weak));
        assert_eq!(costs(1_024, 0, 1, "demo"), Some(RootError::Weak));
        assert_eq!(costs((1 << 20) + 1, 3, 4, "production"), Some(RootError::Costly));
        assert_eq!(costs(1_024, 17, 1, "demo"), Some(RootError::Costly));
        assert_eq!(costs(1_024, 1, 17, "demo"), Some(RootError::Costly));
        assert_eq!(costs(u64::from(u32::MAX), u64::from(u32::MAX), 1, "demo"), Some(RootError::Costly));
        assert_eq!(costs(1 << 40, 1, 1, "demo"), Some(RootError::Format));
        // Within the bounds the derivation runs and the seal decides.
        assert_eq!(costs(1_024, 2, 1, "demo"), Some(RootError::Open));
    }

    #[test]
    fn what_is_no_root_file_is_refused() {
        let edits: [fn(&mut Value); 6] = [
            |file| file["format"] = "obhut-root/2".into(),
            |file| file["more"] = 1.into(),
            |file| file["kdf"]["name"] = "argon2d".into(),
            |file| file["kdf"]["version"] = 16.into(),
            |file| file["kdf"]["salt"] = "AAAA".into(),
            |file| drop(file.as_object_mut().unwrap().remove("id")),
        ];
        for edit in edits {
            assert_eq!(error(&edited(edit)), Some(RootError::Format));
        }
        for file in [&b""[..], b"{}", b"null", &[b' '; MAX_FILE + 1]] {
            assert_eq!(error(file), Some(RootError::Format));
            assert_eq!(Root::inspect(file).err(), Some(RootError::Format));
        }
    }

    #[test]
    fn passphrases_have_1_to_1024_bytes() {
        for (len, fits) in [(0, false), (1, true), (1_024, true), (1_025, false)] {
            assert_eq!(Passphrase::new(vec![b'x'; len]).is_ok(), fits);
        }
    }
}
