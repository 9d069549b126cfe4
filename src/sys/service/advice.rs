//! What to do about an error of Windows' service manager. Pure, and tested on every system.

use super::Problem;

// From `winerror.h`, by number, so that the table can be read and tested where there is no Windows.
const ACCESS_DENIED: u32 = 5;
const INVALID_SERVICE_CONTROL: u32 = 1052;
const DEPENDENT_SERVICES_RUNNING: u32 = 1051;
const SERVICE_DISABLED: u32 = 1058;
const PATH_NOT_FOUND: u32 = 3;
const FILE_NOT_FOUND: u32 = 2;
const SERVICE_DEPENDENCY_FAIL: u32 = 1068;
const SERVICE_LOGON_FAILED: u32 = 1069;
const SERVICE_MARKED_FOR_DELETE: u32 = 1072;
const SERVICE_DATABASE_LOCKED: u32 = 1055;
const RPC_SERVER_UNAVAILABLE: u32 = 1722;
const RPC_CALL_FAILED: u32 = 1726;

/// Whose service manager it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine<'a> {
    This,
    Other(&'a str),
}

/// `None` where Windows' own words must do.
pub fn of(code: u32, machine: Machine<'_>) -> Option<String> {
    let text = match code {
        ACCESS_DENIED => return Some(about_access(machine)),
        SERVICE_DISABLED => {
            "the service is disabled: set its start type to manual or automatic (`sc config NAME start= demand`) in a step before this one"
        }
        DEPENDENT_SERVICES_RUNNING => {
            "services that depend on it are running (`sc enumdepend NAME` names them): stop them in a step before this one"
        }
        INVALID_SERVICE_CONTROL => {
            "the service does not take this from the service manager: give the step its own commands (`status:`, `start:`, `stop:`)"
        }
        FILE_NOT_FOUND | PATH_NOT_FOUND => {
            "the service's program is not where its registration says (`sc qc NAME` shows it): install it anew"
        }
        SERVICE_DEPENDENCY_FAIL => {
            "a service that it depends on did not start (`sc qc NAME` names them): start that one in a step before this one"
        }
        SERVICE_LOGON_FAILED => {
            "the account that the service runs as was refused: set its password anew, and see that it may log on as a service"
        }
        SERVICE_MARKED_FOR_DELETE => {
            "the service is being removed and goes when nobody has it open any more: close the services console, then run again"
        }
        SERVICE_DATABASE_LOCKED => {
            "another program, perhaps an installation, holds the service manager: run again when it is done"
        }
        RPC_SERVER_UNAVAILABLE | RPC_CALL_FAILED => {
            "check the host's name, that the machine is up, and that its firewall lets remote service management through"
        }
        _ => return None,
    };
    Some(text.to_owned())
}

fn about_access(machine: Machine<'_>) -> String {
    match machine {
        Machine::This => {
            "starting and stopping services needs the rights of an administrator: open the console by `Run as administrator` and run again"
                .to_owned()
        }
        Machine::Other(host) => format!(
            "run movebook as a user of the domain who is an administrator on {host}: from afar, Windows takes the rights away from {host}'s own administrators (LocalAccountTokenFilterPolicy)"
        ),
    }
}

/// A stop that these services block; they are named in the order in which they can be stopped.
pub fn held_by(names: &[String]) -> Problem {
    let (depend, steps) = match names {
        [_] => ("depends on it and runs", "in a step before this one"),
        _ => ("depend on it and run", "in steps before this one, in this order"),
    };
    Problem::failed(format!("cannot stop the service: {} {depend}", names.join(", ")))
        .hint(format!("stop {} {steps}, and start them again behind it", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_known_error_says_what_to_do() {
        for (code, word) in [
            (1058, "start type"),
            (1051, "depend"),
            (1052, "own commands"),
            (2, "install"),
            (1068, "start that one"),
            (1069, "password"),
            (1072, "close"),
            (1055, "run again"),
            (1722, "firewall"),
        ] {
            let hint = of(code, Machine::This).unwrap();
            assert!(hint.contains(word), "{code}: {hint}");
        }
        assert_eq!(of(87, Machine::This), None);
    }

    #[test]
    fn refused_access_is_told_for_the_machine_that_refused_it() {
        assert!(of(5, Machine::This).unwrap().contains("Run as administrator"));
        let afar = of(5, Machine::Other("oldserver")).unwrap();
        assert!(afar.contains("an administrator on oldserver"), "{afar}");
    }

    #[test]
    fn services_that_block_a_stop_are_named_in_their_order() {
        let Problem::Failed { what, hint, .. } = held_by(&["Web".to_owned(), "Sync".to_owned()]) else {
            panic!("it is a failure")
        };
        assert_eq!(what, "cannot stop the service: Web, Sync depend on it and run");
        assert!(hint.unwrap().starts_with("stop Web, Sync in steps before this one, in this order"));
    }
}
