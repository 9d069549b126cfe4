//! Argon2id hashes of secret answers and secret variables, as PHC strings.
//!
//! The hash is all that is kept of a secret: with it a later answer can be compared, and nothing can be read. The salt
//! is random, so that equal secrets have different hashes.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error as HashError, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::error::{Error, ExitCode, Result};

/// Memory in KiB, passes and lanes: the first recommendation of OWASP's password storage sheet, about 50 ms.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);

/// Hashes a secret for the state file.
pub fn hash(secret: &str) -> Result<String> {
    let (memory, passes, lanes) = COST;
    Params::new(memory, passes, lanes, None)
        .map_err(HashError::from)
        .map(|params| Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
        .and_then(|argon2| PasswordHasher::<PasswordHash>::hash_password(&argon2, secret.as_bytes()))
        .map(|hash| hash.to_string())
        .map_err(|error| Error::new(ExitCode::StepFailed, "cannot hash the secret answer").caused_by(error))
}

/// Whether a secret is the one that was hashed. A hash that is no valid PHC string is an error.
pub fn matches(phc: &str, secret: &str) -> Result<bool> {
    let unreadable =
        || Error::new(ExitCode::Damaged, "cannot read the hash of a secret answer in the state file");
    let parsed = PasswordHash::new(phc).map_err(|error| unreadable().caused_by(error.to_string()))?;
    // The hash names its own cost: one of somebody else's making must not take the memory of the machine.
    let cost = Params::try_from(&parsed).map_err(|error| unreadable().caused_by(error))?;
    if cost.m_cost() > 256 * 1024 || cost.t_cost() > 16 {
        return Err(unreadable().hint("its cost is higher than any that movebook writes"));
    }
    match Argon2::default().verify_password(secret.as_bytes(), &parsed) {
        Ok(()) => Ok(true),
        Err(HashError::PasswordInvalid) => Ok(false),
        Err(error) => Err(unreadable().caused_by(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_secret_matches_and_another_does_not() {
        let phc = hash("Grüße 123").unwrap();
        assert!(matches(&phc, "Grüße 123").unwrap());
        assert!(!matches(&phc, "grüße 123").unwrap());
        assert!(!matches(&phc, "").unwrap());
    }

    #[test]
    fn equal_secrets_have_different_hashes() {
        assert_ne!(hash("a").unwrap(), hash("a").unwrap());
    }

    #[test]
    fn the_hash_is_argon2id_and_does_not_hold_the_secret() {
        let phc = hash("canary").unwrap();
        assert!(phc.starts_with("$argon2id$v=19$"), "{phc}");
        assert!(!phc.contains("canary"));
    }

    #[test]
    fn a_broken_hash_is_an_error_and_not_a_mismatch() {
        assert_eq!(matches("nonsense", "a").unwrap_err().code(), ExitCode::Damaged);
    }

    #[test]
    fn a_hash_that_asks_for_much_memory_is_refused() {
        let phc = hash("a").unwrap().replace("m=19456", "m=4000000000");
        assert_eq!(matches(&phc, "a").unwrap_err().code(), ExitCode::Damaged);
    }
}
