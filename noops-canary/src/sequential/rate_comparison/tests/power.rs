use super::error_rates::Running;
use super::*;

/// The events until the evidence against `null` reaches 1 / 0.05 when the true ratio is `truth`, looked at after every event.
fn events_until(seed: u64, theta: f64, truth: f64, null: f64, side: f64) -> usize {
    let mut random = Random::new(seed);
    let mut running = Running::new(&[theta], null, side);
    let needed = -libm::log(0.05);
    let most = 100_000;
    (1..=most)
        .find(|_| {
            let challenger = random.uniform() < theta * truth / (theta * truth + 1.0 - theta);
            running.add(
                if challenger {
                    Arm::Challenger
                } else {
                    Arm::Champion
                },
                0,
            );
            running.reaches(needed)
        })
        .unwrap_or(most)
}

fn sorted_stops(runs: u64, theta: f64, truth: f64, null: f64, side: f64) -> Vec<usize> {
    let stops = (0..runs).map(|seed| events_until(seed, theta, truth, null, side));
    let mut stops: Vec<usize> = stops.collect();
    stops.sort_unstable();
    stops
}

fn mean(stops: &[usize]) -> f64 {
    stops.iter().sum::<usize>() as f64 / stops.len() as f64
}

#[test]
fn half_as_many_failures_again_are_found_after_two_hundred_and_sixty_events() {
    let stops = sorted_stops(1_000, 0.5, 1.5, 1.0, 1.0);
    assert!(mean(&stops) <= 260.0, "{}", mean(&stops));
}

#[test]
fn twice_the_failures_are_found_after_a_hundred_and_fifteen_events() {
    let stops = sorted_stops(1_000, 0.5, 2.0, 1.0, 1.0);
    assert!(mean(&stops) <= 115.0, "{}", mean(&stops));
}

#[test]
fn equality_within_a_quarter_is_proven_after_a_median_of_seven_hundred_and_eighty_events() {
    let stops = sorted_stops(1_000, 0.5, 1.0, 1.25, -1.0);
    assert!(stops[500] <= 780, "{}", stops[500]);
}

#[test]
fn a_share_of_a_tenth_is_no_slower_than_the_beta_mixture() {
    // The beta-binomial mixture with a concentration of 100 takes 526 events for a ratio of 1.5 and 183 for one of 2.
    let half_more = sorted_stops(300, 0.1, 1.5, 1.0, 1.0);
    let twice = sorted_stops(300, 0.1, 2.0, 1.0, 1.0);
    assert!(mean(&half_more) <= 526.0, "{}", mean(&half_more));
    assert!(mean(&twice) <= 183.0, "{}", mean(&twice));
}
