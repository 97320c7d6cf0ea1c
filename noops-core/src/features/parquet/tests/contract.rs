use super::*;
use crate::conformance;

/// A folder that gets one more file with every push, and is opened anew for every question: files must not change while they are open.
#[derive(Debug)]
struct Growing {
    folder: Folder,
    view: FeatureView,
    pushes: AtomicU64,
}

impl Growing {
    fn push(&self, rows: &RecordBatch) {
        // Of equal rows the one in the later file counts, and files are read in the order of their names.
        let number = self.pushes.fetch_add(1, Ordering::Relaxed);
        self.folder.write(&format!("{number:06}.parquet"), rows);
    }
}

#[async_trait]
impl FeatureSource for Growing {
    fn view(&self) -> &FeatureView {
        &self.view
    }

    async fn as_of(
        &self,
        entities: &RecordBatch,
        times: &[Timestamp],
        knowledge: Knowledge,
    ) -> Result<FeatureFrame, Error> {
        let settings = ParquetSettings::default().with_batch_rows(2);
        let files = ParquetFeatures::open(self.view.clone(), &self.folder.0, settings)?;
        assert_eq!(FeatureSource::view(&files), &self.view);
        files.as_of(entities, times, knowledge).await
    }
}

#[async_trait]
impl FeatureHistory for Growing {
    fn view(&self) -> &FeatureView {
        &self.view
    }

    async fn known_within(&self, span: TimeSpan) -> Result<Vec<RecordBatch>, Error> {
        let settings = ParquetSettings::default().with_batch_rows(2);
        let files = ParquetFeatures::open(self.view.clone(), &self.folder.0, settings)?;
        files.known_within(span).await
    }
}

#[tokio::test]
async fn files_keep_the_contracts_of_a_source_and_a_history() {
    let source = Growing {
        folder: Folder::new(),
        view: conformance::features::feature_view(),
        pushes: AtomicU64::new(0),
    };
    let fill = async |rows: RecordBatch| source.push(&rows);
    conformance::features::feature_source(&source, &fill).await;
    conformance::features::feature_history(&source, &fill).await;
}
