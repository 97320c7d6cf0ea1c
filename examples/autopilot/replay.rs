//! The year, event by event.

use std::ops::Range;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use noops_canary::rollout::Stage;
use noops_core::{
    Digest, FencingToken, Label, ModelRegistry, Observed, SqlStates, StateStore, TimeSpan,
    TrainingRequest,
};
use noops_policy::Action;
use noops_serve::{Acted, ControlState, Controller, PolicyDocument, Request, ServedModel, Subject};
use serde::{Deserialize, Serialize};

use crate::accidents::{bad_candidate_at, bad_candidate_week, bad_week, register_bad_candidate};
use crate::failure::{Failure, fail};
use crate::flights::{Flights, midnight};
use crate::latency::{Latency, stopwatch};
use crate::output::Output;
use crate::quality::{Compared, Scores};
use crate::report::{Day, Mark};
use crate::screen::{Screen, Status};
use crate::settings;
use crate::world::World;

/// A run of the replay.
#[derive(Debug)]
pub(crate) struct Replay {
    world: World,
    controller: Controller,
    /// The January model, beside everything: what would have been without the autopilot.
    frozen: Arc<ServedModel>,
    scores: Scores,
    states: SqlStates,
    generation: u64,
    /// The right to act, which every change carries.
    token: FencingToken,
    progress: Progress,
}

/// Where the replay stands, beside the controller's own state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// The next flight to predict, and the first that was.
    pub(crate) next_flight: usize,
    pub(crate) first_flight: usize,
    next_landing: usize,
    next_hour: Timestamp,
    pub(crate) failed_predictions: u64,
    pub(crate) bad_candidate: BadCandidate,
    pub(crate) bad_week: BadWeek,
    pub(crate) days: Vec<Day>,
    pub(crate) marks: Vec<Mark>,
    today: Today,
    pub(crate) latency: Latency,
    pub(crate) wall_seconds: f64,
}

/// What became of the bad candidate.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct BadCandidate {
    number: Option<u64>,
    digest: Option<Digest>,
    pub(crate) caught_by: Option<String>,
    pub(crate) answers: u64,
    pub(crate) all_answers: u64,
}

/// What became of the bad week.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct BadWeek {
    pub(crate) caught: bool,
    pub(crate) rows_quarantined: u64,
    rows_before: u64,
}

/// The answers since midnight.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Today {
    first_flight: usize,
    answers: u64,
    by_challenger: u64,
}

#[derive(Serialize)]
struct Saving<'a> {
    progress: &'a Progress,
    control: &'a ControlState,
}

#[derive(Deserialize)]
struct Saved {
    progress: Progress,
    control: ControlState,
}

impl Replay {
    /// Trains on January, or goes on where an earlier process was cut off.
    pub(crate) async fn begin(
        world: World,
        policies: Vec<PolicyDocument>,
        output: &Output,
        screen: &Screen,
    ) -> Result<Self, Failure> {
        let states = output.database().states();
        let settings = settings::control()?;
        let start = midnight(2, 1);
        let saved = match states.load(KEY).await? {
            Some(snapshot) => Some((read_saved(&snapshot.bytes)?, snapshot.generation)),
            None => None,
        };
        let seen = match &saved {
            Some((saved, _)) => saved.progress.seen()?,
            None => start,
        };
        let token = output.lead(seen).await?;
        let components = world.components(output, policies, token);
        let (controller, progress, generation) = match saved {
            Some((saved, generation)) => {
                let controller =
                    Controller::resume(components, settings, saved.control, seen).await?;
                (controller, saved.progress, generation)
            }
            None => {
                screen.say("training on January");
                let request = TrainingRequest {
                    run: format!("{}-1", settings::MODEL),
                    snapshot_at: start,
                    parent: None,
                    quarantined: Vec::new(),
                };
                let (controller, acted) =
                    Controller::bootstrap(components, settings, &request).await?;
                let mut progress = Progress::new(&world.flights, start);
                progress.mark(&acted);
                (controller, progress, 0)
            }
        };
        let frozen = load_frozen(&world).await?;
        let scores = Scores::open(
            &output.scores(),
            progress.next_flight - progress.first_flight,
        )?;
        let mut replay = Self {
            world,
            controller,
            frozen,
            scores,
            states,
            generation,
            token,
            progress,
        };
        if generation == 0 {
            replay.save(output, 0.0).await?;
        }
        Ok(replay)
    }

