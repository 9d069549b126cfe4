//! Security descriptors of Windows as bytes: what of one is carried over, and what is set. Pure.
//!
//! The layout is that of the self-relative form (`[MS-DTYP] 2.4.6`): revision, control bits, the places of owner, group,
//! SACL and DACL, and then these.
//!
//! A list that is not there lets everybody do everything. None is ever made of it: where a source has none, that is an
//! error ([`Parts::access`] is `None`), never a list that is set.

/// Flags of the control word.
pub const DACL_PRESENT: u16 = 0x4;
pub const SACL_PRESENT: u16 = 0x10;
const DACL_AUTO_INHERIT_REQUIRED: u16 = 0x100;
const SACL_AUTO_INHERIT_REQUIRED: u16 = 0x200;
pub const DACL_AUTO_INHERITED: u16 = 0x400;
pub const SACL_AUTO_INHERITED: u16 = 0x800;
pub const DACL_PROTECTED: u16 = 0x1000;
pub const SACL_PROTECTED: u16 = 0x2000;
const SELF_RELATIVE: u16 = 0x8000;

const HEADER: usize = 20;
/// Of a list: revision, size and count.
const LIST_HEADER: usize = 8;

/// What a descriptor says, each as the bytes that are compared, kept and set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Owner and group.
    pub owner: Option<Vec<u8>>,
    /// The control bits that belong to it, and the list of who may do what.
    pub access: Option<Vec<u8>>,
    /// The same of what is recorded.
    pub audit: Option<Vec<u8>>,
}

/// Which list a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    Access,
    Audit,
}

impl List {
    fn present(self) -> u16 {
        match self {
            Self::Access => DACL_PRESENT,
            Self::Audit => SACL_PRESENT,
        }
    }

    /// Whether entries of the folder above reach this list, and whether they did.
    fn kept(self) -> u16 {
        match self {
            Self::Access => DACL_PROTECTED | DACL_AUTO_INHERITED,
            Self::Audit => SACL_PROTECTED | SACL_AUTO_INHERITED,
        }
    }

    /// The bits that are set: that entries were inherited is kept only where this is asked for by a bit of its own.
    pub fn control(self, kept: u16) -> u16 {
        let kept = kept & self.kept();
        let (inherited, required) = match self {
            Self::Access => (DACL_AUTO_INHERITED, DACL_AUTO_INHERIT_REQUIRED),
            Self::Audit => (SACL_AUTO_INHERITED, SACL_AUTO_INHERIT_REQUIRED),
        };
        self.present() | kept | if kept & inherited != 0 { required } else { 0 }
    }
}

/// Takes a descriptor apart; `None` where it is none.
pub fn parts(bytes: &[u8]) -> Option<Parts> {
    let control = word(bytes, 2)?;
    if bytes.len() < HEADER || control & SELF_RELATIVE == 0 {
        return None;
    }
    let [owner, group, audit, access] = [4, 8, 12, 16].map(|at| place(bytes, at));
    let owner = match (owner?, group?) {
        (0, _) | (_, 0) => None,
        (owner, group) => Some([sid(bytes, owner)?, sid(bytes, group)?].concat()),
    };
    let list = |kind: List, at: usize| match at {
        _ if control & kind.present() == 0 => Some(None),
        0 => Some(None),
        at => {
            let kept = (control & kind.kept()).to_le_bytes();
            Some(Some([kept.as_slice(), &entries(bytes, at)?].concat()))
        }
    };
    Some(Parts { owner, access: list(List::Access, access?)?, audit: list(List::Audit, audit?)? })
}

/// The value of a list without entries, and without anything that is inherited.
pub fn no_entries() -> Vec<u8> {
    const EMPTY: [u8; 8] = [2, 0, 8, 0, 0, 0, 0, 0];
    [[0, 0].as_slice(), &EMPTY].concat()
}

/// The descriptor that sets owner and group.
pub fn with_owner(value: &[u8]) -> Option<Vec<u8>> {
    let owner = sid(value, 0)?;
    let group = sid(value, owner.len())?;
    (owner.len() + group.len() == value.len())
        .then(|| descriptor(0, [HEADER, HEADER + owner.len(), 0, 0], value))
}

/// The descriptor that sets a list.
pub fn with_list(kind: List, value: &[u8]) -> Option<Vec<u8>> {
    let (control, list) = (word(value, 0)?, value.get(2..)?);
    if entries(list, 0)? != list {
        return None;
    }
    let places = match kind {
        List::Access => [0, 0, 0, HEADER],
        List::Audit => [0, 0, HEADER, 0],
    };
    Some(descriptor(kind.control(control), places, list))
}

fn descriptor(control: u16, places: [usize; 4], content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![1, 0];
    bytes.extend((control | SELF_RELATIVE).to_le_bytes());
    for place in places {
        bytes.extend((place as u32).to_le_bytes());
    }
    bytes.extend(content);
    bytes
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn place(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize)
}

