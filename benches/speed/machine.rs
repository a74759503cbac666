//! The machine a table was made on.

use std::{fs, path::Path, process::Command};

/// CPU, cores, memory, kernel and compiler in a few lines.
pub fn describe() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = field(&cpus, "model name").or_else(|| field(&cpus, "Model")).unwrap_or("unknown");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kilobytes =
        field(&memory, "MemTotal").and_then(|text| text.split(' ').next()?.parse().ok());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "machine   {model}, {cores} cores, {:.0} GB\nsystem    Linux {}, load {}\ncompiler  {}",
        kilobytes.map_or(f64::NAN, |kilobytes: f64| kilobytes / 1e6),
        kernel.trim(),
        fs::read_to_string("/proc/loadavg").unwrap_or_default().trim(),
        output(Command::new("rustc").arg("--version")).unwrap_or_else(|| "unknown".into()),
    )
}

/// Free bytes of the disk that holds `folder`, as `df` tells.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let text = output(Command::new("df").args(["--output=avail", "-B1"]).arg(folder))?;
    text.lines().last()?.trim().parse().ok()
}

/// Peak resident memory of this process in megabytes.
pub fn peak_mb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kibibytes = field(&status, "VmHWM").and_then(|text| text.split(' ').next()?.parse().ok());
    kibibytes.map_or(f64::NAN, |kibibytes: f64| kibibytes * 1024.0 / 1e6)
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim())
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
