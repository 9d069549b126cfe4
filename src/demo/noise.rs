//! Bytes that look like compressed mail and are the same for the same name, always and everywhere.

use std::io;

/// How much is made at a time.
const BLOCK: usize = 256 * 1024;

/// An endless stream of bytes that belongs to one name.
pub struct Noise(blake3::OutputReader);

impl Noise {
    pub fn of(name: &str) -> Self {
        Self(blake3::Hasher::new().update(name.as_bytes()).finalize_xof())
    }

    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }

    /// A number that is evenly spread, below `limit` (which is not 0).
    pub fn number_below(&mut self, limit: u64) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes) % limit
    }

    /// Writes the next `bytes` of the stream.
    pub fn write_to(&mut self, out: &mut impl io::Write, mut bytes: u64) -> io::Result<()> {
        let mut block = vec![0; BLOCK.min(usize::try_from(bytes).unwrap_or(BLOCK))];
        while bytes > 0 {
            let now = block.len().min(usize::try_from(bytes).unwrap_or(block.len()));
            self.fill(&mut block[..now]);
            out.write_all(&block[..now])?;
            bytes -= now as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Noise;

    #[test]
    fn the_same_name_gives_the_same_bytes_in_any_portions() {
        let mut whole = Vec::new();
        Noise::of("a").write_to(&mut whole, 1000).unwrap();
        let mut portions = Vec::new();
        let mut noise = Noise::of("a");
        noise.write_to(&mut portions, 1).unwrap();
        noise.write_to(&mut portions, 999).unwrap();
        assert_eq!(whole, portions);
    }

    #[test]
    fn another_name_gives_other_bytes() {
        let (mut one, mut other) = ([0; 32], [0; 32]);
        Noise::of("a").fill(&mut one);
        Noise::of("b").fill(&mut other);
        assert_ne!(one, other);
    }
}
