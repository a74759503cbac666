//! Secrets are references; what they lead to never shows.

use super::{BANK, load};
use caishi::config::{SecretError, SecretReference};
use secrecy::ExposeSecret as _;
use std::{fs, path::Path};

const CANARY: &str = "canary-7f3a-never-to-be-seen";

#[test]
fn a_secret_is_fetched_from_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    fs::write(&file, format!("{CANARY}\r\n")).unwrap();
    set_mode(&file, 0o600);
    let path = std::env::var("PATH").unwrap();
    let environment = SecretReference::Env("PATH".into());
    let cases = [
        (SecretReference::File("secret".into()), CANARY),
        (SecretReference::Command(vec!["echo".into(), CANARY.into()]), CANARY),
        (environment, path.as_str()),
    ];
    for (reference, expected) in cases {
        let secret = reference.resolve(folder.path()).unwrap();
        assert_eq!(secret.expose_secret(), expected);
        assert!(!format!("{secret:?}").contains(expected), "not even by {{:?}}");
    }
}

#[test]
fn what_cannot_be_fetched_is_named_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    for (name, mode, text) in
        [("open", 0o644, CANARY), ("group", 0o640, CANARY), ("empty", 0o600, "\n")]
    {
        fs::write(folder.path().join(name), text).unwrap();
        set_mode(&folder.path().join(name), mode);
    }
    let shell =
        |script: &str| SecretReference::Command(vec!["sh".into(), "-c".into(), script.into()]);
    let file = |name: &str| SecretReference::File(name.into());
    let print_and_fail = format!("echo {CANARY}; exit 3");
    let mut cases = vec![
        (SecretReference::Env("CAISHI_NOT_SET".into()), "环境变量 CAISHI_NOT_SET 没有设置"),
        (file("nowhere"), "nowhere"),
        (file("empty"), "密钥是空的"),
        (shell(&print_and_fail), "sh 失败"),
        (SecretReference::Command(vec!["no-such-program-7f3a".into()]), "no-such-program-7f3a"),
        (SecretReference::Command(Vec::new()), "没有写程序"),
    ];
    if cfg!(unix) {
        cases.extend([(file("open"), "chmod 600"), (file("group"), "别人也能读")]);
    }
    for (reference, expected) in cases {
        let error: SecretError = reference.resolve(folder.path()).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(error.to_string().contains(expected), "{expected}: {error}");
        assert!(!shown.contains(CANARY), "{shown}");
    }
}

#[test]
fn a_configuration_cannot_hold_a_secret() {
    let channel = |key: &str| {
        format!(
            "{BANK}[channel.a]\nkind = \"webhook\"\noutputs = [\"post\"]\n{key} = \"{CANARY}\"\n"
        )
    };
    for key in
        ["secret", "app_secret", "token", "password", "aes_key", "encoding_aes_key", "secret_key"]
    {
        let error = load(&channel(key)).unwrap_err();
        assert!(error.contains(&format!("[channel.a] {key}")), "{error}");
        assert!(!error.contains(CANARY), "{error}");
    }
    // Nor does a line that is no TOML show what stands in it.
    let error = load(&format!("{BANK}[channel.a]\nsecret = \"{CANARY}\n")).unwrap_err();
    assert!(error.contains("第 7 行（secret）") && !error.contains(CANARY), "{error}");
    let config = load(
        &channel("secret").replace(&format!("\"{CANARY}\""), "{ env = \"CAISHI_WEBHOOK_SECRET\" }"),
    );
    assert!(format!("{:?}", config.unwrap()).contains("CAISHI_WEBHOOK_SECRET"));
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) {}
