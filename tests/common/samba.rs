//! A Samba of a test's own: on loopback, at a free port, with a share `c$` and one user, all of it in a folder that goes with
//! the test.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// The user's password.
pub const PASSWORD: &str = "CANARY-5mb-7f3a";

pub struct Samba {
    folder: TempDir,
    server: Child,
    port: u16,
}

impl Samba {
    /// # Errors
    /// Why it cannot be had here.
    pub fn start() -> Result<Self, String> {
        let smbd =
            ["/usr/sbin/smbd", "/usr/local/sbin/smbd"].into_iter().find(|path| Path::new(path).exists());
        let smbd = smbd.ok_or("there is no Samba here; tests/install installs it")?;
        if !rustix::process::getuid().is_root() {
            return Err("a Samba of one's own needs root".to_owned());
        }
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in ["state", "private", "c"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        let port = super::ports::free_port();
        let (state, private, share) = (root.join("state"), root.join("private"), root.join("c"));
        let config = root.join("smb.conf");
        let (state, private, share) = (state.display(), private.display(), share.display());
        fs::write(
            &config,
            format!(
                "[global]\n smb ports = {port}\n interfaces = 127.0.0.1/8\n bind interfaces only = yes\n \
                 lock directory = {state}\n state directory = {state}\n cache directory = {state}\n \
                 pid directory = {state}\n ncalrpc dir = {state}/ncalrpc\n log file = {state}/log\n \
                 private dir = {private}\n passdb backend = tdbsam:{private}/passdb.tdb\n server role = standalone server\n \
                 map to guest = never\n load printers = no\n disable spoolss = yes\n\
                 [c$]\n path = {share}\n read only = no\n valid users = root\n"
            ),
        )
        .unwrap();
        let mut adding = Command::new("smbpasswd")
            .args(["-c", config.to_str().unwrap(), "-a", "-s", "root"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot start smbpasswd: {error}"))?;
        adding.stdin.take().unwrap().write_all(format!("{PASSWORD}\n{PASSWORD}\n").as_bytes()).unwrap();
        if !adding.wait().unwrap().success() {
            return Err("smbpasswd cannot make a user here".to_owned());
        }
        let server = Command::new(smbd)
            .args(["--foreground", "-s", config.to_str().unwrap()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot start smbd: {error}"))?;
        let mut samba = Self { folder, server, port };
        let server = &mut samba.server;
        match super::ports::answers(samba.port, || server.try_wait().unwrap().is_some()) {
            true => Ok(samba),
            false => Err("smbd does not come up here".to_owned()),
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// A file or folder of the share.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("c").join(name)
    }

    /// `defaults` of a runbook whose remote `smb-old` is this, and the declaration of its password.
    pub fn defaults(&self) -> String {
        format!(
            "vars: {{password: {{type: secret}}}}
defaults:
  copy:
    engine: rclone
    wait: 0s
    environment:
      RCLONE_CONFIG_SMB_OLD_TYPE: smb
      RCLONE_CONFIG_SMB_OLD_HOST: 127.0.0.1
      RCLONE_CONFIG_SMB_OLD_PORT: '{}'
      RCLONE_CONFIG_SMB_OLD_USER: root
      RCLONE_CONFIG_SMB_OLD_PASS: '{{{{ password }}}}'
",
            self.port
        )
    }
}

impl Drop for Samba {
    fn drop(&mut self) {
        // Politely, so that it ends its children, too: it has a process group of its own.
        let pid = rustix::process::Pid::from_child(&self.server);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.server.wait();
    }
}
