//! Signatures and encryption of callbacks, from the platform's side.

use aes::Aes256;
use base64::{
    Engine as _, alphabet,
    engine::{
        DecodePaddingMode,
        general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD},
    },
};
use cbc::{
    Encryptor,
    cipher::{BlockEncryptMut as _, KeyIvInit as _, block_padding::NoPadding},
};
use sha1::{Digest as _, Sha1};

/// Real keys have bits behind their end that are not zero, which strict decoders refuse.
const KEY_TEXT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// The padding's block: the platform pads to 32 bytes, not to the cipher's 16.
const PADDED_TO: usize = 32;

/// Reads an EncodingAESKey: 43 characters, 32 bytes.
pub(super) fn key(text: &str) -> Option<[u8; 32]> {
    KEY_TEXT.decode(text).ok()?.try_into().ok().filter(|_| text.len() == 43)
}

/// `sha1` of the parts, sorted and run together.
pub(super) fn signature(parts: &[&str]) -> String {
    let mut parts = parts.to_vec();
    parts.sort_unstable();
    let mut text = String::with_capacity(40);
    for byte in Sha1::digest(parts.concat()) {
        text += &format!("{byte:02x}");
    }
    text
}

/// 16 random bytes ‖ length ‖ message ‖ app id, encrypted, as base64.
pub(super) fn encrypt(key: &[u8; 32], random: &[u8; 16], message: &str, app_id: &str) -> String {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
    let mut plain = [random.as_slice(), &length, message.as_bytes(), app_id.as_bytes()].concat();
    let missing = PADDED_TO - plain.len() % PADDED_TO;
    plain.extend(std::iter::repeat_n(u8::try_from(missing).unwrap_or(0), missing));
    let mut iv = [0_u8; 16];
    iv.copy_from_slice(&key[..16]);
    let cipher = Encryptor::<Aes256>::new(key.into(), &iv.into());
    STANDARD.encode(cipher.encrypt_padded_vec_mut::<NoPadding>(&plain))
}
