//! Makes a case smaller that has a difference.

use crate::case::{Case, Difference};
use crate::engines::Engine;
use crate::tree::Tree;

/// So many trials at most.
const TRIALS: usize = 400;

/// The smallest case found in which the same engine still differs, with what is wrong then.
pub fn shrunk(case: &Case, differences: Vec<Difference>) -> (Case, Vec<Difference>) {
    let engine = differences[0].engine.clone();
    let engines =
        if engine == Engine::NATIVE { vec![engine.clone()] } else { vec![Engine::NATIVE, engine.clone()] };
    let mut best = (case.clone(), differences);
    let mut trials = 0;
    loop {
        let smaller = simpler(&best.0).into_iter().find_map(|case| {
            trials += 1;
            if trials > TRIALS {
                return None;
            }
            let differences = case.run(&engines).differences;
            differences.iter().any(|difference| difference.engine == engine).then_some((case, differences))
        });
        match smaller {
            Some(smaller) => best = smaller,
            None => return best,
        }
    }
}

/// The case with one thing less, for each thing, large ones first.
fn simpler(case: &Case) -> Vec<Case> {
    let paths = |tree: &Tree| {
        let mut paths: Vec<String> = tree.0.keys().cloned().collect();
        paths.sort_by_key(|path| path.matches('/').count());
        paths
    };
    let sources = paths(&case.source)
        .into_iter()
        .map(|path| Case { source: case.source.without(&path), ..case.clone() });
    let targets = paths(&case.target)
        .into_iter()
        .map(|path| Case { target: case.target.without(&path), ..case.clone() });
    let passes = case.pass.simpler().into_iter().map(|pass| Case { pass, ..case.clone() });
    passes.chain(targets).chain(sources).collect()
}
