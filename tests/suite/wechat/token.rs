//! The sealed token.

use super::account::{APP_ID, context, entry};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use caishi::deliver::wechat::{self, token::TokenSeal};
use proptest::prelude::*;
use secrecy::{ExposeSecret as _, SecretString};

fn seal(app_id: &str, secret: &str) -> TokenSeal {
    TokenSeal::new(app_id, &SecretString::from(secret))
}

proptest! {
    #[test]
    fn what_is_sealed_can_be_opened_by_the_same_account_and_secret_only(
        token in "[A-Za-z0-9_-]{0,600}",
        secret in "[a-f0-9]{32}",
        other in "[a-f0-9]{32}",
        flip in any::<prop::sample::Index>(),
    ) {
        prop_assume!(secret != other);
        let token = SecretString::from(token);
        let sealed = seal(APP_ID, &secret).seal(&token).unwrap();
        prop_assert_ne!(&sealed, &seal(APP_ID, &secret).seal(&token).unwrap(), "nonces differ");
        let opened = seal(APP_ID, &secret).open(&sealed).unwrap();
        prop_assert_eq!(opened.expose_secret(), token.expose_secret());
        prop_assert!(seal(APP_ID, &other).open(&sealed).is_none());
        prop_assert!(seal("wx9999999999999999", &secret).open(&sealed).is_none());
        let mut bytes = STANDARD.decode(&sealed).unwrap();
        let at = flip.index(bytes.len());
        bytes[at] ^= 1;
        prop_assert!(seal(APP_ID, &secret).open(&STANDARD.encode(bytes)).is_none());
    }
}

#[test]
fn rubbish_is_not_opened() {
    for rubbish in ["", "AAAA", "不是 base64", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]
    {
        assert!(seal(APP_ID, "secret").open(rubbish).is_none());
    }
}

/// Whatever is printed of a channel in a log holds nothing that opens a door.
#[test]
fn debug_output_has_no_secrets() {
    let channel = wechat::build(&entry(""), &context("http://127.0.0.1:1")).unwrap();
    let credentials = wechat::sandbox_credentials(APP_ID);
    let shown = format!("{channel:?} {credentials:?} {:?}", seal(APP_ID, "canary-secret"));
    let secrets = [
        credentials.secret.expose_secret(),
        credentials.callback_token.expose_secret(),
        credentials.encoding_aes_key.expose_secret(),
        "canary",
    ];
    for secret in secrets {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains(APP_ID), "it is the channel that was printed");
    assert_eq!(credentials.encoding_aes_key.expose_secret().len(), 43);
}
