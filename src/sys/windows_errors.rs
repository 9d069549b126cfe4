//! The error codes of Windows, and what each says about what was tried: the one place where that is decided.
//!
//! Pure, and the same on every system: robocopy tells them, too. What is not in the table has no class: such an error is
//! permanent for its entry.
//!
//! The standard library calls three codes "not found" that say nothing of the kind: [`told`] gives them a kind that nobody
//! takes for an absence, since "the source lacks it" lets a purge delete, and "the target is absent" makes a new one.

use std::io::{self, ErrorKind};

/// What a code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Somebody else uses it, the device failed once, or the machine is short of something: it passes by itself.
    Passing,
    /// As before, since too much is open at once.
    OutOfHandles,
    /// The other machine, or the way to it, does not answer. It passes, or the volume is lost.
    Network,
    /// Nothing has the name. What is being removed counts, though its name is taken until that is done.
    Absent,
    Denied,
    /// Nothing more can be written: no room, no quota.
    NoRoom,
    WriteProtected,
    /// The volume, or the device it is on, is there no more.
    VolumeGone,
    /// Something on the way is a link or no directory.
    NoWay,
    /// The system or the volume has no such call.
    Unsupported,
}

use Class::{
    Absent, Denied, Network, NoRoom, NoWay, OutOfHandles, Passing, Unsupported, VolumeGone, WriteProtected,
};

