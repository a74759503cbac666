//! Accounts, sessions, tokens and remarks.

use super::{approved, begin_sending, manifest, on_both, review};
use caishi::{
    model::{Digest, PersonId},
    store::{Account, AuditSearch, FAILURES_UNTIL_LOCKED},
};
use jiff::{SignedDuration, Timestamp};

fn person(id: &str) -> PersonId {
    PersonId::new(id).unwrap()
}

fn account(id: &str, active: bool) -> Account {
    Account {
        person: person(id),
        name: "大堂经理".into(),
        roles: vec!["branch".into()],
        department: None,
        branch: Some(caishi::model::BranchId::new("b001").unwrap()),
        password: None,
        failures: 0,
        locked_until: None,
        active,
        invite_until: None,
        changed_at: Timestamp::UNIX_EPOCH,
    }
}

#[test]
fn an_invitation_is_used_once_and_sessions_end() {
    on_both(async |place| {
        let store = place.open().await;
        let hour = SignedDuration::from_hours(1);
        let lin = person("lin");
        store.save_account(&account("lin", true), "administrator").await.unwrap();
        let code = Digest::of(b"code");
        store.invite(&lin, &Digest::of(b"an older one"), hour, "administrator").await.unwrap();
        store.invite(&lin, &code, hour, "administrator").await.unwrap();
        assert_eq!(store.invited(&Digest::of(b"an older one")).await.unwrap(), None);
        assert_eq!(store.invited(&code).await.unwrap(), Some(lin.clone()));
        // Saving the rest leaves the invitation alone.
        store.save_account(&account("lin", true), "administrator").await.unwrap();
        assert_eq!(store.accept_invite(&code, "$argon2id$…").await.unwrap(), Some(lin.clone()));
        assert_eq!(store.accept_invite(&code, "$argon2id$…").await.unwrap(), None);
        let kept = store.account(&lin).await.unwrap().unwrap();
        assert_eq!(
            (kept.name.as_str(), kept.password.as_deref()),
            ("大堂经理", Some("$argon2id$…"))
        );
        assert_eq!(kept.branch.unwrap().as_str(), "b001");

        let id = Digest::of(b"cookie");
        store.start_session(&id, &lin, "password", hour).await.unwrap();
        let idle = SignedDuration::from_mins(20);
        assert!(store.session(&id, idle).await.unwrap().is_some());
        store.shift_clock(SignedDuration::from_mins(19));
        assert!(store.session(&id, idle).await.unwrap().is_some(), "seen now");
        store.shift_clock(SignedDuration::from_mins(19));
        assert!(store.session(&id, idle).await.unwrap().is_some());
        store.shift_clock(SignedDuration::from_mins(21));
        assert!(store.session(&id, idle).await.unwrap().is_none(), "idle");
        let id = Digest::of(b"another");
        store.start_session(&id, &lin, "password", hour).await.unwrap();
        store.save_account(&account("lin", false), "administrator").await.unwrap();
        assert!(store.session(&id, idle).await.unwrap().is_none(), "closed");
        assert_eq!(store.verify_audit().await.unwrap().map(drop), Ok(()));
    });
}

#[test]
fn wrong_passwords_lock_and_right_ones_forget() {
    on_both(async |place| {
        let store = place.open().await;
        let lin = person("lin");
        store.save_account(&account("lin", true), "administrator").await.unwrap();
        for _ in 1..FAILURES_UNTIL_LOCKED {
            assert_eq!(store.count_failure(&lin).await.unwrap(), None);
        }
        let until = store.count_failure(&lin).await.unwrap().unwrap();
        assert!(until > store.now().await.unwrap());
        store.unlock(&lin, "administrator").await.unwrap();
        let open = store.account(&lin).await.unwrap().unwrap();
        assert_eq!((open.failures, open.locked_until), (0, None));
        assert_eq!(store.count_failure(&person("nobody")).await.unwrap(), None);
    });
}

