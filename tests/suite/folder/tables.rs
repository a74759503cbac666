//! What each failure means, and what a table may say.

use super::*;

#[test]
fn what_each_failure_of_a_storage_means() {
    use opendal::ErrorKind as Service;
    let io = |kind: io::ErrorKind| StorageError::File(kind.into());
    let service = |kind| StorageError::Service(opendal::Error::new(kind, "reason"));
    let within = StorageError::Service(
        opendal::Error::new(Service::Unexpected, "reason")
            .set_source(io::Error::from(io::ErrorKind::StorageFull)),
    );
    let after = |seconds| Retry::After(Duration::from_secs(seconds));
    let (harmless, pointer) = (Effect::Harmless, Effect::Pointer);
    let cases = [
        (io(io::ErrorKind::StorageFull), ErrorKind::Storage, pointer, after(60)),
        (within, ErrorKind::Storage, pointer, after(60)),
        (io(io::ErrorKind::ReadOnlyFilesystem), ErrorKind::Storage, pointer, after(60)),
        (io(io::ErrorKind::PermissionDenied), ErrorKind::Permission, pointer, Retry::Never),
        (io(io::ErrorKind::InvalidData), ErrorKind::Storage, harmless, after(30)),
        (io(io::ErrorKind::InvalidData), ErrorKind::Storage, pointer, Retry::Ask),
        (StorageError::Timeout(60), ErrorKind::Network, harmless, after(30)),
        (StorageError::Timeout(60), ErrorKind::Network, pointer, Retry::Ask),
        (service(Service::NotFound), ErrorKind::NotFound, pointer, Retry::Never),
        (service(Service::PermissionDenied), ErrorKind::Permission, pointer, Retry::Never),
        (service(Service::Unsupported), ErrorKind::Configuration, pointer, Retry::Never),
        (service(Service::RateLimited), ErrorKind::RateLimited, pointer, after(30)),
        (service(Service::ConditionNotMatch), ErrorKind::Conflict, pointer, after(2)),
        (service(Service::Unexpected), ErrorKind::Unavailable, harmless, after(30)),
        (service(Service::Unexpected), ErrorKind::Unavailable, pointer, Retry::Ask),
    ];
    for (error, kind, effect, retry) in cases {
        let text = format!("{error:?} {effect:?}");
        let explained = error.explain("写清单", "outbox", effect);
        assert_eq!((explained.kind, explained.retry), (kind, retry), "{text}");
        assert!(explained.message.starts_with("outbox：写清单失败，"), "{explained}");
        assert!(!explained.next_step.is_empty(), "{text}");
    }
}

#[test]
fn every_fault_of_a_table_is_named() {
    let cases = [
        ("", "没有写往哪里"),
        (
            "path = \"a\"\n[webdav]\nendpoint = \"https://x.example\"\nuser = \"u\"\npassword = { env = \"X\" }",
            "只能写一个",
        ),
        ("pth = \"a\"", "不认识的键 pth；可用的键：path、"),
        ("path = 3", "值的类型不对"),
        ("path = \"a\"\ntimeout_seconds = 0", "1 到 600 秒"),
        ("path = \"a\"\nallow = [\"ten\"]", "allow 里的“ten”应写成网段"),
        (
            "tree = true\n[sftp]\nendpoint = \"ssh://h\"\nroot = \"/r\"\nuser = \"u\"\nkey = \"/none\"",
            "tree 只能和 path 一起用",
        ),
        (
            "[sftp]\nendpoint = \"ssh://h\"\nroot = \"r\"\nuser = \"u\"\nkey = \"/none\"",
            "应为以 / 开头的路径",
        ),
        (
            "[sftp]\nendpoint = \"ssh://h\"\nroot = \"/r\"\nuser = \"u\"\nkey = \"/none\"",
            "找不到私钥文件 /none",
        ),
        (
            "[sftp]\nendpoint = \"ssh://h\"\nroot = \"/r\"\nuser = \"u\"\nkey = \"/none\"\nknown_hosts = \"yes\"",
            "应为 strict",
        ),
        (
            "[webdav]\nendpoint = \"http://x.example\"\nuser = \"u\"\npassword = { command = [\"echo\", \"p\"] }",
            "allow_http = true",
        ),
        (
            "[webdav]\nendpoint = \"https://127.0.0.1\"\nuser = \"u\"\npassword = { command = [\"echo\", \"p\"] }",
            "内网或保留地址",
        ),
        (
            "[webdav]\nendpoint = \"https://u:p@x.example\"\nuser = \"u\"\npassword = { command = [\"echo\", \"p\"] }",
            "不能写用户名和密码",
        ),
        (
            "[s3]\nendpoint = \"https://s3.example\"\nbucket = \"b\"\naccess_key = { env = \"CAISHI_TEST_UNSET\" }\nsecret_key = { env = \"CAISHI_TEST_UNSET\" }",
            "s3.secret_key：环境变量 CAISHI_TEST_UNSET 没有设置",
        ),
        (
            "[s3]\nendpoint = \"https://s3.example\"\naccess_key = { env = \"X\" }\nsecret_key = { env = \"X\" }",
            "缺少 bucket",
        ),
    ];
    for (settings, expected) in cases {
        let found = faults(settings).join("\n");
        assert!(
            found.contains(expected) && found.contains("[channel.branches]"),
            "{settings}: {found}"
        );
    }
}