/// By number, with the names of `winerror.h`. Device errors pass as `EIO` does on Unix: a bad sector fails again, and a
/// cable that was touched does not.
pub const TABLE: &[(i32, &str, Class)] = &[
    (1, "ERROR_INVALID_FUNCTION", Unsupported),
    (2, "ERROR_FILE_NOT_FOUND", Absent),
    (3, "ERROR_PATH_NOT_FOUND", Absent),
    (4, "ERROR_TOO_MANY_OPEN_FILES", OutOfHandles),
    (5, "ERROR_ACCESS_DENIED", Denied),
    // Of a handle that is open here it says that a server closed it: it was started anew, or the connection was.
    (6, "ERROR_INVALID_HANDLE", Network),
    (8, "ERROR_NOT_ENOUGH_MEMORY", Passing),
    (14, "ERROR_OUTOFMEMORY", Passing),
    (15, "ERROR_INVALID_DRIVE", VolumeGone),
    (19, "ERROR_WRITE_PROTECT", WriteProtected),
    (20, "ERROR_BAD_UNIT", VolumeGone),
    // Of a share's volume, too, while its server is being started: whether it is gone is asked of the root.
    (21, "ERROR_NOT_READY", Network),
    (23, "ERROR_CRC", Passing),
    (25, "ERROR_SEEK", Passing),
    (27, "ERROR_SECTOR_NOT_FOUND", Passing),
    (29, "ERROR_WRITE_FAULT", Passing),
    (30, "ERROR_READ_FAULT", Passing),
    (31, "ERROR_GEN_FAILURE", Passing),
    (32, "ERROR_SHARING_VIOLATION", Passing),
    (33, "ERROR_LOCK_VIOLATION", Passing),
    (34, "ERROR_WRONG_DISK", VolumeGone),
    (36, "ERROR_SHARING_BUFFER_EXCEEDED", OutOfHandles),
    (39, "ERROR_HANDLE_DISK_FULL", NoRoom),
    (50, "ERROR_NOT_SUPPORTED", Unsupported),
    (51, "ERROR_REM_NOT_LIST", Network),
    (52, "ERROR_DUP_NAME", Network),
    (53, "ERROR_BAD_NETPATH", Network),
    (54, "ERROR_NETWORK_BUSY", Network),
    // What a share whose server is being started says, and a stick that was pulled out: the latter persists.
    (55, "ERROR_DEV_NOT_EXIST", Network),
    (56, "ERROR_TOO_MANY_CMDS", Network),
    (57, "ERROR_ADAP_HDW_ERR", Network),
    (58, "ERROR_BAD_NET_RESP", Network),
    (59, "ERROR_UNEXP_NET_ERR", Network),
    (60, "ERROR_BAD_REM_ADAP", Network),
    (64, "ERROR_NETNAME_DELETED", Network),
    (65, "ERROR_NETWORK_ACCESS_DENIED", Denied),
    (67, "ERROR_BAD_NET_NAME", Network),
    (68, "ERROR_TOO_MANY_NAMES", Network),
    (69, "ERROR_TOO_MANY_SESS", Network),
    (70, "ERROR_SHARING_PAUSED", Network),
    (71, "ERROR_REQ_NOT_ACCEP", Network),
    (72, "ERROR_REDIR_PAUSED", Network),
    (86, "ERROR_INVALID_PASSWORD", Denied),
    (88, "ERROR_NET_WRITE_FAULT", Network),
    (112, "ERROR_DISK_FULL", NoRoom),
    (120, "ERROR_CALL_NOT_IMPLEMENTED", Unsupported),
    (121, "ERROR_SEM_TIMEOUT", Network),
    (148, "ERROR_PATH_BUSY", Passing),
    (167, "ERROR_LOCK_FAILED", Passing),
    (170, "ERROR_BUSY", Passing),
    (212, "ERROR_LOCKED", Passing),
    (225, "ERROR_VIRUS_INFECTED", Denied),
    (226, "ERROR_VIRUS_DELETED", Denied),
    (240, "ERROR_VC_DISCONNECTED", Network),
    (258, "WAIT_TIMEOUT", Passing),
    (267, "ERROR_DIRECTORY", NoWay),
    (300, "ERROR_OPLOCK_NOT_GRANTED", Passing),
    (303, "ERROR_DELETE_PENDING", Absent),
    (314, "ERROR_DISK_RESOURCES_EXHAUSTED", NoRoom),
    (321, "ERROR_DEVICE_UNREACHABLE", Network),
    (329, "ERROR_OPERATION_IN_PROGRESS", Passing),
    // A file in a cloud is not here; that says nothing about the volume.
    (362, "ERROR_CLOUD_FILE_PROVIDER_NOT_RUNNING", Passing),
    (388, "ERROR_CLOUD_FILE_NETWORK_UNAVAILABLE", Passing),
    (391, "ERROR_CLOUD_FILE_IN_USE", Passing),
    (395, "ERROR_CLOUD_FILE_ACCESS_DENIED", Denied),
    (404, "ERROR_CLOUD_FILE_PROVIDER_TERMINATED", Passing),
    (426, "ERROR_CLOUD_FILE_REQUEST_TIMEOUT", Passing),
    (433, "ERROR_NO_SUCH_DEVICE", VolumeGone),
    (483, "ERROR_DEVICE_HARDWARE_ERROR", Passing),
    (594, "ERROR_DRIVER_CANCEL_TIMEOUT", Passing),
    (681, "ERROR_STOPPED_ON_SYMLINK", NoWay),
    (995, "ERROR_OPERATION_ABORTED", Passing),
    (1005, "ERROR_UNRECOGNIZED_VOLUME", VolumeGone),
    // Of one handle that a server knows no more, as often as of a volume that was changed.
    (1006, "ERROR_FILE_INVALID", Network),
    (1110, "ERROR_MEDIA_CHANGED", VolumeGone),
    (1111, "ERROR_BUS_RESET", Passing),
    (1112, "ERROR_NO_MEDIA_IN_DRIVE", VolumeGone),
    (1115, "ERROR_SHUTDOWN_IN_PROGRESS", Network),
    (1117, "ERROR_IO_DEVICE", Passing),
    (1126, "ERROR_DISK_RECALIBRATE_FAILED", Passing),
    (1127, "ERROR_DISK_OPERATION_FAILED", Passing),
    (1128, "ERROR_DISK_RESET_FAILED", Passing),
    (1130, "ERROR_NOT_ENOUGH_SERVER_MEMORY", Passing),
    (1131, "ERROR_POSSIBLE_DEADLOCK", Passing),
    (1167, "ERROR_DEVICE_NOT_CONNECTED", VolumeGone),
    (1203, "ERROR_NO_NET_OR_BAD_PATH", Network),
    (1219, "ERROR_SESSION_CREDENTIAL_CONFLICT", Denied),
    (1220, "ERROR_REMOTE_SESSION_LIMIT_EXCEEDED", Network),
    (1222, "ERROR_NO_NETWORK", Network),
    (1224, "ERROR_USER_MAPPED_FILE", Passing),
    (1225, "ERROR_CONNECTION_REFUSED", Network),
    (1226, "ERROR_GRACEFUL_DISCONNECT", Network),
    (1229, "ERROR_CONNECTION_INVALID", Network),
    (1231, "ERROR_NETWORK_UNREACHABLE", Network),
    (1232, "ERROR_HOST_UNREACHABLE", Network),
    (1233, "ERROR_PROTOCOL_UNREACHABLE", Network),
    (1234, "ERROR_PORT_UNREACHABLE", Network),
    (1235, "ERROR_REQUEST_ABORTED", Network),
    (1236, "ERROR_CONNECTION_ABORTED", Network),
    (1237, "ERROR_RETRY", Passing),
    (1238, "ERROR_CONNECTION_COUNT_LIMIT", Network),
    (1239, "ERROR_LOGIN_TIME_RESTRICTION", Denied),
    (1240, "ERROR_LOGIN_WKSTA_RESTRICTION", Denied),
    (1255, "ERROR_SERVER_SHUTDOWN_IN_PROGRESS", Network),
    (1256, "ERROR_HOST_DOWN", Network),
    (1272, "ERROR_SMB_GUEST_LOGON_BLOCKED", Denied),
    (1295, "ERROR_DISK_QUOTA_EXCEEDED", NoRoom),
    (1311, "ERROR_NO_LOGON_SERVERS", Network),
    (1312, "ERROR_NO_SUCH_LOGON_SESSION", Denied),
    (1314, "ERROR_PRIVILEGE_NOT_HELD", Denied),
    (1326, "ERROR_LOGON_FAILURE", Denied),
    (1327, "ERROR_ACCOUNT_RESTRICTION", Denied),
    (1328, "ERROR_INVALID_LOGON_HOURS", Denied),
    (1330, "ERROR_PASSWORD_EXPIRED", Denied),
    (1331, "ERROR_ACCOUNT_DISABLED", Denied),
    (1385, "ERROR_LOGON_TYPE_NOT_GRANTED", Denied),
    (1396, "ERROR_WRONG_TARGET_NAME", Denied),
    (1397, "ERROR_MUTUAL_AUTH_FAILED", Denied),
    (1450, "ERROR_NO_SYSTEM_RESOURCES", Passing),
    (1451, "ERROR_NONPAGED_SYSTEM_RESOURCES", Passing),
    (1452, "ERROR_PAGED_SYSTEM_RESOURCES", Passing),
    (1453, "ERROR_WORKING_SET_QUOTA", Passing),
    (1454, "ERROR_PAGEFILE_QUOTA", Passing),
    (1455, "ERROR_COMMITMENT_LIMIT", Passing),
    (1460, "ERROR_TIMEOUT", Network),
    (1617, "ERROR_DEVICE_REMOVED", VolumeGone),
    (1785, "ERROR_UNRECOGNIZED_MEDIA", VolumeGone),
    (1788, "ERROR_TRUSTED_DOMAIN_FAILURE", Denied),
    (1789, "ERROR_TRUSTED_RELATIONSHIP_FAILURE", Denied),
    (1790, "ERROR_TRUST_FAILURE", Denied),
    (1816, "ERROR_NOT_ENOUGH_QUOTA", Passing),
    (1907, "ERROR_PASSWORD_MUST_CHANGE", Denied),
    (1909, "ERROR_ACCOUNT_LOCKED_OUT", Denied),
    (1921, "ERROR_CANT_RESOLVE_FILENAME", NoWay),
    (2250, "ERROR_NOT_CONNECTED", Network),
    (2401, "ERROR_OPEN_FILES", Passing),
    (2402, "ERROR_ACTIVE_CONNECTIONS", Passing),
    (2404, "ERROR_DEVICE_IN_USE", Passing),
    // A link, or what was none, took the place of the other between two looks.
    (4390, "ERROR_NOT_A_REPARSE_POINT", Passing),
    (4394, "ERROR_REPARSE_TAG_MISMATCH", Passing),
    (6002, "ERROR_FILE_ENCRYPTED", Denied),
    (6009, "ERROR_FILE_READ_ONLY", Denied),
    (6800, "ERROR_TRANSACTIONAL_CONFLICT", Passing),
    (10050, "WSAENETDOWN", Network),
    (10051, "WSAENETUNREACH", Network),
    (10052, "WSAENETRESET", Network),
    (10053, "WSAECONNABORTED", Network),
    (10054, "WSAECONNRESET", Network),
    (10060, "WSAETIMEDOUT", Network),
    (10061, "WSAECONNREFUSED", Network),
    (10064, "WSAEHOSTDOWN", Network),
    (10065, "WSAEHOSTUNREACH", Network),
];

