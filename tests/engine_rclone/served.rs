//! A WebDAV server of a test's own, which rclone serves from a folder on loopback.

use std::path::Path;
use std::process::{Child, Command, Stdio};

pub struct Served {
    server: Child,
    pub port: u16,
}

impl Served {
    pub fn start(folder: &Path) -> Result<Self, String> {
        Self::start_at(folder, crate::common::ports::free_port())
    }

    pub fn start_at(folder: &Path, port: u16) -> Result<Self, String> {
        super::rclone()?;
        std::fs::create_dir_all(folder).unwrap();
        let server = Command::new("rclone")
            .args(["serve", "webdav", folder.to_str().unwrap(), "--addr", &format!("127.0.0.1:{port}")])
            // What is written behind its back is seen at once.
            .args(["--dir-cache-time", "0s"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot start `rclone serve webdav`: {error}"))?;
        let mut served = Self { server, port };
        let server = &mut served.server;
        match crate::common::ports::answers(port, || server.try_wait().unwrap().is_some()) {
            true => Ok(served),
            false => Err("`rclone serve webdav` does not come up here".to_owned()),
        }
    }

    /// `defaults` of a runbook whose remote `dav` is this.
    pub fn defaults(&self, more: &str) -> String {
        format!(
            "defaults:
  copy:
    engine: rclone
    wait: 0s
{more}    environment:
      RCLONE_CONFIG_DAV_TYPE: webdav
      RCLONE_CONFIG_DAV_URL: 'http://127.0.0.1:{}'
      RCLONE_CONFIG_DAV_VENDOR: other
",
            self.port
        )
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
