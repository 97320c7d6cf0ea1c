use noops_core::{Batch, Column, Digest, Feature, FeatureRule, OutputRule, Registration, Remedy};
use serde_json::Value;

use super::*;
use crate::model::mlp::{Activation, Layer};

fn read(path: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata");
    std::fs::read(format!("{folder}/{path}")).unwrap()
}

fn column(rows: &Value, index: usize) -> Column {
    let rows = rows.as_array().unwrap().iter();
    let value = |row: &Value| row[index].as_f64().map_or(f32::NAN, |value| value as f32);
    Column::Number(rows.map(value).collect())
}

fn contract(names: &[&str], width: usize) -> Contract {
    let rules = names
        .iter()
        .map(|name| FeatureRule::strict(Feature::number(*name)));
    Contract::new(rules, OutputRule::numbers(width).unwrap()).unwrap()
}

fn mlp() -> Mlp {
    let hidden = Layer::new(2, 2, vec![1.0, -1.0, 1.0, -1.0]).unwrap();
    let output = Layer::new(2, 1, vec![0.5, 2.0]).unwrap();
    let hidden = hidden.with_activation(Activation::Relu);
    Mlp::new(vec![hidden, output]).unwrap()
}

/// The scores in `….expected.json` are those of `Booster.predict`, see `testdata/tree/make.py`.
#[test]
fn trees_of_every_format_score_as_their_library_does() {
    for (name, extension, format) in [
        ("xgb_binary_logistic", "json", ModelFormat::XgboostJson),
        ("xgb_softprob", "json", ModelFormat::XgboostJson),
        ("xgb_ubj", "ubj", ModelFormat::XgboostUbj),
        ("lgb_multiclass", "txt", ModelFormat::LightgbmText),
    ] {
        let expected = read(&format!("tree/{name}.expected.json"));
        let expected: Value = serde_json::from_slice(&expected).unwrap();
        let file = load_file(&read(&format!("tree/{name}.{extension}"))).unwrap();
        assert_eq!(file.format(), format);
        let contract = file.contract().unwrap().clone();
        let columns = 0..contract.rules().len();
        let columns = columns.map(|index| column(&expected["rows"], index));
        let batch = Batch::new(columns.collect()).unwrap();
        let scores = file.into_executor().run(&batch).unwrap();
        assert_eq!(scores.width(), contract.output().width(), "{name}");
        let wanted = expected["scores"].as_array().unwrap().iter();
        let wanted = wanted.flat_map(|row| match row {
            Value::Array(row) => row.clone(),
            one => vec![one.clone()],
        });
        let mut compared = 0;
        for (score, wanted) in scores.values().iter().zip(wanted) {
            let wanted = wanted.as_f64().unwrap();
            let error = (f64::from(*score) - wanted).abs();
            assert!(error <= 1e-6 * wanted.abs().max(1.0), "{name}: {error}");
            compared += 1;
        }
        assert_eq!(compared, scores.values().len());
    }
}

#[test]
fn missing_values_are_allowed_where_the_model_knows_what_to_do() {
    for (path, allowed) in [
        ("tree/lgb_binary.txt", true),
        ("onnx/lgbm_plain.onnx", true),
        ("onnx/imputer_rf_plain.onnx", true),
        ("onnx/logreg_plain.onnx", false),
        ("onnx/mlp_plain.onnx", false),
    ] {
        let file = load_file(&read(path)).unwrap();
        let contract = file.contract().unwrap();
        let features = contract.rules().len();
        let empty = noops_core::Rows::new(1, vec![f32::NAN; features], Vec::new()).unwrap();
        let accepted = contract.encode_rows(&empty).unwrap().accepted().len();
        assert_eq!(accepted == 1, allowed, "{path}");
    }
}

