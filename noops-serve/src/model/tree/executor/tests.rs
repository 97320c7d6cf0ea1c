use noops_core::conformance::executor;
use noops_core::{Batch, Column, ColumnKind};

use super::*;
use crate::model::tree::testing;

fn batch(name: &str) -> Batch {
    let (rows, width) = testing::rows(name);
    Batch::from_rows(
        rows.len() / width,
        vec![ColumnKind::Number; width].into(),
        rows,
        Vec::new(),
    )
    .unwrap()
}

#[test]
fn every_layout_keeps_the_contract_of_an_executor() {
    let json = |name: &str| {
        TreeModel::from_xgboost_json(&testing::bytes(&format!("{name}.json"))).unwrap()
    };
    let ubj =
        |name: &str| TreeModel::from_xgboost_ubj(&testing::bytes(&format!("{name}.ubj"))).unwrap();
    let text = |name: &str| {
        TreeModel::from_lightgbm_text(&testing::bytes(&format!("{name}.txt"))).unwrap()
    };
    for (name, mut model) in [
        ("xgb_softprob", json("xgb_softprob")),
        ("xgb_categories", json("xgb_categories")),
        ("xgb_deep", ubj("xgb_deep")),
        ("lgb_multiclass", text("lgb_multiclass")),
        ("lgb_categories", text("lgb_categories")),
        ("lgb_deep", text("lgb_deep")),
    ] {
        executor::all(&mut model, &batch(name));
        let mut replica = model.replica().unwrap();
        assert_eq!(
            replica.run(&batch(name)).unwrap(),
            model.run(&batch(name)).unwrap()
        );
    }
}

#[test]
fn a_batch_of_another_width_is_refused() {
    let mut model = TreeModel::from_xgboost_json(&testing::bytes("xgb_base.json")).unwrap();
    let error = model
        .run(&Batch::new(vec![Column::Number(vec![1.0])]).unwrap())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot run a tree ensemble: the batch has other columns than the model has features; check the contract (columns `1`, \
         features `5`)"
    );
}
