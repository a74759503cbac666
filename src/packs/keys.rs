//! Ed25519 keys: of the repository's roles, and of branches that sign what they showed.

use super::PacksError;
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey},
};
use std::{
    fmt::{self, Write as _},
    fs, io,
    path::Path,
};
use tough::{key_source::KeySource, schema::key::Key, sign::Sign};

/// A private key, as DER PKCS#8 (RFC 5958), the only form of Ed25519 keys that `tough` reads.
pub struct SigningKey {
    der: Vec<u8>,
    pair: Ed25519KeyPair,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public_hex())
    }
}

impl SigningKey {
    /// A new key.
    ///
    /// # Errors
    /// [`PacksError::Key`] where the machine gives no randomness.
    pub fn generate() -> Result<Self, PacksError> {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
            .map_err(|_| PacksError::Key("取不到随机数，密钥没有生成".to_owned()))?;
        Self::from_der(document.as_ref())
    }

    /// Reads a key.
    ///
    /// # Errors
    /// [`PacksError::Key`] where it is no Ed25519 key in DER PKCS#8.
    pub fn from_der(der: &[u8]) -> Result<Self, PacksError> {
        let pair = Ed25519KeyPair::from_pkcs8(der).map_err(|_| {
            PacksError::Key(
                "不是 DER 格式的 Ed25519 私钥（PKCS#8）；请用 caishi keys generate 生成".to_owned(),
            )
        })?;
        Ok(Self { der: der.to_owned(), pair })
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// [`PacksError::Key`] names the file and what to do.
    pub fn load(path: &Path) -> Result<Self, PacksError> {
        let der = fs::read(path)
            .map_err(|error| PacksError::Key(format!("读不了私钥 {}：{error}", path.display())))?;
        Self::from_der(&der)
            .map_err(|error| PacksError::Key(format!("{}：{error}", path.display())))
    }

    /// Writes a key file that only its owner can read; never over another one.
    ///
    /// # Errors
    /// [`PacksError::File`], also where there is a file already.
    pub fn save(&self, path: &Path) -> Result<(), PacksError> {
        let mut options = fs::File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let write = || -> io::Result<()> {
            let mut file = options.open(path)?;
            io::Write::write_all(&mut file, &self.der)?;
            file.sync_all()
        };
        write().map_err(|source| PacksError::File { path: path.to_owned(), source })
    }

    /// The public key, 32 bytes.
    #[must_use]
    pub fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// The public key as 64 hexadecimal digits.
    #[must_use]
    pub fn public_hex(&self) -> String {
        hex(self.public())
    }

    /// Signs a message (RFC 8032): 64 bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_owned()
    }

    /// The public key as TUF writes it.
    pub(super) fn tuf_key(&self) -> Key {
        self.pair.tuf_key()
    }

    pub(super) fn source(&self) -> Box<dyn KeySource> {
        Box::new(Der(self.der.clone()))
    }
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whether a signature of a message is that of the holder of a public key.
#[must_use]
pub fn verify_signature(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public).verify(message, signature).is_ok()
}

/// A key in memory, where `tough` wants to be handed its source.
struct Der(Vec<u8>);

impl fmt::Debug for Der {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Der(…)")
    }
}

#[async_trait::async_trait]
impl KeySource for Der {
    async fn as_sign(
        &self,
    ) -> Result<Box<dyn Sign>, Box<dyn std::error::Error + Send + Sync + 'static>> {
        Ok(Box::new(tough::sign::parse_keypair(&self.0)?))
    }

    async fn write(
        &self,
        _value: &str,
        _key_id_hex: &str,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync + 'static>> {
        Err("keys are never written back".into())
    }
}

/// The keys of the online roles, which the head office's server holds.
#[derive(Debug)]
pub struct KeySet {
    /// Of `targets`; absent on a machine that only renews timestamps.
    pub targets: Option<SigningKey>,
    /// Of `snapshot`.
    pub snapshot: SigningKey,
    /// Of `timestamp`.
    pub timestamp: SigningKey,
    /// Of `emergency`.
    pub emergency: Option<SigningKey>,
}

impl KeySet {
    /// Reads `targets.der`, `snapshot.der`, `timestamp.der` and `emergency.der` of a folder; the
    /// first and the last may be absent.
    ///
    /// # Errors
    /// [`PacksError::Key`] names the file.
    pub fn load(folder: &Path) -> Result<Self, PacksError> {
        let one = |name: &str| SigningKey::load(&folder.join(format!("{name}.der")));
        let perhaps =
            |name: &str| folder.join(format!("{name}.der")).exists().then(|| one(name)).transpose();
        Ok(Self {
            targets: perhaps("targets")?,
            snapshot: one("snapshot")?,
            timestamp: one("timestamp")?,
            emergency: perhaps("emergency")?,
        })
    }

    pub(super) fn sources(&self) -> Vec<Box<dyn KeySource>> {
        let keys = [self.targets.as_ref(), Some(&self.snapshot), Some(&self.timestamp)];
        keys.into_iter()
            .chain([self.emergency.as_ref()])
            .flatten()
            .map(SigningKey::source)
            .collect()
    }
}
