//! How fast movebook copies, looks and verifies, beside the programs that a person might use instead.
//!
//! `cargo bench --bench copy` measures everything; `-- S first` only the first copy of the small files, and so on (`-- --help`).
//! `benches/install-peers` fetches the programs to compare with. Root is needed for the file systems; without it, `--quick` runs.
//!
//! A figure is worth something only where nothing but the program differs, hence:
//! - **Every timed round has a target on a file system made anew** ([`volumes`]): an ext4 image with a journal, as mkfs makes it. A
//!   folder that was deleted and is filled again is up to 30 times slower on some file systems. Where a pass needs a filled target,
//!   one image is made once and cloned for each round.
//! - **The source cannot change**: it is mounted read-only, so that every round reads the same blocks and not even a time of
//!   access is written. What a pass has to do comes from the target: it is generated as the older state.
//! - **Rounds take turns** (A B C A B C), the first of each program is not counted, and medians are shown.
//! - **The flush counts for all**: after the program's end the target is brought to the disk (`syncfs`) within the measured span.
//! - **movebook is measured as people run it**: a whole process, a runbook, a new state file on the disk.
//! - A round counts only if the target is whole afterwards; it is compared with the source each time.
//!
//! The figures are information: neither a missed target nor a peer or a right that is not there ("not measured here") changes the
//! exit code. It tells only whether movebook did all that it could be asked here.

#[cfg(target_os = "linux")]
mod arguments;
#[cfg(target_os = "linux")]
mod data;
#[cfg(target_os = "linux")]
mod journal;
#[cfg(target_os = "linux")]
mod limit;
#[cfg(target_os = "linux")]
mod measure;
#[cfg(target_os = "linux")]
mod peers;
#[cfg(target_os = "linux")]
mod random;
#[cfg(target_os = "linux")]
mod rounds;
#[cfg(target_os = "linux")]
mod rows;
#[cfg(target_os = "linux")]
mod runs;
#[cfg(target_os = "linux")]
mod table;
#[cfg(target_os = "linux")]
mod volumes;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    rounds::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("not measured here: the benchmark makes file systems with Linux's tools");
}
