//! The behaviour suite that every channel passes, in both ways that this one publishes. (A channel
//! that stops at drafts makes them in `prepare`; its tests are in `path.rs`.)

use super::{
    account::{APP_ID, articles},
    stage::{PUBLISHING, Stage},
};
use crate::behaviour::{self, Cut, Fixture, books::MemoryBooks};
use async_trait::async_trait;
use caishi::{
    deliver::{Books as _, Channel, Parcel, wechat::sandbox_credentials},
    model::{DeliveryKey, Digest},
};
use jiff::SignedDuration;
use secrecy::ExposeSecret as _;
use std::sync::Arc;

struct Account {
    stage: Stage,
    submit: &'static str,
}

impl Account {
    async fn new(settings: &str, submit: &'static str) -> Self {
        Self { stage: Stage::new(settings).await, submit }
    }
}

fn title(number: u32) -> String {
    format!("第 {number} 课")
}

#[async_trait]
impl Fixture for Account {
    fn channel(&self) -> Arc<dyn Channel> {
        Arc::clone(&self.stage.channel)
    }

    fn books(&self) -> MemoryBooks {
        self.stage.books.clone()
    }

    /// Every parcel has a day of its own: one mass send a day is all there is.
    fn parcel(&self, books: &MemoryBooks, number: u32) -> Parcel {
        self.stage.shift(SignedDuration::from_hours(24));
        let mut parcel = articles(books, &[&title(number)]);
        parcel.key = DeliveryKey::from_digest(Digest::of(&number.to_be_bytes()));
        parcel.delivery = format!("d-{number}");
        parcel
    }

    fn refused(&self, books: &MemoryBooks) -> Vec<(&'static str, Parcel)> {
        let mut uncovered = articles(books, &["课"]);
        (uncovered.messages[0].cover_wide, uncovered.messages[0].cover_square) = (None, None);
        vec![
            ("a title of 33 characters", articles(books, &["题".repeat(33).as_str()])),
            ("nine articles", articles(books, &["课"; 9])),
            ("no cover", uncovered),
        ]
    }

    async fn shown(&self, parcel: &Parcel) -> usize {
        let account = self.stage.account();
        let title = &parcel.messages[0].title;
        let sent = account.publishes.iter().chain(&account.mass_sends);
        let there = sent.filter(|dispatch| dispatch.status <= 1);
        there.filter(|dispatch| dispatch.articles[0].title == *title).count()
    }

    async fn costs(&self, _books: &MemoryBooks) -> usize {
        let calls = ["media/uploadimg", "material/add_material", "draft/add"];
        calls.iter().map(|call| self.stage.count(call) as usize).sum()
    }

    async fn cut_next(&self, cut: Cut) -> bool {
        let how = if cut == Cut::Before { "cut-before" } else { "cut-after" };
        self.stage.faults(&[&format!("{}#1={how}", self.submit)]);
        true
    }

    /// The stand-in's clock follows that of the books, and then publishing takes its time.
    async fn settle(&self, books: &MemoryBooks) {
        let (ours, theirs) = (books.now().await.unwrap(), self.stage.sandbox.books().now);
        let behind = ours.duration_since(theirs).max(SignedDuration::ZERO);
        self.stage.sandbox.shift_clock(behind + PUBLISHING);
    }

    fn canaries(&self) -> Vec<String> {
        let credentials = sandbox_credentials(APP_ID);
        [credentials.secret, credentials.callback_token, credentials.encoding_aes_key]
            .map(|secret| secret.expose_secret().to_owned())
            .to_vec()
    }
}

#[tokio::test]
async fn freepublish_behaves() {
    behaviour::run(&Account::new("", "freepublish/submit").await).await;
}

#[tokio::test]
async fn mass_sending_behaves() {
    let settings = "send = 'mass'\nto_all = true";
    let account = Account::new(settings, "message/mass/sendall").await;
    behaviour::run(&account).await;
}
