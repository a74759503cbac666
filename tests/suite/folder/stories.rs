//! What a repository promises, one story each.

use super::*;

#[tokio::test]
async fn people_find_the_files_under_their_own_names() {
    let repository = Repository::in_folder();
    let first = repository.slot(1, 0);
    repository.publish(&first).await;
    let second = repository.slot(2, 24 * 7);
    repository.publish(&second).await;
    let series = repository.root().join("releases/weekly");
    let current = series.join("current");
    assert!(fs::read_link(&current).unwrap().to_string_lossy().starts_with("2026-12-07-0800-"));
    for file in &second.files {
        let bytes = fs::read(current.join(&file.path)).unwrap();
        assert_eq!(Digest::of(&bytes), file.sha256, "{}", file.path);
        assert!(fs::metadata(current.join(&file.path)).unwrap().permissions().readonly());
    }
    let mut names: Vec<String> = fs::read_dir(&series)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name != "current")
        .map(|name| name.chars().take(10).collect())
        .collect();
    names.sort();
    assert_eq!(names, ["2026-11-30", "2026-12-07"], "what came before can still be looked at");
}

#[tokio::test]
async fn a_pointer_never_goes_back() {
    let repository = Repository::in_folder();
    let (late, later) = (repository.slot(1, 0), repository.slot(2, 24));
    let prepared = repository.channel.prepare(&late, &repository.books).await.unwrap();
    repository.publish(&later).await;
    let error = repository.channel.commit(&late, &prepared, &repository.books).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::Conflict, Retry::Never));
    assert!(error.message.contains("没有退回"), "{error}");
    assert_eq!((repository.shown(&late).await, repository.shown(&later).await), (0, 1));
}

#[tokio::test]
async fn a_superseded_delivery_is_still_known_to_have_been_out() {
    let repository = Repository::in_folder();
    let (first, second) = (repository.slot(1, 0), repository.slot(2, 24));
    repository.publish(&first).await;
    repository.publish(&second).await;
    let nothing = Prepared { reference: String::new(), notes: Vec::new() };
    let probe = repository.channel.probe(&first, &nothing, &repository.books).await.unwrap();
    let Probe::Published(receipt) = probe else { panic!("{probe:?}") };
    assert!(receipt.detail.contains("取代"), "{}", receipt.detail);
}

#[tokio::test]
async fn recall_deletes_what_nobody_else_names() {
    let repository = Repository::in_folder();
    let (first, other) =
        (repository.slot(1, 0), parcel(&repository.books, repository.channel.id(), "here", 7));
    repository.publish(&other).await;
    let detail = repository.recall(&first).await;
    assert_eq!(
        detail,
        "这一期已撤下，当前没有内容；删去 2 个文件，另有 1 个文件别的活动还在用，保留"
    );
    assert_eq!(first.files.iter().filter(|file| repository.blob(file).is_some()).count(), 1);
    assert_eq!(repository.shown(&other).await, 1, "the other campaign is whole");
    assert!(!repository.root().join("releases/weekly/current").exists());
    let nothing = Prepared { reference: String::new(), notes: Vec::new() };
    let again = repository.channel.probe(&first, &nothing, &repository.books).await.unwrap();
    assert!(matches!(again, Probe::Unknown(_)), "it is not put back: {again:?}");
}

/// Runs something to its end while the test's own thread waits.
fn at_once<T: Send + 'static>(deed: impl Future<Output = T> + Send + 'static) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    std::thread::spawn(move || runtime.block_on(deed)).join().unwrap()
}

#[tokio::test]
async fn a_delivery_prepared_during_a_recall_keeps_its_files() {
    for point in ["folder/listing-deleted", "folder/listings-read", "folder/blobs-deleted"] {
        let repository = Repository::in_folder();
        let first = repository.slot(1, 0);
        let Commit::Done(receipt) = repository.publish(&first).await else { panic!() };
        // The same files under a later slot: another delivery that counts on the same blobs.
        let mut second = repository.slot(2, 24);
        second.files = first.files.clone();
        let (channel, books) = (Arc::clone(&repository.channel), repository.books.clone());
        let parcel = second.clone();
        let (tell, told) = mpsc::channel();
        repository.books.meanwhile(point, move || {
            let prepared = at_once(async move { channel.prepare(&parcel, &books).await.unwrap() });
            tell.send(prepared).unwrap();
        });
        let (channel, books) = (&repository.channel, &repository.books);
        channel.recall(&first, &receipt, books).await.unwrap();
        channel.commit(&second, &told.recv().unwrap(), books).await.unwrap();
        assert_eq!(repository.shown(&second).await, 1, "prepared at {point}");
        let kept = second.files.iter().filter(|file| repository.blob(file).is_some()).count();
        assert_eq!(kept, 3, "prepared at {point}");
    }
}

