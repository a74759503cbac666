//! Callbacks over real HTTP: from the stand-in to the receiver, in every mode and with every
//! misfortune.

use super::{
    account::{APP_ID, articles},
    stage::{PUBLISHING, Stage},
};
use axum::{
    Router,
    body::Bytes,
    extract::{RawQuery, State},
    http::{Method, StatusCode},
};
use caishi::{
    deliver::{Commit, Confirmation, HookRequest, RemoteEvent, wechat::sandbox_credentials},
    sandbox::{MessageMode, Registration},
};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};
use tokio::sync::Notify;

/// A server whose only route is the channel's receiver.
struct Hooks {
    stage: Stage,
    told: Mutex<Vec<RemoteEvent>>,
    bell: Notify,
}

async fn receive(
    State(hooks): State<Arc<Hooks>>,
    method: Method,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> (StatusCode, String) {
    let query = query.unwrap_or_default();
    let request = HookRequest { method: method.to_string(), query, body: body.to_vec() };
    let now: Timestamp = hooks.stage.sandbox.books().now;
    let reply = hooks.stage.channel.receiver().unwrap().receive(&request, now).await;
    hooks.told.lock().unwrap().extend(reply.events);
    hooks.bell.notify_one();
    (StatusCode::from_u16(reply.status).unwrap(), reply.body)
}

/// Starts the server and registers it with the stand-in, which checks it first.
async fn hooks(settings: &str, mode: MessageMode) -> Arc<Hooks> {
    let stage = Stage::new(settings).await;
    let hooks = Arc::new(Hooks { stage, told: Mutex::default(), bell: Notify::new() });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hooks/wechat", listener.local_addr().unwrap());
    let router = Router::new().fallback(receive).with_state(Arc::clone(&hooks));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let credentials = sandbox_credentials(APP_ID);
    let registration = Registration {
        url: url.parse().unwrap(),
        token: credentials.callback_token.expose_secret().to_owned(),
        aes_key: credentials.encoding_aes_key.expose_secret().to_owned(),
        mode,
    };
    hooks.stage.sandbox.register(APP_ID, registration).await.unwrap();
    hooks
}

impl Hooks {
    async fn publish(&self, title: &str, delivery: &str) -> String {
        let books = self.stage.books.of_delivery(delivery);
        let mut parcel = articles(&books, &[title]);
        parcel.delivery = delivery.into();
        let prepared = self.stage.channel.prepare(&parcel, &books).await.unwrap();
        let commit = self.stage.channel.commit(&parcel, &prepared, &books).await.unwrap();
        let Commit::Accepted { remote_ref } = commit else { panic!("{commit:?}") };
        remote_ref
    }

    /// Waits until so many events came.
    async fn told(&self, count: usize) -> Vec<RemoteEvent> {
        loop {
            let told = self.told.lock().unwrap().clone();
            if told.len() >= count {
                return told;
            }
            self.bell.notified().await;
        }
    }
}

#[tokio::test]
async fn the_end_is_told_in_every_encrypted_mode() {
    for mode in [MessageMode::Secure, MessageMode::Compatible] {
        for settings in ["", "send = 'mass'\nto_all = true"] {
            let hooks = hooks(settings, mode).await;
            let remote_ref = hooks.publish("课", "d-1").await;
            hooks.stage.shift(PUBLISHING);
            let told = hooks.told(1).await;
            assert_eq!(told[0].remote_ref, remote_ref, "{mode:?} {settings}");
            let Confirmation::Published(receipt) = &told[0].confirmation else {
                panic!("{told:?}")
            };
            assert!(receipt.url.as_ref().unwrap().contains("/wechat/s/"));
        }
    }
}

/// With a key, plain messages are not believed; asking still finds the end.
#[tokio::test]
async fn a_plain_message_is_refused_and_asking_still_works() {
    let hooks = hooks("", MessageMode::Plain).await;
    let remote_ref = hooks.publish("课", "d-1").await;
    hooks.stage.shift(PUBLISHING);
    while !hooks.stage.sandbox.books().callbacks.iter().any(|call| call.outcome == "HTTP 403") {
        hooks.bell.notified().await;
        tokio::task::yield_now().await;
    }
    assert!(hooks.told.lock().unwrap().is_empty());
    let parcel = articles(&hooks.stage.books, &["课"]);
    let end = hooks.stage.channel.confirm(&parcel, &remote_ref, &hooks.stage.books).await.unwrap();
    assert!(matches!(end, Confirmation::Published(_)), "{end:?}");
}

#[tokio::test]
async fn doubled_and_reordered_callbacks_are_told_apart_by_their_keys() {
    let hooks = hooks("", MessageMode::Secure).await;
    hooks.stage.faults(&["callback/*#1=reorder-callbacks", "callback/*#2=duplicate-callback"]);
    let first = hooks.publish("一", "d-1").await;
    let second = hooks.publish("二", "d-2").await;
    hooks.stage.shift(PUBLISHING);
    let told = hooks.told(3).await;
    let order: Vec<_> = told.iter().map(|event| event.remote_ref.as_str()).collect();
    assert_eq!(order, [second.as_str(), second.as_str(), first.as_str()]);
    let keys: BTreeSet<_> = told.iter().map(|event| &event.event_key).collect();
    assert_eq!(keys.len(), 2, "one key for each publication");
}
