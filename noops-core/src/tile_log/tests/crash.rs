use std::path::Path;

use super::disk::{Disk, Fault, Left, ROOT};
use super::*;
use crate::tile_log::verify::verify_on;

/// What a host does: groups of records, one of them with evidence, checkpoints on the way and at the end.
fn live(
    disk: &Disk,
    signer: &NoteSigner,
    plan: Plan,
    acknowledged: &mut Vec<AuditEntry>,
) -> Result<(), Error> {
    let mut engine = open_on(disk, signer, plan.every)?;
    for group in 0..plan.groups {
        let first = group * plan.width;
        let one: Vec<AuditRecord> = (first..first + plan.width / 2).map(record).collect();
        let mut other: Vec<AuditRecord> = (first + plan.width / 2..first + plan.width)
            .map(record)
            .collect();
        if group == 1 {
            other[0].body = pointer_like();
        }
        for result in engine.commit(vec![one, other]) {
            acknowledged.extend(result?);
        }
        engine.integrate_when_due()?;
    }
    engine.integrate()
}

#[derive(Clone, Copy)]
struct Plan {
    groups: u64,
    width: u64,
    every: u64,
}

impl Plan {
    fn total(self) -> u64 {
        self.groups * self.width
    }
}

const SMALL: Plan = Plan {
    groups: 5,
    width: 4,
    every: 6,
};

/// Beyond one full tile.
const WIDE: Plan = Plan {
    groups: 3,
    width: 100,
    every: 150,
};

fn check_after(
    disk: &Disk,
    signer: &NoteSigner,
    plan: Plan,
    acknowledged: &[AuditEntry],
    what: &str,
) {
    let mut engine =
        open_on(disk, signer, plan.every).unwrap_or_else(|error| panic!("{what}: {error}"));
    let entries = all_entries(&engine);
    assert!(
        entries.len() >= acknowledged.len(),
        "{what}: lost an acknowledged entry"
    );
    assert_eq!(&entries[..acknowledged.len()], acknowledged, "{what}");
    engine.integrate().unwrap();
    let head = engine.head;
    drop(engine);
    let verified = verify_on(disk, Path::new(ROOT), &signer.verifier(), None)
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(verified.entries(), entries, "{what}");
    assert_eq!(verified.head(), head, "{what}");
    // Doing all of it again adds exactly what is missing.
    let mut again = Vec::new();
    live(disk, signer, plan, &mut again).unwrap_or_else(|error| panic!("{what}: {error}"));
    let verified = verify_on(disk, Path::new(ROOT), &signer.verifier(), None).unwrap();
    assert_eq!(verified.entries().len() as u64, plan.total(), "{what}");
    assert_eq!(verified.entries(), again, "{what}");
    assert_eq!(verified.journalled(), 0, "{what}");
}

fn crash_everywhere(plan: Plan) {
    let signer = signer();
    for at in 1.. {
        let disk = Disk::with_fault(at, Fault::Crash);
        let mut acknowledged = Vec::new();
        let done = live(&disk, &signer, plan, &mut acknowledged);
        if disk.operations() < at {
            assert!(done.is_ok());
            assert!(at > 30, "the scenario does too little");
            return;
        }
        for left in [Left::Synced, Left::Names, Left::Half, Left::All] {
            let what = format!("crash at operation {at}, {left:?} left");
            check_after(&disk.after_cut(left), &signer, plan, &acknowledged, &what);
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_wherever_the_power_goes() {
    crash_everywhere(SMALL);
}

#[test]
fn nothing_acknowledged_is_lost_when_tiles_fill() {
    crash_everywhere(WIDE);
}

#[test]
fn nothing_acknowledged_is_lost_whichever_operation_fails() {
    let signer = signer();
    for fault in [Fault::Fail, Fault::Short] {
        for at in 1.. {
            let disk = Disk::with_fault(at, fault);
            let mut acknowledged = Vec::new();
            let done = live(&disk, &signer, SMALL, &mut acknowledged);
            if disk.operations() < at {
                assert!(done.is_ok());
                break;
            }
            disk.heal();
            let what = format!("{fault:?} at operation {at}");
            check_after(&disk, &signer, SMALL, &acknowledged, &what);
        }
    }
}

#[test]
fn after_a_failed_sync_every_call_is_refused_until_the_log_is_opened_again() {
    let signer = signer();
    let disk = Disk::default();
    let mut engine = open_on(&disk, &signer, 100).unwrap();
    engine.commit(vec![vec![record(0)]]).remove(0).unwrap();
    // The write of the next group succeeds, its sync does not.
    disk.fail_in(2);
    let error = engine.commit(vec![vec![record(1)]]).remove(0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    disk.heal();
    for _ in 0..2 {
        let error = engine.commit(vec![vec![record(1)]]).remove(0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains("open the log again"), "{error}");
        assert!(engine.integrate().is_err());
    }
    drop(engine);
    let mut engine = open_on(&disk, &signer, 100).unwrap();
    engine.commit(vec![vec![record(1)]]).remove(0).unwrap();
    assert_eq!(engine.size(), 2);
}

#[test]
fn a_journal_that_contradicts_the_signed_log_is_refused() {
    let signer = signer();
    let disk = Disk::default();
    let mut engine = open_on(&disk, &signer, 100).unwrap();
    engine
        .commit(vec![vec![record(0), record(1)]])
        .remove(0)
        .unwrap();
    engine.integrate().unwrap();
    drop(engine);
    let other = AuditEntry::chain(0, record(9), AuditEntry::ORIGIN);
    let leaf = serde_json::to_vec(&other).unwrap();
    let path = Path::new(ROOT).join("journal");
    for (first, expected) in [
        (0, "differs"),
        (1, "differs"),
        (5, "missing"),
        (2, "cannot be read"),
    ] {
        let frame = crate::tile_log::journal::frame(first, std::slice::from_ref(&leaf)).unwrap();
        disk.set(&path, &frame);
        let error = open_on(&disk, &signer, 100).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{first}");
        let text = error.to_string();
        assert!(
            text.contains(expected) && text.contains("offset `0`"),
            "{text}"
        );
    }
}
