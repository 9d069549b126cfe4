//! Ports of loopback, for servers of a test's own.

/// A port of loopback that nobody listens at.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Whether somebody listens at a port before patience ends, or `ended` says that nobody will.
pub fn answers(port: u16, mut ended: impl FnMut() -> bool) -> bool {
    let end = std::time::Instant::now() + super::PATIENCE;
    while std::time::Instant::now() < end && !ended() {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return true;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    false
}
