//! The policies of the tests.

use noops_serve::PolicyDocument;

pub(crate) fn all() -> Vec<PolicyDocument> {
    [
        ("inputs.yaml", INPUTS),
        ("retrain.yaml", RETRAIN),
        ("rollout.yaml", ROLLOUT),
        ("people.yaml", PEOPLE),
    ]
    .map(|(source, text)| document(source, text))
    .to_vec()
}

/// All of them, with a piece of the text replaced.
pub(crate) fn with(old: &str, new: &str) -> Vec<PolicyDocument> {
    let changed: Vec<PolicyDocument> = all()
        .into_iter()
        .map(|policy| document(&policy.source, &policy.text.replace(old, new)))
        .collect();
    assert_ne!(changed, all(), "`{old}` is in no policy");
    changed
}

fn document(source: &str, text: &str) -> PolicyDocument {
    PolicyDocument {
        source: source.to_owned(),
        text: text.to_owned(),
    }
}

const INPUTS: &str = "
policy: inputs
owner: data-platform
enforcement: hard-mandatory
rules:
  - name: broken
    effect: trigger
    action: quarantine
    when: gate.failed
    because: a constraint of the training data is violated
  - name: healed
    effect: trigger
    action: release
    when: gate.quarantined && gate.healthy_batches >= 1
    because: a whole batch has passed the gate
";

const RETRAIN: &str = "
policy: retrain
owner: ml-platform
enforcement: hard-mandatory
rules:
  - name: harmed
    effect: trigger
    action: retrain
    when: harm.max_e >= 20.0
    because: labels contradict the champion
  - name: inputs-in-quarantine
    effect: forbid
    action: retrain
    when: gate.quarantined
    because: nothing good is learned from broken inputs
  - name: one-at-a-time
    effect: forbid
    action: retrain
    when: training.running || rollout.active
    because: a candidate is on its way
tests:
  - name: harm retrains
    facts: { harm.max_e: 25.0, gate.quarantined: false, training.running: false, rollout.active: false }
    expect: { retrain: allow }
";

const ROLLOUT: &str = "
policy: rollout
owner: ml-platform
enforcement: hard-mandatory
rules:
  - name: first-version
    effect: trigger
    action: register
    when: candidate.first && candidate.auc >= 0.6
    because: there is no champion yet
  - name: passed-offline
    effect: trigger
    action: register
    when: candidate.offline != \"inferior\" && candidate.offline_difference <= 0.005
    because: the candidate is not shown to be worse
  - name: untried
    effect: trigger
    action: shadow
    when: candidate.auc >= 0.6
    because: a version that nobody has tried waits in the registry
  - name: stage-passed
    effect: trigger
    action: ramp
    when: rollout.proposal == \"advance\"
    because: the judge found no harm in this stage
  - name: proven
    effect: trigger
    action: promote
    when: rollout.proposal == \"promote\"
    because: the candidate is proven not to be worse
  - name: harmful
    effect: trigger
    action: rollback
    when: rollout.proposal == \"rollback\"
    because: the judge found harm
  - name: no-promotion-on-broken-inputs
    effect: forbid
    action: promote
    when: gate.quarantined
    because: inputs are in quarantine
";

const PEOPLE: &str = "
policy: people
owner: ml-platform
enforcement: soft-mandatory
rules:
  - name: nothing-helps
    effect: trigger
    action: escalate
    when: automation.failed_candidates >= 3
    because: three candidates in a row came to nothing
";