    /// Replays up to a midnight.
    pub(crate) async fn run_until(
        &mut self,
        end: Timestamp,
        output: &Output,
        screen: &Screen,
    ) -> Result<(), Failure> {
        let mut checkpoint = stopwatch();
        let end_flight = self.world.flights.first_at(end);
        while self.progress.next_hour <= end {
            let hour = self.progress.next_hour;
            let flights =
                self.progress.next_flight..self.world.flights.first_at(hour).min(end_flight);
            for group in self.world.flights.scheduled_together(flights) {
                self.deliver_landings(
                    self.world
                        .flights
                        .scheduled
                        .get(group.start)
                        .copied()
                        .unwrap_or(hour),
                )?;
                self.predict(group).await?;
            }
            self.deliver_landings(hour)?;
            self.world.clock.set(hour);
            self.have_an_accident(hour).await?;
            self.reconcile(hour).await?;
            self.progress.next_hour = hour
                .saturating_add(SignedDuration::from_hours(1))
                .map_err(|error| fail(error.to_string()))?;
            if hour.as_second() % DAY == 0 {
                self.end_day(hour);
                self.save(output, checkpoint.elapsed().as_secs_f64())
                    .await?;
                checkpoint = stopwatch();
            }
            screen.show(&self.status(hour, end));
        }
        Ok(())
    }

    /// Where the replay stands.
    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The scores and labels of the predicted flights that were scheduled in a span and have landed by the time the span ends or later.
    pub(crate) fn compared(&self, span: TimeSpan) -> Compared {
        let flights = &self.world.flights;
        let range = flights.first_at(span.from).max(self.progress.first_flight)
            ..flights.first_at(span.until).min(self.progress.next_flight);
        let mut compared = Compared::default();
        for flight in range {
            let place = flight - self.progress.first_flight;
            let scores = self
                .scores
                .autopilot
                .get(place)
                .zip(self.scores.frozen.get(place));
            if let (Some((autopilot, frozen)), Some(Some(late))) =
                (scores, flights.late.get(flight))
            {
                compared.push(*autopilot, *frozen, *late);
            }
        }
        compared
    }

    async fn predict(&mut self, flights: Range<usize>) -> Result<(), Failure> {
        let Some(now) = self.world.flights.scheduled.get(flights.start).copied() else {
            return Ok(());
        };
        self.world.clock.set(now);
        let rows = self
            .world
            .upstream
            .request(flights.start, flights.len(), self.world.history.as_ref())
            .await?;
        let request = Request::new(flights.clone().map(Flights::id).collect(), rows.clone())?;
        let deployment = self.controller.deployment().clone();

        let started = stopwatch();
        let reply = deployment.predict(&request).await?;
        self.progress.latency.record(started.elapsed());

        self.controller.observe_inputs(&rows)?;
        self.controller
            .observe_exposures(deployment.drain_exposures())?;
        self.controller.observe_shadows(&deployment.score_shadows());
        let encoded = self.frozen.contract().encode(&rows)?;
        let frozen = self.frozen.score_now(encoded.batch())?;
        let champion = self.controller.state().champion().digest();
        for (answer, frozen) in reply.iter().zip(frozen) {
            let score = answer
                .as_ref()
                .map_or(f32::NAN, |prediction| prediction.score());
            self.scores.push(score, frozen);
            self.progress.count(
                now,
                answer.as_ref().ok().map(|prediction| prediction.version()),
                champion,
            );
        }
        self.progress.next_flight = flights.end;
        Ok(())
    }

    /// Labels arrive when flights land: late, out of order, and for cancelled flights never.
    fn deliver_landings(&mut self, until: Timestamp) -> Result<(), Failure> {
        let flights = &self.world.flights;
        while let Some(&flight) = self.world.landings.get(self.progress.next_landing) {
            let (Some(Some(lands)), Some(Some(late))) =
                (flights.lands.get(flight), flights.late.get(flight))
            else {
                break;
            };
            if *lands > until {
                break;
            }
            self.controller.observe_label(&Label {
                request: Flights::id(flight),
                observed: Observed::from(*late),
                known_at: *lands,
            })?;
            self.progress.next_landing += 1;
        }
        Ok(())
    }

    async fn have_an_accident(&mut self, now: Timestamp) -> Result<(), Failure> {
        if now != bad_candidate_at() {
            return Ok(());
        }
        let champion = self.controller.deployment().champion();
        let registration = champion.version().registration();
        let world = &self.world;
        let number = register_bad_candidate(
            &world.trainer,
            &world.registry,
            &world.artifacts,
            registration,
            now,
        )
        .await?;
        let versions = world.registry.versions(&registration.model).await?;
        self.progress.bad_candidate.number = Some(number);
        self.progress.bad_candidate.digest = versions
            .iter()
            .find(|version| version.number() == number)
            .map(|version| version.digest());
        Ok(())
    }

    async fn reconcile(&mut self, now: Timestamp) -> Result<(), Failure> {
        if self
            .controller
            .state()
            .training()
            .is_some_and(|job| job.ready_at() <= now)
        {
            // On the injected clock the training is done by now, however long the machine takes for it.
            self.controller.training_done().await;
        }
        let stage = self
            .controller
            .state()
            .experiment()
            .map(|experiment| experiment.stage());
        let acted = self.controller.reconcile(now).await?;
        for act in &acted {
            let bad = matches!(act.subject, Subject::Version { number, .. } if Some(number) == self.progress.bad_candidate.number);
            if bad && act.action == Action::Rollback {
                let caught_by = if stage == Some(Stage::Shadow) {
                    "shadow"
                } else {
                    "canary"
                };
                self.progress.bad_candidate.caught_by = Some(caught_by.to_owned());
            }
            if act.action == Action::Quarantine && bad_week().contains(now) {
                self.progress.bad_week.caught = true;
            }
        }
        self.progress.mark(&acted);
        Ok(())
    }

