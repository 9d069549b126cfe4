//! Extended attributes and access lists as values, and what turns one set of them into another. Pure.

use crate::copy::{Preserve, Preserved};
use crate::sys::attributes::{ACCESS, ACCESS_LIST, AUDIT, DEFAULT_ACCESS_LIST, OWNER, OWNER_IS_ATTRIBUTE};

/// Which attributes a pass carries over. All others are left as they are, on either side.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    preserve: Preserve,
    /// Beginnings of the names that this process may set.
    settable: Vec<&'static [u8]>,
}

impl Kept {
    pub(super) fn new(preserve: Preserve, settable: Vec<&'static [u8]>) -> Self {
        Self { preserve, settable }
    }

    pub(super) fn is_nothing(&self) -> bool {
        let as_attributes = [Preserved::Xattrs, Preserved::Acls];
        let owner = OWNER_IS_ATTRIBUTE.then_some(Preserved::Owner);
        !as_attributes.into_iter().chain(owner).any(|part| self.preserve.holds(part))
    }

    /// As what an attribute is carried over; `None` if it is not.
    pub(super) fn part(&self, name: &[u8]) -> Option<Preserved> {
        let part = if is_list(name) {
            Preserved::Acls
        } else if name == OWNER {
            Preserved::Owner
        } else if self.settable.iter().any(|beginning| name.starts_with(beginning)) {
            Preserved::Xattrs
        } else {
            return None;
        };
        self.preserve.holds(part).then_some(part)
    }
}

/// The attributes of one entry that are carried over, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Extended(Vec<(Vec<u8>, Vec<u8>)>);

impl Extended {
    pub(super) fn new(mut attributes: Vec<(Vec<u8>, Vec<u8>)>) -> Self {
        attributes.sort_unstable();
        Self(attributes)
    }

    fn get(&self, name: &[u8]) -> Option<&[u8]> {
        let at = self.0.binary_search_by(|(other, _)| other.as_slice().cmp(name)).ok()?;
        Some(&self.0[at].1)
    }
}

/// One step from what an entry has to what it is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change<'a> {
    Set { name: &'a [u8], value: &'a [u8] },
    Remove { name: &'a [u8] },
}

impl<'a> Change<'a> {
    pub(super) fn name(self) -> &'a [u8] {
        let (Self::Set { name, .. } | Self::Remove { name }) = self;
        name
    }
}

impl Change<'_> {
    /// What a source does not show of itself (an audit list, to most accounts) stays as it is.
    pub(super) fn is_left_alone(self) -> bool {
        matches!(self, Self::Remove { name } if name == AUDIT)
    }
}

fn is_list(name: &[u8]) -> bool {
    [ACCESS_LIST, DEFAULT_ACCESS_LIST, ACCESS, AUDIT].contains(&name)
}

/// All steps. Removals come first, so that there is room for what is set; access lists come last, since they may take
/// from the owner the right to set the others.
pub(super) fn changes<'a>(wanted: &'a Extended, there: &'a Extended) -> Vec<Change<'a>> {
    let removed = there.0.iter().filter(|(name, _)| wanted.get(name).is_none());
    let removed = removed.map(|(name, _)| Change::Remove { name });
    let set = wanted.0.iter().filter(|(name, value)| there.get(name) != Some(value));
    let set = set.map(|(name, value)| Change::Set { name, value });
    let mut changes: Vec<_> = removed.chain(set).collect();
    changes.sort_by_key(|change| is_list(change.name()));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extended(attributes: &[(&str, &str)]) -> Extended {
        Extended::new(
            attributes
                .iter()
                .map(|(name, value)| (name.as_bytes().into(), value.as_bytes().into()))
                .collect(),
        )
    }

    fn kept(parts: &[Preserved]) -> Kept {
        Kept::new(parts.iter().copied().collect(), vec![b"user.", b"security.capability"])
    }

    #[test]
    fn changes_turn_what_is_there_into_what_is_wanted_and_touch_nothing_else() {
        let wanted = extended(&[
            ("user.new", "1"),
            ("user.other", "2"),
            ("user.same", "3"),
            ("system.posix_acl_access", "4"),
        ]);
        let there = extended(&[
            ("user.other", "x"),
            ("user.same", "3"),
            ("user.gone", "5"),
            ("system.posix_acl_default", "6"),
        ]);
        let shown: Vec<_> = changes(&wanted, &there)
            .into_iter()
            .map(|change| match change {
                Change::Set { name, .. } => format!("set {}", String::from_utf8_lossy(name)),
                Change::Remove { name } => format!("remove {}", String::from_utf8_lossy(name)),
            })
            .collect();
        let expected = [
            "remove user.gone",
            "set user.new",
            "set user.other",
            "remove system.posix_acl_default",
            "set system.posix_acl_access",
        ];
        assert_eq!(shown, expected);
        assert_eq!(changes(&wanted, &wanted), []);
    }

    #[test]
    fn an_audit_list_that_the_source_does_not_show_is_left_alone() {
        let shown = Extended::new(vec![(AUDIT.to_vec(), vec![1])]);
        let hidden = Extended::default();
        assert!(changes(&hidden, &shown).iter().all(|change| change.is_left_alone()));
        assert!(!changes(&shown, &hidden).iter().all(|change| change.is_left_alone()));
    }

    #[test]
    fn only_what_is_asked_for_and_may_be_set_is_carried_over() {
        let (xattrs, acls) = (kept(&[Preserved::Xattrs]), kept(&[Preserved::Acls]));
        let cases: [(&[u8], _, _); 9] = [
            (b"user.a", Some(Preserved::Xattrs), None),
            (b"security.capability", Some(Preserved::Xattrs), None),
            (b"trusted.a", None, None),
            (b"security.selinux", None, None),
            (ACCESS_LIST, None, Some(Preserved::Acls)),
            (DEFAULT_ACCESS_LIST, None, Some(Preserved::Acls)),
            (ACCESS, None, Some(Preserved::Acls)),
            (AUDIT, None, Some(Preserved::Acls)),
            (OWNER, None, None),
        ];
        for (name, as_xattr, as_list) in cases {
            assert_eq!(xattrs.part(name), as_xattr, "{name:?}");
            assert_eq!(acls.part(name), as_list, "{name:?}");
        }
        assert_eq!(kept(&[Preserved::Owner]).part(OWNER), Some(Preserved::Owner));
        assert!(kept(&[Preserved::HardLinks]).is_nothing());
        assert_eq!(kept(&[Preserved::Owner]).is_nothing(), !OWNER_IS_ATTRIBUTE);
    }
}
