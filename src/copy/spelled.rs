//! A pass in the words of another program: the arguments, as a list and never as a line, and what of the pass they cannot
//! say.

/// What a program is called with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spelled {
    /// Without the program's name.
    pub arguments: Vec<String>,
    pub lacking: Vec<Lack>,
}

/// A field of a copy step that a program has no argument for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// As it is in a runbook: `purge.max_files`.
    pub field: &'static str,
    /// What becomes of it, or what to do instead.
    pub why: String,
    pub otherwise: Otherwise,
}

/// What becomes of such a field where movebook itself calls the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Otherwise {
    /// It is seen to around the program.
    Around,
    /// The pass is refused when the plan is made.
    Refused,
}

impl Spelled {
    pub fn say(&mut self, argument: impl Into<String>) {
        self.arguments.push(argument.into());
    }

    /// What nobody does in the program's place.
    pub fn lack(&mut self, field: &'static str, why: impl Into<String>) {
        self.lacking.push(Lack { field, why: why.into(), otherwise: Otherwise::Refused });
    }

    /// What the engine does around the program: only a line that a person types lacks it.
    pub fn around(&mut self, field: &'static str, why: impl Into<String>) {
        self.lacking.push(Lack { field, why: why.into(), otherwise: Otherwise::Around });
    }
}
