//! Feature rows, as an Arrow IPC stream.

#![no_main]

use std::time::Duration;

use arrow_ipc::reader::StreamReader;
use libfuzzer_sys::fuzz_target;
use noops_core::{AsOfIndex, FeatureType, FeatureView, Knowledge, Timestamp, dataset_digest};

fuzz_target!(|bytes: &[u8]| {
    let view = FeatureView::new("driver", "trips")
        .with_key("driver", FeatureType::Integer)
        .with_feature("trips", FeatureType::Integer)
        .with_feature("rating", FeatureType::Number)
        .with_feature("name", FeatureType::Text)
        .with_ttl(Duration::from_secs(60));
    let mut index = AsOfIndex::new(view).expect("the names differ");
    let Ok(reader) = StreamReader::try_new(bytes, None) else {
        return;
    };
    for rows in reader.map_while(Result::ok).take(16) {
        let before = index.len();
        let taken = index.insert(&rows);
        assert_eq!(index.len(), before + taken.map_or(0, |()| rows.num_rows()));
        dataset_digest(std::slice::from_ref(&rows)).ok();
        let times = vec![Timestamp::UNIX_EPOCH; rows.num_rows()];
        if let Ok(frame) = index.as_of(&rows, &times, Knowledge::AtRowTime) {
            assert_eq!(frame.values().num_rows(), rows.num_rows());
        }
    }
});