#[test]
fn tokens_are_found_by_digest_until_they_end() {
    on_both(async |place| {
        let store = place.open().await;
        let hour = SignedDuration::from_hours(1);
        let scopes = ["reviews.read".to_owned()];
        let secret = Digest::of(b"secret");
        let lin = person("lin");
        let made = store.add_api_token(&secret, &lin, "看板", &scopes, hour, "administrator");
        let made = made.await.unwrap();
        let used = store.use_api_token(&secret).await.unwrap().unwrap();
        assert_eq!(
            (used.id.as_str(), used.scopes.as_slice()),
            (made.id.as_str(), scopes.as_slice())
        );
        assert!(store.api_tokens().await.unwrap()[0].used_at.is_some());
        assert_eq!(store.use_api_token(&Digest::of(b"other")).await.unwrap(), None);
        assert!(store.revoke_api_token(&made.id, "administrator").await.unwrap());
        assert!(!store.revoke_api_token(&made.id, "administrator").await.unwrap());
        assert_eq!(store.use_api_token(&secret).await.unwrap(), None);
        let second = Digest::of(b"second");
        store.add_api_token(&second, &person("lin"), "看板", &scopes, hour, "x").await.unwrap();
        store.shift_clock(SignedDuration::from_hours(2));
        assert_eq!(store.use_api_token(&second).await.unwrap(), None, "ended");
    });
}

#[test]
fn remarks_stay_and_are_settled_once() {
    on_both(async |place| {
        let store = place.open().await;
        let path = "lessons/x/lesson.md";
        let id = store.add_remark("一号", path, 3, &person("lin"), "太长").await.unwrap();
        store.add_remark("一号", path, 1, &person("lin"), "标题").await.unwrap();
        assert_eq!(store.remarks("二号").await.unwrap(), []);
        let lines: Vec<u32> =
            store.remarks("一号").await.unwrap().iter().map(|remark| remark.line).collect();
        assert_eq!(lines, [1, 3]);
        assert!(!store.answer_remark("二号", &id, "改好了", "author").await.unwrap());
        assert!(store.answer_remark("一号", &id, "改好了", "author").await.unwrap());
        let answer = store.remarks("一号").await.unwrap()[1].answer.clone().unwrap();
        assert_eq!((answer.text.as_str(), answer.by.as_str()), ("改好了", "author"));
        assert!(!store.settle_remark("二号", &id, "author").await.unwrap());
        assert!(store.settle_remark("一号", &id, "author").await.unwrap());
        assert!(!store.settle_remark("一号", &id, "author").await.unwrap());
        assert!(!store.answer_remark("一号", &id, "还没好", "author").await.unwrap(), "it is over");
        let settled = store.remarks("一号").await.unwrap()[1].settled.clone();
        assert_eq!(settled.map(|(by, _)| by).as_deref(), Some("author"));
    });
}

#[test]
fn the_chain_is_searched_for_words_as_they_are() {
    on_both(async |place| {
        let store = place.open().await;
        store.audit("100%_lin", "look", "x", "").await.unwrap();
        store.audit("lin", "look", "y", "").await.unwrap();
        let found = store.audit_search(&AuditSearch::of("100%_", 10)).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(store.audit_search(&AuditSearch::of("look", 10)).await.unwrap().len(), 2);
        let odd = AuditSearch::of("'; DROP TABLE audit; --", 10);
        assert_eq!(store.audit_search(&odd).await.unwrap(), []);
    });
}

#[test]
fn the_chain_is_searched_by_approval_number_and_between_moments() {
    on_both(async |place| {
        let store = place.open().await;
        approved(&store, &["all"]).await;
        let other = manifest("乙");
        let second = review(2, &[("wechat", &other)]);
        store.submit(&second, std::slice::from_ref(&other)).await.unwrap();
        begin_sending(&store, "worker").await;
        let number = AuditSearch::of("宣教审〔2026〕0001号", 50);
        let found = store.audit_search(&number).await.unwrap();
        let actions: Vec<&str> = found.iter().map(|row| row.action.as_str()).rev().collect();
        assert_eq!(actions[..3], ["submit", "approve", "approve"], "{actions:?}");
        assert!(actions[3..].iter().all(|action| *action == "delivery.state"), "{actions:?}");
        assert!(actions.len() > 3, "{actions:?}");
        let second = AuditSearch::of("〔2026〕0002号", 50);
        assert_eq!(store.audit_search(&second).await.unwrap().len(), 1);

        let newest = found[0].at;
        let from = AuditSearch { from: Some(newest), ..AuditSearch::of("", 50) };
        let until = AuditSearch { until: Some(newest), ..AuditSearch::of("", 50) };
        let all = usize::try_from(store.audit_length().await.unwrap()).unwrap();
        let after = store.audit_search(&from).await.unwrap();
        assert!(after.iter().all(|row| row.at >= newest) && !after.is_empty());
        let before = store.audit_search(&until).await.unwrap();
        assert!(before.iter().all(|row| row.at < newest));
        assert_eq!(after.len() + before.len(), all);
    });
}
