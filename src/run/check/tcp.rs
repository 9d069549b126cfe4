//! Whether somebody answers at a host's port.

use std::io::ErrorKind;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use super::{Finding, Verdict};

/// Tries every address that the name has, within `timeout` for all of them together.
pub fn connect(host: &str, port: u16, timeout: Duration) -> Verdict {
    let finding = |reason: String, next: &str| Verdict {
        findings: vec![Finding { subject: format!("{host}:{port}"), reason, next: next.to_owned() }],
        ..Verdict::default()
    };
    let begun = Instant::now();
    let addresses: Vec<_> = match (host, port).to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(error) => {
            return finding(
                format!("the name is not found ({error})"),
                "check the host's name and this machine's name server",
            );
        }
    };
    let mut last = None;
    for address in &addresses {
        // Zero is no timeout but an error for the system.
        let left = timeout.saturating_sub(begun.elapsed()).max(Duration::from_millis(1));
        match TcpStream::connect_timeout(address, left) {
            Ok(_) => return Verdict::default(),
            Err(error) => last = Some(error),
        }
    }
    match last {
        None => finding(
            "the name has no address".to_owned(),
            "check the host's name and this machine's name server",
        ),
        Some(error) => match error.kind() {
            ErrorKind::ConnectionRefused => finding(
                "the connection is refused: the host is there, and nothing listens at this port".to_owned(),
                "start the program that should listen there, or correct the port",
            ),
            ErrorKind::TimedOut | ErrorKind::WouldBlock => finding(
                format!("no answer within {}", crate::values::written(timeout)),
                "check that the host is on, and that no firewall is between",
            ),
            _ => finding(
                format!("cannot connect: {error}"),
                "check this machine's network and the way to that host",
            ),
        },
    }
}
