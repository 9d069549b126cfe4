//! Arguments in, exit code out.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    std::process::ExitCode::from(movebook::cli::main())
}