#[tokio::test]
async fn a_blob_that_was_cut_short_is_written_again() {
    let repository = Repository::in_folder();
    let parcel = repository.slot(1, 0);
    let digest = parcel.files[0].sha256.to_string();
    let path = repository.root().join(format!("blobs/{}/{digest}", &digest[..2]));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, b"post").unwrap();
    repository.publish(&parcel).await;
    assert_eq!(repository.shown(&parcel).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_writers_of_one_bucket_the_slower_one_is_told() {
    let Some(repository) = bucket(true).await else { return };
    let (first, second) = (repository.slot(1, 0), repository.slot(2, 24));
    let books = repository.books.clone();
    let prepared = repository.channel.prepare(&first, &books).await.unwrap();
    let other = build(&entry(&repository.settings), &context(repository.folder.path())).unwrap();
    let (parcel, other_books) = (second.clone(), books.of_delivery("other"));
    // The first one has read the pointer and is held up while the second one replaces it.
    books.meanwhile("folder/swap-begins", move || {
        at_once(async move {
            let prepared = other.prepare(&parcel, &other_books).await.unwrap();
            other.commit(&parcel, &prepared, &other_books).await.unwrap();
        });
    });
    let error = repository.channel.commit(&first, &prepared, &books).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert!(matches!(error.retry, Retry::After(_)), "nothing happened: {error:?}");
    assert_eq!((repository.shown(&first).await, repository.shown(&second).await), (0, 1));
}

#[tokio::test]
async fn while_another_process_switches_a_folder_this_one_waits() {
    let repository = Repository::in_folder();
    let parcel = repository.slot(1, 0);
    let prepared = repository.channel.prepare(&parcel, &repository.books).await.unwrap();
    let lock = fs::File::create(repository.root().join(".lock")).unwrap();
    lock.lock().unwrap();
    let commit = repository.channel.commit(&parcel, &prepared, &repository.books).await;
    let error = commit.unwrap_err();
    assert_eq!(
        (error.kind, error.retry),
        (ErrorKind::Conflict, Retry::After(Duration::from_secs(1)))
    );
    lock.unlock().unwrap();
    repository.publish(&parcel).await;
    assert_eq!(repository.shown(&parcel).await, 1);
}

#[tokio::test]
async fn a_rehearsal_stays_below_its_folder_and_needs_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let settings = "[s3]\nendpoint = \"https://s3.example\"\nbucket = \"posters\"\n\
                    access_key = { env = \"CAISHI_TEST_UNSET\" }\n\
                    secret_key = { env = \"CAISHI_TEST_UNSET\" }\n";
    let rehearsal = folder.path().join("out/rehearsal");
    let context = BuildContext {
        egress: Egress::LoopbackOnly,
        rehearsal: Some(rehearsal.clone()),
        ..context(folder.path())
    };
    let channel = build(&entry(settings), &context).unwrap();
    assert_eq!(channel.targets(), ["s3://posters"], "the target is what it would be");
    let books = MemoryBooks::new(shanghai("2026-11-30T08:00"));
    let parcel = parcel(&books, channel.id(), "s3://posters", 1);
    let prepared = channel.prepare(&parcel, &books).await.unwrap();
    channel.commit(&parcel, &prepared, &books).await.unwrap();
    assert!(rehearsal.join("branches/current/weekly-1.json").is_file());
    assert!(rehearsal.join("branches/releases/weekly-1/current/screen/poster.png").is_file());
}

#[tokio::test]
async fn a_full_or_forbidden_place_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), b"not a folder").unwrap();
    let channel = build(&entry("path = \"file/outbox\""), &context(folder.path())).unwrap();
    let books = MemoryBooks::new(shanghai("2026-11-30T08:00"));
    let parcel = parcel(&books, channel.id(), "here", 1);
    let error = channel.prepare(&parcel, &books).await.unwrap_err();
    assert!(!error.next_step.is_empty() && error.message.contains("outbox"), "{error:?}");
    let closed = build(
        &entry(
            "allow = [\"127.0.0.1\"]\n[webdav]\nendpoint = \"http://127.0.0.1:9\"\nuser = \"u\"\n\
             password = { command = [\"echo\", \"canary\"] }",
        ),
        &context(folder.path()),
    )
    .unwrap();
    let error = closed.prepare(&parcel, &books).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Network);
    assert!(
        matches!(error.retry, Retry::After(_)) && error.message.contains("连接不上"),
        "{error}"
    );
}
