//! Signatures and encryption of callbacks.
//!
//! Secure mode: `msg_signature = sha1(sort(token, timestamp, nonce, Encrypt))`; AES-256-CBC, the
//! IV is the key's first half, PKCS#7 to 32 bytes; the plaintext is 16 random bytes, the length
//! (big-endian), the message, the app id.

use aes::cipher::{BlockDecryptMut as _, KeyIvInit as _, block_padding::NoPadding};
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use sha1::{Digest as _, Sha1};
use std::fmt;
use subtle::ConstantTimeEq as _;

/// The platform's keys are 43 random characters: the last one has bits that belong to no byte.
/// They are as often set as not, and the usual engine refuses them.
const KEY_ENGINE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Bytes of the random start.
const RANDOM: usize = 16;
/// Bytes of the length.
const LENGTH: usize = 4;
/// Padding fills up to a multiple of this.
const PADDED_TO: usize = 32;

/// `sha1` of the sorted parts, in hexadecimal digits.
#[must_use]
pub fn signature(parts: &[&str]) -> String {
    let mut parts = parts.to_vec();
    parts.sort_unstable();
    format!("{:x}", Sha1::digest(parts.concat().as_bytes()))
}

/// Whether a signature is the expected one, in a time that tells nothing about where they differ.
#[must_use]
pub fn is_signed(given: &str, parts: &[&str]) -> bool {
    signature(parts).as_bytes().ct_eq(given.as_bytes()).into()
}

/// Why a message could not be read. Says nothing about the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// Not base64, or not whole blocks.
    #[error("密文不完整")]
    Ciphertext,
    /// The wrong key, or a damaged message.
    #[error("解密失败，请核对 EncodingAESKey")]
    Plaintext,
    /// Meant for another account.
    #[error("消息属于另一个公众号")]
    OtherAccount,
}

/// An `EncodingAESKey`.
pub struct EncodingKey(SecretBox<[u8; 32]>);

impl fmt::Debug for EncodingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncodingKey(…)")
    }
}

impl EncodingKey {
    /// Reads the 43 characters. `None` where they are something else.
    #[must_use]
    pub fn parse(text: &SecretString) -> Option<Self> {
        let text = text.expose_secret();
        let bytes = KEY_ENGINE.decode(text).ok().filter(|_| text.len() == 43)?;
        Some(Self(SecretBox::new(Box::new(bytes.try_into().ok()?))))
    }

    /// Decrypts the `Encrypt` element and checks whom it is for.
    ///
    /// # Errors
    /// [`CryptoError`]
    pub fn decrypt(&self, encrypted: &str, app_id: &str) -> Result<String, CryptoError> {
        let bytes = STANDARD.decode(encrypted.trim()).map_err(|_| CryptoError::Ciphertext)?;
        let key = self.0.expose_secret();
        let cipher = cbc::Decryptor::<aes::Aes256>::new_from_slices(key, &key[..16])
            .map_err(|_| CryptoError::Ciphertext)?;
        let padded = cipher
            .decrypt_padded_vec_mut::<NoPadding>(&bytes)
            .map_err(|_| CryptoError::Ciphertext)?;
        let plain = without_padding(&padded).ok_or(CryptoError::Plaintext)?;
        let (head, rest) = plain.split_at_checked(RANDOM + LENGTH).ok_or(CryptoError::Plaintext)?;
        let length = head[RANDOM..].iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
        let (message, account) = rest.split_at_checked(length).ok_or(CryptoError::Plaintext)?;
        if account != app_id.as_bytes() {
            return Err(CryptoError::OtherAccount);
        }
        String::from_utf8(message.to_vec()).map_err(|_| CryptoError::Plaintext)
    }
}

/// Takes PKCS#7 padding off: 1 to 32 equal bytes.
fn without_padding(bytes: &[u8]) -> Option<&[u8]> {
    let count = usize::from(*bytes.last()?);
    if count == 0 || count > PADDED_TO || count > bytes.len() {
        return None;
    }
    let (rest, padding) = bytes.split_at(bytes.len() - count);
    padding.iter().all(|byte| usize::from(*byte) == count).then_some(rest)
}