    fn end_day(&mut self, midnight: Timestamp) {
        let Ok(from) = midnight.checked_sub(SignedDuration::from_hours(24)) else {
            return;
        };
        let state = self.controller.state();
        let quarantined = state.rows_quarantined();
        if bad_week().contains(from) {
            self.progress.bad_week.rows_quarantined +=
                quarantined - self.progress.bad_week.rows_before;
        }
        self.progress.bad_week.rows_before = quarantined;
        let compared = self.compared(TimeSpan {
            from,
            until: midnight,
        });
        let today = self.progress.today;
        let drift = state.drift();
        self.progress.days.push(Day {
            date: from.to_zoned(TimeZone::UTC).date(),
            labels: compared.len() as u64,
            brier: compared.brier(),
            late_rate: compared.late_rate(),
            challenger_share: if today.answers == 0 {
                0.0
            } else {
                today.by_challenger as f64 / today.answers as f64
            },
            worst_psi: drift.map(|drift| drift.worst_psi),
            score_psi: drift.map(|drift| drift.score_psi),
            drifted_share: drift.map(|drift| drift.share_drifted),
            quarantined: state.quarantined_since().is_some(),
        });
        self.progress.today = Today {
            first_flight: self.progress.next_flight,
            ..Today::default()
        };
    }

    async fn save(&mut self, output: &Output, seconds: f64) -> Result<(), Failure> {
        self.scores.save()?;
        self.progress.wall_seconds += seconds;
        let saving = Saving {
            progress: &self.progress,
            control: self.controller.state(),
        };
        let bytes = serde_json::to_vec(&saving)
            .map_err(|error| fail(format!("the state cannot be written: {error}")))?;
        // No state that is saved knows of more than the log that is signed and witnessed.
        output.checkpoint().await?;
        self.states
            .save(KEY, self.generation, &bytes, self.token)
            .await?;
        self.generation += 1;
        Ok(())
    }

    fn status(&self, now: Timestamp, end: Timestamp) -> Status<'_> {
        let state = self.controller.state();
        Status {
            now,
            started: midnight(2, 1),
            end,
            predictions: (self.progress.next_flight - self.progress.first_flight) as u64,
            champion: state.champion(),
            experiment: state.experiment(),
            training: state.training(),
            quarantined: state.quarantined_since().is_some(),
            last: self.progress.marks.last(),
        }
    }
}

impl Progress {
    fn new(flights: &Flights, start: Timestamp) -> Self {
        let first_flight = flights.first_at(start);
        Self {
            next_flight: first_flight,
            first_flight,
            next_landing: 0,
            next_hour: start,
            failed_predictions: 0,
            bad_candidate: BadCandidate::default(),
            bad_week: BadWeek::default(),
            days: Vec::new(),
            marks: Vec::new(),
            today: Today::default(),
            latency: Latency::new(),
            wall_seconds: 0.0,
        }
    }

    /// Up to when events were shown to the controller.
    fn seen(&self) -> Result<Timestamp, Failure> {
        self.next_hour
            .saturating_sub(SignedDuration::from_hours(1))
            .map_err(|error| fail(error.to_string()))
    }

    fn count(&mut self, now: Timestamp, answered_by: Option<Digest>, champion: Digest) {
        let Some(version) = answered_by else {
            self.failed_predictions += 1;
            return;
        };
        self.today.answers += 1;
        self.today.by_challenger += u64::from(version != champion);
        if bad_candidate_week().contains(now) {
            self.bad_candidate.all_answers += 1;
            self.bad_candidate.answers += u64::from(Some(version) == self.bad_candidate.digest);
        }
    }

    fn mark(&mut self, acted: &[Acted]) {
        self.marks.extend(acted.iter().map(|act| Mark {
            at: act.at,
            action: if act.allowed {
                act.action.name().to_owned()
            } else {
                "reject".to_owned()
            },
            subject: act.subject.to_string(),
            why: act.because.clone(),
        }));
    }
}

fn read_saved(bytes: &[u8]) -> Result<Saved, Failure> {
    serde_json::from_slice(bytes)
        .map_err(|error| fail(format!("the saved state cannot be read: {error}")))
}

/// The first version, for comparison.
async fn load_frozen(world: &World) -> Result<Arc<ServedModel>, Failure> {
    let model = settings::control()?.model;
    let first = world
        .registry
        .versions(&model)
        .await?
        .into_iter()
        .next()
        .ok_or_else(|| fail("the registry has lost the first version"))?;
    let artifact = noops_core::ArtifactStore::load(&world.artifacts, &first.digest()).await?;
    Ok(ServedModel::load(first, &artifact, &crate::trainer::NetworkLoader).await?)
}

const KEY: &str = "replay";
const DAY: i64 = 24 * 60 * 60;