fn sid(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let count = usize::from(*bytes.get(at.checked_add(1)?)?);
    bytes.get(at..at.checked_add(8 + 4 * count)?)
}

/// A list without the room that its size may have beyond its entries: that differs from volume to volume.
fn entries(bytes: &[u8], at: usize) -> Option<Vec<u8>> {
    let (size, count) = (usize::from(word(bytes, at.checked_add(2)?)?), word(bytes, at.checked_add(4)?)?);
    let list = bytes.get(at..at.checked_add(size)?)?;
    let mut end = LIST_HEADER;
    for _ in 0..count {
        let entry = usize::from(word(list, end + 2)?);
        end += entry;
        if entry < 4 || end > size {
            return None;
        }
    }
    let mut list = list.get(..end)?.to_vec();
    list[2..4].copy_from_slice(&u16::try_from(end).ok()?.to_le_bytes());
    Some(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADMINISTRATORS: &[u8] = &[1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0];
    const EVERYONE: &[u8] = &[1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];

    /// A list that lets everyone do everything, with so much room behind it.
    fn list(room: usize) -> Vec<u8> {
        let entry = [&[0, 0, 20, 0, 0xff, 1, 0x1f, 0], EVERYONE].concat();
        let mut list = vec![2, 0, (8 + entry.len() + room) as u8, 0, 1, 0, 0, 0];
        list.extend(entry);
        list.extend(vec![0xee; room]);
        list
    }

    fn whole(control: u16, list: &[u8]) -> Vec<u8> {
        let content = [ADMINISTRATORS, EVERYONE, list].concat();
        let group = HEADER + ADMINISTRATORS.len();
        descriptor(control, [HEADER, group, 0, group + EVERYONE.len()], &content)
    }

    #[test]
    fn a_list_without_entries_comes_back_as_it_was_set() {
        let bytes = with_list(List::Audit, &no_entries()).unwrap();
        assert_eq!(parts(&bytes).unwrap().audit, Some(no_entries()));
    }

    #[test]
    fn what_is_read_is_set_the_same_wherever_it_lies_in_the_descriptor() {
        let read = parts(&whole(DACL_PRESENT | DACL_PROTECTED, &list(12))).unwrap();
        let owner = read.owner.clone().unwrap();
        let access = read.access.clone().unwrap();
        let set = parts(&with_owner(&owner).unwrap()).unwrap();
        assert_eq!(set, Parts { owner: Some(owner), ..Parts::default() });
        let set = parts(&with_list(List::Access, &access).unwrap()).unwrap();
        assert_eq!(set, Parts { access: Some(access.clone()), ..Parts::default() });
        assert_eq!(access, [DACL_PROTECTED.to_le_bytes().as_slice(), &list(0)].concat());
    }

    #[test]
    fn a_list_that_is_not_there_is_never_one_that_is_set() {
        assert_eq!(parts(&whole(0, &list(0))).unwrap().access, None, "not present");
        let none = descriptor(DACL_PRESENT, [0; 4], &[]);
        assert_eq!(parts(&none).unwrap(), Parts::default(), "present and null");
        assert_eq!(with_list(List::Access, &[]), None);
        assert_eq!(with_list(List::Access, &DACL_PROTECTED.to_le_bytes()), None);
    }

    #[test]
    fn an_empty_list_lets_nobody_in_and_stays_one() {
        let empty = [2, 0, 8, 0, 0, 0, 0, 0];
        let access = parts(&whole(DACL_PRESENT, &empty)).unwrap().access.unwrap();
        assert_eq!(access, [[0, 0].as_slice(), &empty].concat());
        assert!(with_list(List::Access, &access).is_some());
    }

    #[test]
    fn that_entries_were_inherited_is_asked_for_by_a_bit_of_its_own() {
        let control = List::Access.control(DACL_AUTO_INHERITED | SACL_PROTECTED);
        assert_eq!(control, DACL_PRESENT | DACL_AUTO_INHERITED | DACL_AUTO_INHERIT_REQUIRED);
        assert_eq!(List::Access.control(DACL_PROTECTED), DACL_PRESENT | DACL_PROTECTED);
        let control = List::Audit.control(SACL_AUTO_INHERITED | SACL_PROTECTED);
        let expected = SACL_PRESENT | SACL_AUTO_INHERITED | SACL_AUTO_INHERIT_REQUIRED | SACL_PROTECTED;
        assert_eq!(control, expected);
    }

    #[test]
    fn what_is_cut_off_or_lies_about_its_length_is_none() {
        let good = whole(DACL_PRESENT, &list(0));
        for length in 0..good.len() {
            assert_eq!(parts(&good[..length]), None, "{length}");
        }
        let mut too_many = list(0);
        too_many[4] = 2;
        assert_eq!(parts(&whole(DACL_PRESENT, &too_many)), None);
        assert_eq!(with_owner(&[ADMINISTRATORS, EVERYONE, &[0]].concat()), None);
    }
}
