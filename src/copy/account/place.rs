//! Where the names of a run are: in a folder beside its state file, a file a step.

use std::path::{Path, PathBuf};

/// `demo.state.jsonl` has `demo.state.jsonl.account`: the whole name, so that no two state files share a folder.
pub fn folder_of(state_file: &Path) -> PathBuf {
    let mut name = state_file.as_os_str().to_os_string();
    name.push(".account");
    PathBuf::from(name)
}

/// The names of a step's last pass.
pub fn file_of(state_file: &Path, step: &str) -> PathBuf {
    folder_of(state_file).join(format!("{}.jsonl", file_name(step)))
}

/// The whole list of a purge that a person was asked about at a step.
pub fn list_file_of(state_file: &Path, step: &str) -> PathBuf {
    folder_of(state_file).join(format!("{}.purge-list.jsonl", file_name(step)))
}

/// What a purge that keeps nothing was about to delete in an attempt of a step.
pub fn deletions_file_of(state_file: &Path, step: &str, attempt: u32) -> PathBuf {
    folder_of(state_file).join(format!("{}.deleting-{attempt}.jsonl", file_name(step)))
}

/// Ids are letters, digits, `-` and `[number]`; what else a damaged journal may hold leads nowhere else.
fn file_name(step: &str) -> String {
    step.chars().map(|c| if c.is_ascii_alphanumeric() || "-[]".contains(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_of_each_run_has_a_file_of_its_own() {
        let state = Path::new("/x/demo.state.jsonl");
        assert_eq!(file_of(state, "final"), Path::new("/x/demo.state.jsonl.account/final.jsonl"));
        assert_eq!(file_of(state, "store[0]"), Path::new("/x/demo.state.jsonl.account/store[0].jsonl"));
        assert_ne!(list_file_of(state, "final"), file_of(state, "final"));
    }

    #[test]
    fn no_step_leads_out_of_the_folder() {
        let file = file_of(Path::new("/x/a.jsonl"), "../../etc/passwd");
        assert_eq!(file.parent(), Some(Path::new("/x/a.jsonl.account")));
    }
}
