//! python-tuf, an implementation that is not ours, reads what we write, and we read what it writes.

use super::{Town, branch};
use crate::servers::{program, skip_unless_required};
use caishi::packs::{Attack, FolderSource, Reader, index_name};
use std::{fs, path::PathBuf, process::Command, sync::Arc};

/// The gate's Python, where python-tuf is installed in it.
#[track_caller]
fn python() -> Option<PathBuf> {
    let python = program("python3").filter(|python| {
        let import = Command::new(python).args(["-c", "import tuf.ngclient"]).output();
        import.is_ok_and(|out| out.status.success())
    });
    if python.is_none() {
        skip_unless_required("tuf", "没有 python-tuf：pip install tuf securesystemslib[crypto]");
    }
    python
}

fn peer(python: &PathBuf, arguments: &[&str]) -> Result<String, String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/tuf_peer.py");
    let out = Command::new(python).arg(script).args(arguments).output().unwrap();
    if out.status.success() {
        Ok(String::from_utf8(out.stdout).unwrap().trim().to_owned())
    } else {
        Err(String::from_utf8_lossy(&out.stderr).into_owned())
    }
}

#[tokio::test]
async fn python_tuf_reads_our_repository_and_refuses_a_changed_one() {
    let Some(python) = python() else { return };
    let town = Town::new();
    town.publish(&town.week(1, 0)).await;
    town.publish(&town.week(2, 24)).await;
    let name = index_name(&branch("b001"));
    let root = town.folder.path().join("keys/root.json");
    let repository = town.folder.path().join("outbox");
    let arguments = ["read", root.to_str().unwrap(), repository.to_str().unwrap(), &name];
    let expected = town.view().await.targets[&name];
    assert_eq!(peer(&python, &arguments).unwrap(), expected.sha256.to_string());
    let file = repository.join("targets").join(format!("{}.{name}", expected.sha256));
    fs::write(&file, "something else").unwrap();
    peer(&python, &arguments).unwrap_err();
}

#[tokio::test]
async fn we_read_a_repository_of_python_tuf_and_refuse_a_changed_one() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().join("repository");
    fs::create_dir(&repository).unwrap();
    peer(&python, &["write", repository.to_str().unwrap()]).unwrap();
    let root = fs::read(repository.join("root.json")).unwrap();
    let reader = Reader::enrol(&folder.path().join("trust"), &root).unwrap();
    let source = Arc::new(FolderSource::new(&repository));
    let now = jiff::Timestamp::now();
    let view = reader.refresh(Arc::clone(&source) as _, now).await.unwrap();
    assert_eq!(view.targets["poster.png"].bytes, 22);
    let targets = repository.join("metadata/1.targets.json");
    let text = fs::read_to_string(&targets).unwrap();
    let changed = text.replace("22", "23");
    assert_ne!(changed, text);
    fs::write(&targets, changed).unwrap();
    let fresh = Reader::enrol(&folder.path().join("fresh"), &root).unwrap();
    let error = fresh.refresh(source, now).await.unwrap_err();
    assert_eq!(error.attack(), Some(Attack::Tampered), "{error}");
}
