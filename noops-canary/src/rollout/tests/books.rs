use super::*;

#[test]
fn a_failed_candidate_is_quarantined_and_others_cool_down() {
    let spec = canary()
        .with_cool_down(Duration::from_secs(50))
        .with_quarantine(Quarantining::For(Duration::from_secs(500)));
    let step = started(spec).step(at(100), &harm(0));
    let mut book = Quarantine::default();
    for command in step.commands() {
        if let Command::Quarantine {
            candidate,
            until,
            cool_down_until,
        } = command
        {
            book.record(*candidate, *until, *cool_down_until);
        }
    }
    let other = Digest::of(b"another");
    let until = Until::Time(at(600));
    assert_eq!(
        book.may_start(candidate(), at(599)),
        Err(StartRefused::Quarantined { until })
    );
    assert_eq!(book.may_start(candidate(), at(600)), Ok(()));
    let until = at(150);
    assert_eq!(
        book.may_start(other, at(149)),
        Err(StartRefused::CoolingDown { until })
    );
    assert_eq!(book.may_start(other, at(150)), Ok(()));
    // A clock that goes backwards lengthens it.
    assert!(book.may_start(candidate(), at(-1)).is_err());
}

#[test]
fn every_failure_quarantines_and_no_success_does() {
    let quarantines = |step: Step| {
        let mut commands = step.commands().iter();
        commands.any(|command| matches!(command, Command::Quarantine { .. }))
    };
    let reason = "freeze".to_owned();
    assert!(quarantines(ramping().step(at(1), &harm(0))));
    assert!(quarantines(
        ramping().step(at(1), &RolloutEvent::Abort { reason })
    ));
    assert!(quarantines(started(shadow_only()).step(at(1), &harm(0))));
    let shadow = in_force(&started(shadow_only()), 0);
    assert!(!quarantines(shadow.step(at(60), &promote(100))));
}

#[test]
fn entries_only_get_longer_until_a_person_releases() {
    let mut book = Quarantine::default();
    book.record(candidate(), Until::Forever, at(0));
    book.record(candidate(), Until::Time(at(5)), at(0));
    assert!(book.may_start(candidate(), Timestamp::MAX).is_err());
    let text = serde_json::to_string(&book).unwrap();
    assert_eq!(serde_json::from_str::<Quarantine>(&text).unwrap(), book);
    book.release(candidate());
    assert_eq!(book.may_start(candidate(), at(1)), Ok(()));
}

#[test]
fn what_has_ended_is_forgotten() {
    let mut book = Quarantine::default();
    book.record(candidate(), Until::Time(at(5)), at(9));
    book.forget_ended(at(4));
    assert_eq!(book.candidates().count(), 1);
    book.forget_ended(at(9));
    assert_eq!(book, Quarantine::default());
}

fn journal() -> (Vec<JournalEntry>, Rollout) {
    let mut live = started(canary());
    let mut entries = vec![JournalEntry::started(&live).unwrap()];
    let generation = live.generation();
    let events = [
        (0, applied(&live)),
        (50, RolloutEvent::Pause),
        (
            70,
            RolloutEvent::Resume {
                generation: generation + 1,
            },
        ),
        (90, promote(120)),
        (95, RolloutEvent::ShareUnknown),
        (99, harm(130)),
    ];
    for (second, event) in events {
        live = take(&live, second, &event);
        entries.push(entries.last().unwrap().next(at(second), event));
    }
    assert!(live.is_final());
    (entries, live)
}

#[test]
fn a_replayed_journal_gives_the_live_state() {
    let (entries, live) = journal();
    assert_eq!(replay(&canary(), &entries).unwrap(), live);
    let text = serde_json::to_string(&entries).unwrap();
    let stored: Vec<JournalEntry> = serde_json::from_str(&text).unwrap();
    assert_eq!(replay(&canary(), &stored).unwrap(), live);
}

#[test]
fn an_entry_that_is_there_twice_is_taken_once() {
    let (entries, live) = journal();
    let twice: Vec<_> = entries.iter().chain(&entries).cloned().collect();
    assert_eq!(replay(&canary(), &twice).unwrap(), live);
}

#[test]
fn a_damaged_journal_is_refused() {
    let (entries, live) = journal();
    assert_eq!(replay(&canary(), &[]), Err(CanaryError::Empty));
    for missing in 0..entries.len() - 1 {
        let mut gap = entries.clone();
        gap.remove(missing);
        assert!(replay(&canary(), &gap).is_err(), "{missing}");
    }
    let mut forked = entries.clone();
    forked.push(entries[1].next(at(60), RolloutEvent::Tick));
    assert!(replay(&canary(), &forked).is_err());
    let mut swapped = entries.clone();
    swapped.swap(2, 3);
    assert!(replay(&canary(), &swapped).is_err());
    assert!(replay(&blue_green(), &entries).is_err());
    assert!(JournalEntry::started(&live).is_err());
}
