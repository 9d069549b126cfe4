//! A script's own variables, as far as it says what they hold.

use std::collections::BTreeMap;

use super::unknown::{Unknowns, Whose};

/// A longer text is nobody's path; without a bound, variables that are made of themselves would fill the memory.
const LONGEST: usize = 32 * 1024;
/// So many bytes come from variables in all; behind that nothing is known.
const MOST: usize = 16 << 20;

/// What a variable holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(String),
    /// `'/e', '/r:2'` in PowerShell, `(-a --delete)` in a shell.
    List(Vec<String>),
    /// It was set to what nobody knows before the script runs.
    Unknown,
}

/// Whether `Old` and `OLD` are one variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameCase {
    /// In batch files and in PowerShell.
    Ignored,
    /// In shells.
    Kept,
}

/// The variables of one script, while it is read from its top to its end.
pub struct Variables<'u> {
    values: BTreeMap<String, Value>,
    /// What held outside of each scope.
    scopes: Vec<BTreeMap<String, Value>>,
    case: NameCase,
    /// Which script it is, among those that are read.
    script: usize,
    pub unknowns: &'u mut Unknowns,
    /// Every text that a variable held, in order: names for what a runbook holds.
    pub held: Vec<Held>,
    /// Bytes that came from variables so far.
    spent: usize,
}

/// A text that a variable of a script held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub name: String,
    pub text: String,
}

impl<'u> Variables<'u> {
    pub fn new(case: NameCase, script: usize, unknowns: &'u mut Unknowns) -> Self {
        Self {
            values: BTreeMap::new(),
            scopes: Vec::new(),
            case,
            script,
            unknowns,
            held: Vec::new(),
            spent: 0,
        }
    }

    pub fn set(&mut self, name: &str, value: Value) {
        let length = match &value {
            Value::Text(text) => text.len(),
            Value::List(items) => items.iter().map(|item| item.len() + 1).sum(),
            Value::Unknown => 0,
        };
        if length > LONGEST {
            return self.forget(name);
        }
        if let Value::Text(text) = &value {
            self.held.push(Held { name: name.to_owned(), text: text.clone() });
        }
        self.values.insert(self.key(name), value);
    }

    /// From here on nobody knows what it holds.
    pub fn forget(&mut self, name: &str) {
        self.values.insert(self.key(name), Value::Unknown);
    }

    /// From here on nobody knows what any holds.
    pub fn forget_all(&mut self) {
        self.values.values_mut().for_each(|value| *value = Value::Unknown);
    }

    /// What is set behind this holds up to [`Self::leave_scope`].
    pub fn enter_scope(&mut self) {
        // As deep as `setlocal` goes.
        const DEEPEST: usize = 32;
        if self.scopes.len() < DEEPEST {
            self.scopes.push(self.values.clone());
        }
    }

    pub fn leave_scope(&mut self) {
        if let Some(values) = self.scopes.pop() {
            self.values = values;
        }
    }

    /// The text of a variable, as one word; a letter in its place where it is not known.
    pub fn text(&mut self, name: &str, written: &str) -> String {
        self.items(name, written).join(" ")
    }

    /// What a variable holds, item by item.
    pub fn items(&mut self, name: &str, written: &str) -> Vec<String> {
        let items = match self.values.get(&self.key(name)) {
            Some(Value::Text(text)) => vec![text.clone()],
            Some(Value::List(items)) => items.clone(),
            Some(Value::Unknown) => return vec![self.by_name(written, name).to_string()],
            None => {
                let key = self.key(name);
                return vec![self.unknowns.keyed(&key, written, name, Whose::AllScripts).to_string()];
            }
        };
        self.spent += items.iter().map(|item| item.len() + 1).sum::<usize>();
        match self.spent > MOST {
            true => vec![self.of_this_script(written, name).to_string()],
            false => items,
        }
    }

    /// What a person is asked for: from here on it is not known.
    pub fn asked(&mut self, written: &str, name: &str) -> char {
        self.forget(name);
        self.by_name(written, name)
    }

    /// The letter for an argument or a variable of this script, in whatever way it is written.
    pub fn by_name(&mut self, written: &str, name: &str) -> char {
        let key = self.key(name);
        self.unknowns.keyed(&key, written, name, Whose::Script(self.script))
    }

    /// Whether the script set it, to whatever.
    pub fn is_set(&self, name: &str) -> bool {
        self.values.contains_key(&self.key(name))
    }

    /// The letter for what only a running script could work out.
    pub fn of_this_script(&mut self, written: &str, name: &str) -> char {
        self.unknowns.stand_in(written, name, Whose::Script(self.script))
    }

    fn key(&self, name: &str) -> String {
        match self.case {
            NameCase::Ignored => name.to_lowercase(),
            NameCase::Kept => name.to_owned(),
        }
    }
}