#[test]
fn features_have_the_names_of_the_file_or_numbers() {
    let names = |path: &str| {
        let file = load_file(&read(path)).unwrap();
        let rules = file.contract().unwrap().rules().iter();
        let names = rules.map(|rule| rule.feature().name().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names("onnx/logreg.onnx").first().unwrap(), "f0");
    let lightgbm = String::from_utf8(read("tree/lgb_binary.txt")).unwrap();
    let line = lightgbm
        .lines()
        .find_map(|line| line.strip_prefix("feature_names="));
    let wanted: Vec<&str> = line.unwrap().split(' ').collect();
    assert_eq!(names("tree/lgb_binary.txt"), wanted);
}

#[test]
fn a_network_that_describes_itself_is_served() {
    let mut own = mlp();
    let weights = own.to_weights().unwrap();
    let file = load_file(&weights.to_safetensors().unwrap()).unwrap();
    assert_eq!(file.format(), ModelFormat::Safetensors);
    let batch = Batch::new(vec![
        Column::Number(vec![1.0, -1.0]),
        Column::Number(vec![2.0, -2.0]),
    ]);
    let batch = batch.unwrap();
    let scores = file.into_executor().run(&batch).unwrap();
    assert_eq!(scores, own.run(&batch).unwrap());
}

#[cfg(feature = "burn")]
#[test]
fn a_burnpack_file_is_recognised() {
    let bytes = mlp().to_weights().unwrap().to_burnpack().unwrap();
    assert_eq!(load_file(&bytes).unwrap().format(), ModelFormat::Burnpack);
}

#[cfg(not(feature = "burn"))]
#[test]
fn burnpack_without_its_feature_names_the_feature() {
    let error = load_file(b"NRUB\0\0\0\0").unwrap_err();
    assert!(error.to_string().contains("feature `burn`"), "{error}");
}

#[test]
fn other_files_are_refused_in_one_sentence() {
    for (bytes, said) in [
        (&b""[..], "the file is empty"),
        (b"\x80\x04\x95", "pickle"),
        (b"PK\x03\x04", "zip archive"),
        (b"{\"rules\": []}", "none of the known formats"),
        (b"hello", "none of the known formats"),
        (b":\x05grap", "none of the known formats"),
    ] {
        let error = load_file(bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        let told = error.to_string();
        assert!(told.contains(said) && !told.contains('\n'), "{told}");
    }
}

#[test]
fn a_file_that_is_cut_off_keeps_its_format_and_is_corrupt() {
    for path in [
        "tree/xgb_dart.json",
        "tree/xgb_ubj.ubj",
        "tree/lgb_binary.txt",
        "onnx/rf.onnx",
    ] {
        let bytes = read(path);
        let (half, _) = bytes.split_at(bytes.len() / 2);
        assert_eq!(
            ModelFormat::detect(half).unwrap(),
            ModelFormat::detect(&bytes).unwrap()
        );
        let error = load_file(half).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{path}: {error}");
    }
}

#[test]
fn any_single_changed_byte_is_read_or_refused() {
    for path in ["onnx/linreg.onnx", "neural/mlp_open.onnx"] {
        let bytes = read(path);
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 0x55;
            if let Ok(file) = load_file(&changed) {
                let _ = file.into_executor();
            }
        }
    }
}

#[tokio::test]
async fn a_contract_with_swapped_features_is_refused() {
    let bytes = read("tree/lgb_binary.txt");
    let file = load_file(&bytes).unwrap();
    let rules = file.contract().unwrap().rules().iter();
    let mut names: Vec<String> = rules.map(|rule| rule.feature().name().to_owned()).collect();
    names.swap(0, 1);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let version = |contract| {
        let name = "churn".parse().unwrap();
        let now = noops_core::Timestamp::UNIX_EPOCH;
        let registration = Registration::new(name, Digest::of(&bytes), contract, now);
        ModelVersion::new(1, registration)
    };
    let loader = FileLoader::new();
    let error = loader
        .load(&version(contract(&names, 1)), &bytes)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("another order"), "{error}");
    let mut own = names.clone();
    own[0] = "age";
    let renamed = version(contract(&own, 1));
    assert!(loader.load(&renamed, &bytes).await.is_ok());
    let fewer = version(contract(&own[1..], 1));
    let error = loader.load(&fewer, &bytes).await.unwrap_err();
    assert!(
        error.to_string().contains("another number of features"),
        "{error}"
    );
}

#[test]
fn text_inputs_leave_the_contract_to_the_host() {
    let file = load_file(&read("onnx/t_rank.onnx")).unwrap();
    assert!(file.contract().is_none());
    let Model::Classical(model) = &file.model else {
        panic!("the classical operators run it");
    };
    let texts = model.inputs();
    let rules = texts.iter().flat_map(|input| {
        let width = input.width().unwrap();
        let kind = input.kind();
        (0..width).map(move |column| {
            let name = format!("{}_{column}", input.name());
            FeatureRule::strict(match kind {
                noops_core::ColumnKind::Number => Feature::number(name),
                noops_core::ColumnKind::Category => {
                    Feature::category(name, ["a".into(), "b".into()])
                }
            })
            .with_outside(Remedy::Allow)
        })
    });
    let contract = Contract::new(rules, OutputRule::number()).unwrap();
    let columns = contract
        .rules()
        .iter()
        .map(|rule| match rule.feature().kind() {
            FeatureKind::Number { .. } => Column::Number(vec![0.5]),
            FeatureKind::Category { .. } => Column::Category(vec![1]),
        });
    let batch = Batch::new(columns.collect()).unwrap();
    let mut executor = file.into_executor_for(&contract).unwrap();
    assert_eq!(executor.run(&batch).unwrap().rows(), 1);
}
