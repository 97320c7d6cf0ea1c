use super::*;

const COUNTRIES: [&str; 8] = ["at", "be", "ch", "de", "es", "fi", "gr", "hu"];

fn sliced() -> Judge {
    Judge::new(spec([errors()]).with_slices(["country"])).unwrap()
}

/// Requests from eight countries, looked at after every twentieth; the first verdict that rolls back.
fn first_harm(seed: u64, requests: u64, rate: impl Fn(usize, Arm) -> f64) -> Option<Cause> {
    let mut random = Random::new(seed);
    let mut judge = sliced();
    let countries = COUNTRIES.map(|country| judge.slice_value("country", country).unwrap());
    for request in 0..requests {
        let arm = if random.uniform() < 0.5 {
            Arm::Challenger
        } else {
            Arm::Champion
        };
        let country = ((random.uniform() * 8.0) as usize).min(7);
        let values = [flag(random.uniform() < rate(country, arm))];
        let slices = [countries[country]];
        let unit = Unit::of_number(request);
        let observation = Observation::new(at(0), unit, arm, share(0.5), &values);
        judge.observe(&observation.with_slices(&slices)).unwrap();
        if request % 20 == 19
            && let Verdict::RollBack { because } = judge.verdict()
        {
            return Some(because);
        }
    }
    None
}

#[test]
fn one_bad_slice_of_eight_is_found_and_named_though_the_whole_is_equal() {
    let rate = |country: usize, arm: Arm| match (COUNTRIES[country], arm) {
        (_, Arm::Champion) => 0.1,
        ("de", Arm::Challenger) => 0.31,
        // So much better that the sum is the same.
        _ => 0.07,
    };
    let named = (0..30)
        .filter(|&seed| {
            let expected = Cause::Slice {
                metric: "errors".to_owned(),
                column: "country".to_owned(),
                value: "de".to_owned(),
            };
            first_harm(seed, 6_000, rate) == Some(expected)
        })
        .count();
    assert!(named >= 28, "{named}");
}

#[test]
fn harmless_slices_are_rarely_condemned() {
    let alarms = (0..150)
        .filter(|&seed| first_harm(seed, 1_500, |_, _| 0.1).is_some())
        .count();
    // scipy.stats.binom.sf(16, 150, 0.05) = 0.0014
    assert!(alarms <= 16, "{alarms}");
}

#[test]
fn values_beyond_the_sixty_fourth_are_judged_only_with_all_others() {
    let mut judge = sliced();
    let values: Vec<SliceValue> = (0..70)
        .map(|n| judge.slice_value("country", &format!("c{n}")).unwrap())
        .collect();
    for (slice, request) in values.iter().zip(0..) {
        let slices = [*slice];
        let failed = [Some(1.0)];
        let unit = Unit::of_number(request);
        let observation = Observation::new(at(0), unit, Arm::Champion, share(0.5), &failed);
        judge.observe(&observation.with_slices(&slices)).unwrap();
    }
    let judgement = judge.judgement();
    assert_eq!(judgement.slices().len(), 64);
    assert_eq!(judgement.n_champion(), 70);
    let counted: u64 = judgement
        .slices()
        .iter()
        .map(SliceJudgement::n_champion)
        .sum();
    assert_eq!(counted, 64);
    // A known value is the same slice again.
    assert_eq!(judge.slice_value("country", "c3").unwrap(), values[3]);
}

