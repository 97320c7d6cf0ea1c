use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use noops_core::ErrorKind;

use super::*;
use crate::runtime::testing::{Formula, served, version};

fn batch(xs: &[f32]) -> Batch {
    Batch::new(vec![Column::Number(xs.to_vec())]).unwrap()
}

#[tokio::test]
async fn rows_are_answered_in_order() {
    let model = served("identity", |x| x);
    assert_eq!(
        model.score(batch(&[0.1, 0.2, 0.3])).await.unwrap(),
        [0.1, 0.2, 0.3]
    );
    assert!(model.score(batch(&[])).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_who_collide_get_their_own_answers_and_the_gone_disturb_nobody() {
    let model = served("identity", |x| x);
    let calls: Vec<_> = (0..2_000_u16)
        .map(|n| {
            let model = model.clone();
            tokio::spawn(async move {
                let x = f32::from(n) / 2_000.0;
                (x, model.score(batch(&[x, x / 2.0])).await)
            })
        })
        .collect();
    for (n, call) in calls.into_iter().enumerate() {
        if n % 7 == 0 {
            call.abort();
            continue;
        }
        let (x, answer) = call.await.unwrap();
        assert_eq!(answer.unwrap(), [x, x / 2.0]);
    }
}

#[tokio::test]
async fn a_model_that_panics_fails_its_rows_and_goes_on_serving() {
    let formula = Formula(Box::new(|xs| {
        assert!(xs != [0.77], "boom");
        xs.to_vec()
    }));
    let model = ServedModel::new(version("fragile"), Box::new(formula)).unwrap();
    let refusal = model.score(batch(&[0.77])).await.unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "the model failed: cannot run a model: it panicked (version `1`)"
    );
    assert_eq!(model.score(batch(&[0.5])).await.unwrap(), [0.5]);
}

#[test]
fn rows_the_model_fails_on_cost_their_neighbours_nothing() {
    let formula = Formula(Box::new(|xs| {
        xs.iter()
            .map(|&x| if x == 0.77 { f32::NAN } else { x })
            .collect()
    }));
    let model = ServedModel::new(version("fragile"), Box::new(formula)).unwrap();
    let (jobs, mut answers): (Vec<Job>, Vec<_>) = [0.1, 0.77, 0.3]
        .iter()
        .map(|&x| {
            let (reply, answer) = oneshot::channel();
            (
                Job {
                    batch: batch(&[x]),
                    reply,
                },
                answer,
            )
        })
        .unzip();
    model.run_jobs(jobs);
    let mut answer = || answers.remove(0).try_recv().unwrap();
    assert_eq!(answer().unwrap(), [0.1]);
    assert!(answer().is_err());
    assert_eq!(answer().unwrap(), [0.3]);
}

#[test]
fn a_request_larger_than_a_batch_is_scored_in_pieces() {
    let model = served("identity", |x| x);
    let xs: Vec<f32> = (0..1_000_u16).map(|n| f32::from(n) / 1_000.0).collect();
    assert_eq!(model.score_now(&batch(&xs)).unwrap(), xs);
}

#[tokio::test]
async fn a_score_outside_the_contract_never_leaves() {
    let formula = Formula(Box::new(|xs| {
        xs.iter()
            .map(|&x| if x == 0.77 { f32::NAN } else { x })
            .collect()
    }));
    let model = ServedModel::new(version("nan"), Box::new(formula)).unwrap();
    assert!(matches!(
        model.score(batch(&[0.1, 0.77])).await,
        Err(Refusal::Model(_))
    ));
}

#[test]
fn a_model_whose_scores_depend_on_the_batch_is_not_served() {
    let formula = Formula(Box::new(|xs| {
        xs.iter().map(|x| x / xs.len() as f32).collect()
    }));
    let error = ServedModel::new(version("coupled"), Box::new(formula)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(
        error.to_string().contains("depends on the batch"),
        "{error}"
    );
}

#[test]
fn a_model_that_breaks_its_output_contract_is_not_served() {
    let formula = Formula(Box::new(|xs| xs.iter().map(|x| x + 5.0).collect()));
    assert_eq!(
        ServedModel::new(version("loud"), Box::new(formula))
            .unwrap_err()
            .kind(),
        ErrorKind::Corrupt
    );
}

#[derive(Debug)]
struct CountingLoader(AtomicUsize);

#[async_trait]
impl ModelLoader for CountingLoader {
    async fn load(&self, _: &ModelVersion, _: &[u8]) -> Result<Box<dyn Executor>, Error> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(Formula(Box::new(<[f32]>::to_vec))))
    }
}

#[tokio::test]
async fn an_artifact_with_another_digest_is_never_loaded() {
    let loader = CountingLoader(AtomicUsize::new(0));
    let error = ServedModel::load(version("weights"), b"tampered", &loader)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(loader.0.load(Ordering::Relaxed), 0);
    assert!(
        ServedModel::load(version("weights"), b"weights", &loader)
            .await
            .is_ok()
    );
}
