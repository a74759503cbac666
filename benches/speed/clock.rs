//! CPU time from `/proc`.

use std::{collections::BTreeMap, fs};

/// Linux counts in hundredths of a second here, whatever the kernel's own clock does.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU seconds of this process, user and system, of all its threads.
pub fn process_cpu() -> f64 {
    stat("self").map_or(f64::NAN, |stat| stat.own)
}

/// CPU seconds of a process and of everything that descends from it, the dead included.
pub fn tree_cpu(root: u32) -> f64 {
    let processes: BTreeMap<u32, Stat> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|id: u32| Some((id, stat(&id.to_string())?)))
        .collect();
    let belongs = |id: u32| {
        let mut id = id;
        while id != root {
            match processes.get(&id) {
                // A process whose parent has died keeps its group.
                Some(stat) if stat.group == root => return true,
                Some(stat) => id = stat.parent,
                None => return false,
            }
        }
        true
    };
    let members = processes.iter().filter(|(id, _)| belongs(**id));
    members.map(|(_, stat)| stat.own + stat.buried).sum()
}

/// What a process has used, and whose it is.
struct Stat {
    parent: u32,
    group: u32,
    /// User and system, seconds.
    own: f64,
    /// The same of children that have ended.
    buried: f64,
}

/// Reads `/proc/<id>/stat` (proc_pid_stat(5)); the fields are counted from behind the name, which
/// may hold anything.
fn stat(id: &str) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let fields: Vec<&str> = text[text.rfind(')')? + 1..].split_whitespace().collect();
    let seconds = |at: usize| Some(fields.get(at)?.parse::<f64>().ok()? / TICKS_PER_SECOND);
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        group: fields.get(2)?.parse().ok()?,
        own: seconds(11)? + seconds(12)?,
        buried: seconds(13)? + seconds(14)?,
    })
}
