//! Who may act, and how they prove who they are.

use super::{BANK, load, refused};
use caishi::{
    config::AuthenticationError,
    model::{Digest, PersonId},
};

const PERSON: &str =
    "[[people]]\nid = \"reviewer-b\"\nname = \"审查岗乙\"\nroles = [\"reviewer\"]\n";

#[test]
fn a_typo_in_people_is_named() {
    for (text, expected) in [
        (PERSON.replace("reviewer-b", "审查岗"), "[[people]] id：“审查岗”不是合格的标识"),
        (PERSON.replace("name", "nmae"), "是不是想写 name"),
        (PERSON.replace("\"reviewer\"", "\"reviever\""), "没有角色“reviever”；是不是想写 reviewer"),
        (PERSON.replace("roles = [\"reviewer\"]", ""), "roles：没有写"),
        (PERSON.replace("\"reviewer\"", "\"co-reviewer\""), "department：会签人要写部门"),
        (format!("{PERSON}{PERSON}"), "“reviewer-b”写了两次"),
        (format!("{PERSON}token_env = \"canary-7f3a\"\n"), "应是环境变量的名字"),
        (
            format!("{PERSON}token_env = \"T\"\ntoken_sha256 = \"canary-7f3a\"\n"),
            "64 个十六进制数字",
        ),
        (format!("{PERSON}token_sha256 = \"{}\"\n", "a".repeat(64)), "token_env：没有写"),
        (format!("{PERSON}token = \"canary-7f3a\"\n"), "[[people]] token：没有这个键"),
    ] {
        refused(&format!("{BANK}{text}"), &[expected]);
        assert!(!load(&format!("{BANK}{text}")).unwrap_err().contains("canary"));
    }
}

/// A variable that every process has and whose value is long: it stands for a token.
const VARIABLE: &str = "PATH";

#[test]
fn a_person_is_who_holds_the_token() {
    let token = std::env::var(VARIABLE).unwrap();
    assert!(!token.is_empty());
    let authenticate = |keys: &str, id: &str| {
        let config = load(&format!("{BANK}{PERSON}{keys}")).unwrap();
        let id = PersonId::new(id).unwrap();
        config.authenticate(&id).map(|person| person.id.clone())
    };
    let registered = |variable: &str, token: &str| {
        let digest = Digest::of(token.as_bytes()).to_string().to_uppercase();
        format!("token_env = \"{variable}\"\ntoken_sha256 = \"{digest}\"\n")
    };
    let outcome = authenticate(&registered(VARIABLE, &token), "reviewer-b");
    if token.chars().count() < 20 {
        assert!(matches!(outcome, Err(AuthenticationError::TooShort { .. })), "{outcome:?}");
    } else {
        assert_eq!(outcome.unwrap().as_str(), "reviewer-b");
    }
    let wrong = authenticate(&registered(VARIABLE, "another"), "reviewer-b").unwrap_err();
    assert!(matches!(wrong, AuthenticationError::Mismatch { .. }), "{wrong:?}");
    let unset = authenticate(&registered("CAISHI_NOT_SET", &token), "reviewer-b").unwrap_err();
    assert!(unset.to_string().contains("export CAISHI_NOT_SET="), "{unset}");
    let unregistered = authenticate("token_env = \"PATH\"\n", "reviewer-b").unwrap_err();
    assert!(unregistered.to_string().contains("审查岗乙还没有登记口令"), "{unregistered}");
    let unknown = authenticate("", "reviewer-c").unwrap_err();
    assert!(unknown.to_string().contains("是不是想写 reviewer-b"), "{unknown}");
    for error in [wrong, unset, unregistered, unknown] {
        assert!(!format!("{error} {error:?}").contains(&token), "the token is never shown");
    }
}
