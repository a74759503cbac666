//! A channel, its books and the stand-in, under one clock.

use super::account::{APP_ID, context, entry};
use crate::behaviour::books::{MemoryBooks, until_cut_off};
use caishi::{
    config::PublishMode,
    deliver::{
        Channel, Commit, Confirmation, DeliverError, Parcel, Prepared, Probe, Retry, wechat,
    },
    model::Receipt,
    sandbox::{AccountBooks, Fault, Profile, Sandbox, SandboxOptions},
};
use jiff::SignedDuration;
use std::sync::Arc;

/// How long the stand-in takes to publish.
pub const PUBLISHING: SignedDuration = SignedDuration::from_secs(50);

pub struct Stage {
    pub sandbox: Sandbox,
    pub books: MemoryBooks,
    pub channel: Arc<dyn Channel>,
}

impl Stage {
    pub async fn new(settings: &str) -> Self {
        Self::with(settings, Profile::default(), PublishMode::Publish).await
    }

    pub async fn with(settings: &str, profile: Profile, mode: PublishMode) -> Self {
        let sandbox = Sandbox::start(SandboxOptions {
            publish_seconds: PUBLISHING.as_secs_f32(),
            accounts: [(APP_ID.to_owned(), profile)].into(),
            ..SandboxOptions::default()
        })
        .await
        .unwrap();
        let books = MemoryBooks::new(sandbox.books().now);
        let stage = Self { channel: channel(settings, mode, &sandbox), sandbox, books };
        // Ten in the morning: the day is not about to turn.
        let now = stage.sandbox.books().now;
        let local = now.to_zoned(jiff::tz::TimeZone::get("Asia/Shanghai").unwrap());
        let ten = local.tomorrow().unwrap().with().hour(10).build().unwrap();
        stage.shift(ten.timestamp().duration_since(now));
        stage
    }

    /// Both clocks go forward.
    pub fn shift(&self, by: SignedDuration) {
        self.sandbox.shift_clock(by);
        self.books.advance(by);
    }

    pub fn faults(&self, rules: &[&str]) {
        let faults = rules.iter().map(|rule| rule.parse::<Fault>().unwrap()).collect();
        self.sandbox.set_faults(faults);
    }

    pub fn account(&self) -> AccountBooks {
        self.sandbox.books().account(APP_ID).unwrap().clone()
    }

    /// How many calls of a path were answered with success.
    pub fn count(&self, path: &str) -> u64 {
        self.sandbox.books().count(path, 0)
    }

    pub async fn prepare(&self, parcel: &Parcel) -> Result<Prepared, DeliverError> {
        self.channel.prepare(parcel, &self.books).await
    }

    /// Delivers as `work` would: it waits as long as it is told, looks before it sends again
    /// where nobody knows, and goes on after every crash.
    pub async fn deliver(&self, parcel: &Parcel) -> Result<Receipt, DeliverError> {
        self.deliver_with(parcel, &self.books).await
    }

    pub async fn deliver_with(
        &self,
        parcel: &Parcel,
        books: &MemoryBooks,
    ) -> Result<Receipt, DeliverError> {
        let mut step = Step::Prepare;
        for _ in 0..200 {
            let done = until_cut_off(self.step(parcel, books, &step)).await;
            step = match done {
                Ok(Ok(Step::Done(receipt))) => return Ok(receipt),
                Ok(Ok(next)) => next,
                // What was being sent when the process died is unknown; the rest begins anew.
                Err(_) => match step {
                    Step::Commit(prepared) | Step::Probe(prepared) => Step::Probe(prepared),
                    Step::Confirm(remote_ref) => Step::Confirm(remote_ref),
                    _ => Step::Prepare,
                },
                Ok(Err(error)) => self.after(error, step)?,
            };
        }
        panic!("200 steps and no end");
    }

    fn after(&self, error: DeliverError, step: Step) -> Result<Step, DeliverError> {
        match (error.retry, step) {
            (Retry::Never, _) => Err(error),
            (Retry::Ask, Step::Commit(prepared)) => Ok(Step::Probe(prepared)),
            (Retry::Ask, step) => panic!("only commit may leave doubt: {error:?} in {step:?}"),
            (Retry::After(pause), step) => {
                self.shift(SignedDuration::try_from(pause).unwrap());
                Ok(step.again())
            }
            (Retry::At(then), step) => {
                let now = self.sandbox.books().now;
                self.shift(then.duration_since(now).max(SignedDuration::from_secs(1)));
                Ok(step.again())
            }
        }
    }

    async fn step(
        &self,
        parcel: &Parcel,
        books: &MemoryBooks,
        step: &Step,
    ) -> Result<Step, DeliverError> {
        let channel = &self.channel;
        Ok(match step {
            Step::Prepare => Step::Commit(channel.prepare(parcel, books).await?),
            Step::Commit(prepared) => match channel.commit(parcel, prepared, books).await? {
                Commit::Accepted { remote_ref } => Step::Confirm(remote_ref),
                Commit::Done(receipt) => Step::Done(receipt),
            },
            Step::Probe(prepared) => match channel.probe(parcel, prepared, books).await? {
                Probe::Published(receipt) => Step::Done(receipt),
                Probe::Accepted { remote_ref } => Step::Confirm(remote_ref),
                Probe::NotPublished => Step::Prepare,
                Probe::Unknown(why) => {
                    assert!(why.contains("公众平台") || why.contains("再查"), "{why}");
                    self.shift(SignedDuration::from_mins(2));
                    Step::Probe(prepared.clone())
                }
            },
            Step::Confirm(remote_ref) => match channel.confirm(parcel, remote_ref, books).await? {
                Confirmation::Published(receipt) => Step::Done(receipt),
                Confirmation::Pending(pause) => {
                    self.shift(SignedDuration::try_from(pause).unwrap());
                    Step::Confirm(remote_ref.clone())
                }
                Confirmation::Failed { code, reason } => panic!("{code}: {reason}"),
            },
            Step::Done(receipt) => Step::Done(receipt.clone()),
        })
    }
}

impl Stage {
    /// Somebody else with the account's secret: another program, or a person.
    pub async fn token(&self) -> String {
        let body = serde_json::json!({ "grant_type": "client_credential", "appid": APP_ID,
            "secret": format!("sandbox-{APP_ID}") });
        self.call("stable_token", "", &body).await["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn call(
        &self,
        path: &str,
        token: &str,
        body: &serde_json::Value,
    ) -> serde_json::Value {
        let url = format!("{}wechat/cgi-bin/{path}?access_token={token}", self.sandbox.url());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client.post(url).json(body).send().await.unwrap().json().await.unwrap()
    }
}

/// Where a delivery is.
#[derive(Debug, Clone)]
enum Step {
    Prepare,
    Commit(Prepared),
    Probe(Prepared),
    Confirm(String),
    Done(Receipt),
}

impl Step {
    /// A commit without effect begins again with `prepare`, as a claimed row does.
    fn again(self) -> Self {
        match self {
            Self::Commit(_) => Self::Prepare,
            other => other,
        }
    }
}

pub fn channel(settings: &str, mode: PublishMode, sandbox: &Sandbox) -> Arc<dyn Channel> {
    let mut table = entry(settings);
    table.mode = mode;
    wechat::build(&table, &context(sandbox.url().as_str())).unwrap()
}

/// Nothing that the platform refuses for its limits, and nothing out twice.
#[track_caller]
pub fn assert_clean(stage: &Stage) {
    let books = stage.sandbox.books();
    assert!(books.limit_errors.is_empty(), "{:?}", books.limit_errors);
    assert!(books.duplicates.is_empty(), "{:?}", books.duplicates);
}