#[test]
fn the_order_in_which_slices_are_named_changes_no_evidence() {
    let mut judges = [sliced(), sliced()];
    let mut there = COUNTRIES;
    let [first, second] = &mut judges;
    for country in there {
        first.slice_value("country", country).unwrap();
    }
    there.reverse();
    for country in there {
        second.slice_value("country", country).unwrap();
    }
    let mut random = Random::new(4);
    for request in 0..2_000 {
        let arm = if random.uniform() < 0.5 {
            Arm::Challenger
        } else {
            Arm::Champion
        };
        let country = COUNTRIES[((random.uniform() * 8.0) as usize).min(7)];
        let failed = random.uniform()
            < if country == "fi" && arm == Arm::Challenger {
                0.4
            } else {
                0.1
            };
        for judge in &mut judges {
            let slices = [judge.slice_value("country", country).unwrap()];
            let values = [flag(failed)];
            let unit = Unit::of_number(request);
            let observation = Observation::new(at(0), unit, arm, share(0.5), &values);
            judge.observe(&observation.with_slices(&slices)).unwrap();
        }
    }
    let [first, second] = &judges;
    assert_eq!(first.verdict(), second.verdict());
    let (first, second) = (first.judgement(), second.judgement());
    for slice in first.slices() {
        let same = second
            .slices()
            .iter()
            .find(|other| other.value() == slice.value());
        assert_eq!(Some(slice), same);
    }
}

#[test]
fn a_slice_named_twice_is_refused_for_it_would_count_twice() {
    let mut judge = sliced();
    let at_home = judge.slice_value("country", "at").unwrap();
    let values = [Some(1.0)];
    let observation = Observation::new(at(0), Unit::of("u"), Arm::Champion, share(0.5), &values);
    let before = judge.clone();
    let twice = [at_home, at_home];
    assert!(judge.observe(&observation.with_slices(&twice)).is_err());
    assert_eq!(judge, before);
}

#[test]
fn a_slice_needs_the_evidence_of_its_place_however_many_come_after() {
    // 8 / ((n + 7)(n + 8)) of half of 5 % for the nth.
    for (place, needed) in [(0, 360.0), (7, 1_200.0), (19, 3_780.0)] {
        let mut judge = sliced();
        let slices: Vec<SliceValue> = (0..place + 1)
            .map(|n| judge.slice_value("country", &format!("c{n}")).unwrap())
            .collect();
        let named = [slices[place]];
        let mut before = 0.0;
        for request in 0.. {
            let unit = Unit::of_number(request);
            let failed = [Some(1.0)];
            let observation = Observation::new(at(0), unit, Arm::Challenger, share(0.5), &failed);
            judge.observe(&observation.with_slices(&named)).unwrap();
            let judgement = judge.judgement();
            let slice = &judgement.slices()[place];
            if slice.verdict() == MetricVerdict::Worse {
                let now = slice.worse().value();
                assert!(before < needed && needed <= now, "{before} {needed} {now}");
                break;
            }
            before = slice.worse().value();
        }
        // Those that come later take nothing from it.
        for n in 20..40 {
            judge.slice_value("country", &format!("c{n}")).unwrap();
        }
        let judgement = judge.judgement();
        assert_eq!(judgement.slices()[place].verdict(), MetricVerdict::Worse);
    }
}

#[test]
fn small_slices_say_that_they_are_too_small() {
    let mut judge = sliced();
    let slices = [judge.slice_value("country", "li").unwrap()];
    let values = [Some(0.0)];
    let observation = Observation::new(at(0), Unit::of("u"), Arm::Champion, share(0.5), &values);
    judge.observe(&observation.with_slices(&slices)).unwrap();
    assert_eq!(
        judge.judgement().slices()[0].verdict(),
        MetricVerdict::Insufficient
    );
}

#[test]
fn unknown_columns_and_slices_of_another_judge_are_refused() {
    let mut judge = sliced();
    let error = judge.slice_value("planet", "mars").unwrap_err().to_string();
    assert!(error.contains("`planet`"), "{error}");
    let mut other = sliced();
    let foreign = [other.slice_value("country", "at").unwrap()];
    let values = [Some(0.0)];
    let observation = Observation::new(at(0), Unit::of("u"), Arm::Champion, share(0.5), &values);
    let before = judge.clone();
    assert!(judge.observe(&observation.with_slices(&foreign)).is_err());
    assert_eq!(judge, before);
}
