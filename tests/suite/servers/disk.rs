//! A disk so small that it fills up: a tmpfs of its own, seen by one process only and gone with it.

use super::process::skip_unless_required;
use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

const DISK: &str = "CAISHI_TEST_SMALL_DISK";

/// Mounts the disk, or says with its exit code that it cannot be done here.
const SCRIPT: &str =
    "mount -t tmpfs -o \"size=$0\" tmpfs \"$CAISHI_TEST_SMALL_DISK\" || exit 77; exec \"$@\"";

/// Where the small disk is, in the process that sees it.
pub fn here() -> Option<PathBuf> {
    env::var_os(DISK).map(PathBuf::from)
}

/// Runs a test of this binary once more in a process that sees a disk of `size`, as `mount` takes
/// it. Works for root and, where the system lets users have namespaces, for everybody.
pub fn run_again(test: &str, size: &str) {
    let folder = tempfile::tempdir().unwrap();
    for namespaces in ["-m", "-rm"] {
        let child = Command::new("unshare")
            .args([namespaces, "sh", "-c", SCRIPT, size])
            .arg(env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .env(DISK, folder.path())
            .output();
        let Ok(output) = child else { continue };
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        match output.status.code() {
            Some(0) => {
                assert!(said[0].contains("1 passed"), "{test} is no test: {}", said[0]);
                return;
            }
            Some(101) => panic!("on a disk of {size}:\n{}", said.join("\n")),
            _ => {}
        }
    }
    skip_unless_required("disk", "这里挂不了小磁盘（unshare、mount）");
}

/// Gives the disk more room.
pub fn grow(disk: &Path, size: &str) {
    let options = format!("remount,size={size}");
    let status = Command::new("mount").args(["-o", &options]).arg(disk).status().unwrap();
    assert!(status.success());
}
