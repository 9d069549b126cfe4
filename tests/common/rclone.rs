//! The real rclone, where it is here.

use std::process::Command;

/// Why a test with it proves nothing here; `None` where it is here.
pub fn missing() -> Option<String> {
    match Command::new("rclone").arg("version").output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(format!("`rclone version` ended with {}", output.status)),
        Err(error) => Some(format!("there is no rclone here ({error}); tests/install installs it")),
    }
}