/// What a code says, where it is known to say anything.
pub fn class(code: i32) -> Option<Class> {
    TABLE.binary_search_by_key(&code, |row| row.0).ok().map(|index| TABLE[index].2)
}

/// The code of an error, also of one that [`told`] gave another kind.
pub fn code(error: &io::Error) -> Option<i32> {
    error.raw_os_error().or_else(|| error.get_ref()?.downcast_ref::<io::Error>()?.raw_os_error())
}

/// The error with the kind that its code has by the table, where the standard library has another one. What it says is
/// the same.
pub fn told(error: io::Error) -> io::Error {
    let Some(class) = error.raw_os_error().and_then(class) else { return error };
    let kind = match class {
        Absent => ErrorKind::NotFound,
        Denied => ErrorKind::PermissionDenied,
        Unsupported => ErrorKind::Unsupported,
        Network if error.kind() == ErrorKind::NotFound => ErrorKind::HostUnreachable,
        VolumeGone if error.kind() == ErrorKind::NotFound => ErrorKind::NotConnected,
        _ => return error,
    };
    if error.kind() == kind { error } else { io::Error::new(kind, error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_names_each_code_once() {
        for pair in TABLE.windows(2) {
            assert!(pair[0].0 < pair[1].0, "{} and {}", pair[0].1, pair[1].1);
        }
    }

    #[test]
    fn codes_fall_into_the_documented_classes() {
        // The network, as a share says it that goes away under a pass.
        for code in [21, 51, 53, 54, 59, 64, 67, 121, 240, 1006, 1115, 1225, 1226, 1231, 1232, 1236] {
            assert_eq!(class(code), Some(Network), "{code}");
        }
        for code in [32, 33, 170, 1117, 1224, 1450] {
            assert_eq!(class(code), Some(Passing), "{code}");
        }
        for code in [39, 112, 1295] {
            assert_eq!(class(code), Some(NoRoom), "{code}");
        }
        for code in [15, 433, 1167, 1617] {
            assert_eq!(class(code), Some(VolumeGone), "{code}");
        }
        for code in [5, 1314, 1326, 1789] {
            assert_eq!(class(code), Some(Denied), "{code}");
        }
        let others = [(2, Absent), (3, Absent), (303, Absent), (4, OutOfHandles), (19, WriteProtected)];
        for (code, expected) in others {
            assert_eq!(class(code), Some(expected), "{code}");
        }
        // Corrupt files, names that cannot be, names that are taken: nothing passes by itself there.
        for code in [0, -1, 80, 87, 123, 145, 183, 1392, i32::MAX] {
            assert_eq!(class(code), None, "{code}");
        }
    }

    /// Only where the codes are Windows' own does the standard library know their kinds.
    #[cfg(windows)]
    #[test]
    fn no_loss_of_the_network_is_told_as_an_absence() {
        for (code, name, class) in TABLE {
            let plain = io::Error::from_raw_os_error(*code);
            let text = plain.to_string();
            let error = told(plain);
            assert_eq!(error.kind() == ErrorKind::NotFound, *class == Absent, "{name}");
            assert_eq!(error.kind() == ErrorKind::PermissionDenied, *class == Denied, "{name}");
            assert_eq!((super::code(&error), error.to_string()), (Some(*code), text), "{name}");
        }
    }

    #[cfg(windows)]
    #[test]
    fn what_the_standard_library_knows_of_full_and_protected_volumes_agrees() {
        for (code, name, class) in TABLE {
            let full = matches!(
                io::Error::from_raw_os_error(*code).kind(),
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded
            );
            assert!(!full || *class == NoRoom, "{name}");
        }
    }
}
