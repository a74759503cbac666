//! Metadata that the head office would never write, signed with its keys: what somebody could do
//! who has stolen some of them, or a head office with a fault.

use super::town::HeadOffice;
use caishi::{model::Digest, packs::SigningKey};
use serde_json::{Value, json};
use std::fs;

/// The roles as they stand, to be changed and signed again under the next versions.
pub struct Forgery<'a> {
    office: &'a HeadOffice,
    pub targets: Value,
    pub snapshot: Value,
    pub timestamp: Value,
}

impl<'a> Forgery<'a> {
    pub fn of(office: &'a HeadOffice) -> Self {
        let read = |name: &str| -> Value {
            let path = office.folder.path().join("metadata").join(name);
            serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
        };
        let timestamp = read("timestamp.json");
        let version = &timestamp["signed"]["meta"]["snapshot.json"]["version"];
        let snapshot = read(&format!("{version}.snapshot.json"));
        let version = &snapshot["signed"]["meta"]["targets.json"]["version"];
        let targets = read(&format!("{version}.targets.json"));
        let mut forgery = Self { office, targets, snapshot, timestamp };
        for role in [&mut forgery.targets, &mut forgery.snapshot, &mut forgery.timestamp] {
            let next = role["signed"]["version"].as_u64().unwrap() + 1;
            role["signed"]["version"] = next.into();
        }
        forgery
    }

    /// Names a file as a target, and puts it there.
    pub fn target(&mut self, name: &str, bytes: &[u8]) {
        let digest = Digest::of(bytes);
        self.named(name, &digest, bytes.len() as u64);
        let path = format!("targets/{digest}.{name}");
        fs::write(self.office.folder.path().join(path), bytes).unwrap();
    }

    /// Names a target that need not be there.
    pub fn named(&mut self, name: &str, digest: &Digest, length: u64) {
        self.targets["signed"]["targets"][name] =
            json!({ "length": length, "hashes": { "sha256": digest.to_string() } });
    }

    /// Signs everything, each role vouching for the one before it, and publishes it.
    pub fn publish(mut self) {
        let targets = self.sign("targets");
        self.snapshot["signed"]["meta"]["targets.json"] = vouch(version(&self.targets), &targets);
        let snapshot = self.sign("snapshot");
        self.timestamp["signed"]["meta"]["snapshot.json"] =
            vouch(version(&self.snapshot), &snapshot);
        self.sign("timestamp");
    }

    /// Signs snapshot and timestamp over targets that stay as they are.
    pub fn publish_snapshot(mut self) {
        let snapshot = self.sign("snapshot");
        self.timestamp["signed"]["meta"]["snapshot.json"] =
            vouch(version(&self.snapshot), &snapshot);
        self.sign("timestamp");
    }

    /// Signs the timestamp alone.
    pub fn publish_timestamp(mut self) {
        self.sign("timestamp");
    }

    fn sign(&mut self, role: &str) -> Vec<u8> {
        let keys = &self.office.keys;
        let (value, key): (&mut Value, &SigningKey) = match role {
            "targets" => (&mut self.targets, keys.targets.as_ref().unwrap()),
            "snapshot" => (&mut self.snapshot, &keys.snapshot),
            _ => (&mut self.timestamp, &keys.timestamp),
        };
        let message = serde_json_canonicalizer::to_vec(&value["signed"]).unwrap();
        let signature: String = key.sign(&message).iter().map(|b| format!("{b:02x}")).collect();
        value["signatures"][0]["sig"] = signature.into();
        let bytes = serde_json::to_vec(value).unwrap();
        let name = match role {
            "timestamp" => "timestamp.json".to_owned(),
            role => format!("{}.{role}.json", value["signed"]["version"]),
        };
        fs::write(self.office.folder.path().join("metadata").join(name), &bytes).unwrap();
        bytes
    }
}

fn version(role: &Value) -> u64 {
    role["signed"]["version"].as_u64().unwrap()
}

/// What a role says of a file of metadata that it vouches for.
pub fn vouch(version: u64, bytes: &[u8]) -> Value {
    json!({
        "version": version,
        "length": bytes.len(),
        "hashes": { "sha256": Digest::of(bytes).to_string() },
    })
}
