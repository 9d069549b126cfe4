//! The attributes of Windows that a copy carries over, as decisions about one number. Pure.
//!
//! - *Read-only*, *hidden* and *system* are compared in every pass: where they alone differ they are mended, and nothing is
//!   copied. robocopy calls such files *tweaked* and leaves them alone unless `/it` is given, which then copies them whole.
//! - *Archive* and *not content indexed* go to the copy as well, but are not compared: whoever writes sets the one, backup
//!   programs take it away on the side that they save, and the other is the business of a machine's own search.
//! - *Compressed* and *sparse* are how a volume keeps a content: see [`crate::sys::tree::content::take_shape`]. *Encrypted*
//!   is not carried over: what can be read is read and written as plain content. All others (*offline*, *temporary*, …)
//!   belong to the volume, and stay as they are there.

pub const READ_ONLY: u32 = 0x1;
pub const HIDDEN: u32 = 0x2;
pub const SYSTEM: u32 = 0x4;
pub const DIRECTORY: u32 = 0x10;
pub const ARCHIVE: u32 = 0x20;
/// What an entry without any other mark is set to have; 0 would mean "as it is".
pub const NORMAL: u32 = 0x80;
pub const SPARSE: u32 = 0x200;
pub const COMPRESSED: u32 = 0x800;
pub const NOT_INDEXED: u32 = 0x2000;
/// No mark of Windows: what is made is open to its owner and to administrators alone until its access list is set.
pub const OWNER_ONLY: u32 = 0x8000_0000;

const COMPARED: u32 = READ_ONLY | HIDDEN | SYSTEM;
const CARRIED: u32 = COMPARED | ARCHIVE | NOT_INDEXED;
/// What the call that sets marks does not take, or takes no notice of.
const NOT_SET: u32 = OWNER_ONLY | NORMAL | DIRECTORY | SPARSE | COMPRESSED | 0x400 | 0x4000;

/// The marks that a finished copy has.
pub fn kept(marks: u32) -> u32 {
    marks & CARRIED
}

/// Whether what a file lacks of its size on the volume may be holes: a filter that keeps its content elsewhere is not asked.
pub fn may_have_holes(marks: u32) -> bool {
    const REPARSE_POINT: u32 = 0x400;
    const OFFLINE: u32 = 0x1000;
    const RECALLED: u32 = 0x4_0000 | 0x40_0000;
    marks & (SPARSE | COMPRESSED) != 0 && marks & (REPARSE_POINT | OFFLINE | RECALLED) == 0
}

/// What the top of a target is to have: the root of a drive is hidden and the system's own, and a folder that has become its
/// copy is not.
pub fn of_the_top(wanted: u32, own: u32) -> u32 {
    const ITS_OWN: u32 = HIDDEN | SYSTEM;
    wanted & !ITS_OWN | own & ITS_OWN
}

/// Whether two entries agree in all that is compared.
pub fn same(one: u32, other: u32) -> bool {
    (one ^ other) & COMPARED == 0
}

/// The marks that a copy is made with: none yet that would be in the way of filling it; how its content is to be kept is
/// told from the others.
pub fn first(marks: u32) -> u32 {
    marks & !READ_ONLY
}

/// What is set on an entry, so that of what is carried over it has these and all else stays.
pub fn set_over(now: u32, marks: u32) -> u32 {
    match (now & !CARRIED & !NOT_SET) | kept(marks) {
        0 => NORMAL,
        marks => marks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_of_a_drive_s_root_is_not_hidden() {
        assert_eq!(of_the_top(HIDDEN | SYSTEM | READ_ONLY, 0), READ_ONLY);
        assert_eq!(of_the_top(0, HIDDEN), HIDDEN, "who hid it had a reason");
    }

    #[test]
    fn only_what_the_volume_itself_made_small_has_holes() {
        assert!(may_have_holes(SPARSE) && may_have_holes(COMPRESSED | ARCHIVE));
        for marks in [0, ARCHIVE, SPARSE | 0x400, SPARSE | 0x1000, SPARSE | 0x40_0000] {
            assert!(!may_have_holes(marks), "{marks:#x}");
        }
    }

    #[test]
    fn files_differ_by_the_marks_that_mean_something_to_people() {
        for (one, other, expected) in [
            (READ_ONLY, 0, false),
            (HIDDEN, 0, false),
            (SYSTEM, SYSTEM | HIDDEN, false),
            (ARCHIVE, NORMAL, true),
            (COMPRESSED | SPARSE, 0, true),
            (NOT_INDEXED | READ_ONLY, READ_ONLY, true),
        ] {
            assert_eq!(same(one, other), expected, "{one:x} {other:x}");
        }
    }

    #[test]
    fn what_is_set_changes_no_mark_of_the_volumes_own() {
        const OFFLINE: u32 = 0x1000;
        assert_eq!(set_over(ARCHIVE, READ_ONLY | HIDDEN), READ_ONLY | HIDDEN);
        assert_eq!(set_over(ARCHIVE, 0), NORMAL, "0 would leave the old marks");
        assert_eq!(set_over(OFFLINE | COMPRESSED | DIRECTORY, SYSTEM), OFFLINE | SYSTEM);
        assert_eq!(set_over(NORMAL, ARCHIVE), ARCHIVE);
        assert_eq!(kept(OFFLINE | COMPRESSED | ARCHIVE | OWNER_ONLY), ARCHIVE);
    }

    #[test]
    fn a_copy_under_way_can_be_written_to() {
        assert_eq!(first(READ_ONLY | HIDDEN | COMPRESSED), HIDDEN | COMPRESSED);
    }
}
