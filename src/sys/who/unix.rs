//! The kernel's name of the machine, and the user table's name of the user.

/// Up to the first dot: the name without its domain.
pub fn host() -> Option<String> {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    name.split('.').next().map(str::to_owned)
}

/// Rights are given one by one here: what a process lacks is told when it is missed.
pub fn rights() -> super::Rights {
    super::Rights::Unknown
}

/// By the user's number, since `USER` still names the former user after `su` or `sudo`. Users of a directory service
/// are not in the table: for them the environment is believed.
pub fn user() -> Option<String> {
    let number = rustix::process::geteuid().as_raw();
    std::fs::read_to_string("/etc/passwd")
        .ok()
        .and_then(|table| name_of(number, &table))
        .or_else(|| std::env::var("LOGNAME").ok())
        .or_else(|| std::env::var("USER").ok())
        .or_else(|| Some(format!("uid {number}")))
}

/// A line is `name:password:number:…`.
fn name_of(number: u32, table: &str) -> Option<String> {
    table.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(number)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_number_among_damaged_lines() {
        let table = "root:x:0:0:root:/root:/bin/sh\n\nbroken\nanna:x:1000:1000::/home/anna:/bin/sh\n";
        assert_eq!(name_of(1000, table).as_deref(), Some("anna"));
        assert_eq!(name_of(7, table), None);
    }
}
