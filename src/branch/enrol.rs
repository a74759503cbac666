//! A machine becomes a branch's, with a one-time code that the head office gave to a person.
//!
//! The code ends with the beginning of the root's digest: whoever sits between the machine and the
//! head office cannot hand it another root of trust.

use super::{
    config::BranchConfig,
    disk,
    error::{BranchError, at},
    http::{HttpOffice, Patience},
};
use crate::{
    model::BranchId,
    packs::{Reader, SigningKey, root_digest, wire::EnrolRequest},
};
use base64::Engine as _;
use std::{
    fs,
    path::{Path, PathBuf},
};
use url::Url;

/// What a person gives.
#[derive(Debug, Clone)]
pub struct Enrolment {
    /// The code.
    pub code: String,
    /// The head office.
    pub server: Url,
    /// Further certificates for TLS.
    pub authority: Option<PathBuf>,
    /// The configuration to be written, or to be kept where it is there.
    pub config: PathBuf,
    /// What the machine calls itself.
    pub machine: String,
    /// The program's version.
    pub version: String,
}

/// Enrols the machine: key, root of trust, `branch.toml`. The branch and its name.
///
/// # Errors
/// [`BranchError::Enrol`] with what to do next; nothing is trusted then.
pub async fn enrol(enrolment: &Enrolment) -> Result<(BranchId, String), BranchError> {
    let refused = |text: &str| BranchError::Enrol(text.to_owned());
    let code = enrolment.code.trim();
    let mut parts = code.rsplitn(3, '-');
    let (digest, _secret, branch) = (parts.next(), parts.next(), parts.next());
    let branch = branch.and_then(|branch| BranchId::new(branch).ok());
    let (Some(branch), Some(digest)) = (branch, digest.filter(|digest| digest.len() >= 16)) else {
        return Err(refused("登记码不完整；应为 网点-密码-校验码 三段，请从总行的消息里整个复制"));
    };
    let config = if enrolment.config.exists() {
        let config = BranchConfig::load(&enrolment.config)?;
        if config.branch != branch {
            let path = enrolment.config.display();
            return Err(BranchError::Enrol(format!(
                "{path} 写的是网点 {}，登记码是 {branch} 的；换网点请先移走这个文件和 state 文件夹",
                config.branch
            )));
        }
        config
    } else {
        let text = written(enrolment, &branch);
        BranchConfig::parse(&enrolment.config, &text)?
    };
    let key = key(&config.key)?;
    let authority = enrolment.authority.as_deref().or(config.authority.as_deref());
    let office = HttpOffice::new(&enrolment.server, None, authority, Patience::default())?;
    let request = EnrolRequest {
        code: code.to_owned(),
        public_key: key.public_hex(),
        machine: enrolment.machine.clone(),
        version: enrolment.version.clone(),
    };
    let answer = office.enrol(&request).await?;
    let root = base64::engine::general_purpose::STANDARD
        .decode(answer.root)
        .map_err(|_| refused("总行给的信任根读不懂；请总行检查版本"))?;
    if !root_digest(&root).to_string().starts_with(&digest.to_ascii_lowercase()) {
        return Err(refused(
            "总行给的信任根和登记码对不上，可能连到了别处；没有信任它。请核对总行地址，向总行要一个新登记码",
        ));
    }
    if answer.branch != branch {
        return Err(refused("总行登记的是别的网点；请向总行要一个新登记码"));
    }
    let trust = config.state.join("trust");
    fs::create_dir_all(&trust).map_err(at(&trust))?;
    Reader::enrol(&trust, &root)?;
    // Last: where it stands, the machine is enrolled.
    if !enrolment.config.exists() {
        disk::write(&enrolment.config, written(enrolment, &branch).as_bytes())?;
    }
    Ok((branch, answer.branch_name))
}

/// The machine's key; an earlier try may have made it.
fn key(path: &Path) -> Result<SigningKey, BranchError> {
    if path.exists() {
        return Ok(SigningKey::load(path)?);
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(at(folder))?;
    }
    let key = SigningKey::generate()?;
    key.save(path)?;
    Ok(key)
}

/// The configuration of a newly enrolled machine.
fn written(enrolment: &Enrolment, branch: &BranchId) -> String {
    let mut text = format!("branch = \"{branch}\"\nserver = \"{}\"\n", enrolment.server);
    if let Some(authority) = &enrolment.authority {
        let whole = std::path::absolute(authority).unwrap_or_else(|_| authority.clone());
        text += &format!("ca = {:?}\n", whole.display().to_string());
    }
    text += "\n# 其余都有默认值，见 docs/branch.md。例如：\n# [pull]\n# window = \"00:30-06:30\"\n# rate_kbps = 500\n";
    text
}
