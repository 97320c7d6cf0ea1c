//! An audit log that a third party can check: a Merkle log in the layout of C2SP `tlog-tiles`, with signed checkpoints.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use crate::audit::{AuditEntry, AuditLog, AuditRecord};
use crate::error::{Error, ErrorKind};
use crate::merkle::{ConsistencyProof, InclusionProof, NoteSigner, NoteVerifier};

use directory::Directory;
use engine::Engine;
use export::Exporter;
use file_system::RealFileSystem;
use queue::Queue;
use storage::Storage;

mod bundle;
mod directory;
mod edge;
mod engine;
mod export;
mod file_system;
mod file_witness;
mod journal;
mod keys;
mod leaf;
#[cfg(feature = "object-store")]
mod objects;
mod personal;
mod proof;
mod queue;
mod reader;
mod recovery;
mod settings;
mod signed_checkpoint;
mod snapshot;
mod storage;
#[cfg(test)]
mod tests;
mod verify;
mod witness;

pub use export::{ExportSettings, VerifiedExport, verify_export};
pub use file_witness::FileWitness;
pub use personal::{Commitment, PersonalData};
pub use proof::Proof;
pub use settings::TileLogSettings;
pub use signed_checkpoint::SignedCheckpoint;
pub use verify::{VerifiedLog, verify_directory};
pub use witness::Witness;

/// An audit log whose every entry is a leaf of a Merkle tree with a signed root.
///
/// In a directory, records are written to a journal first: whatever waits is written and synced together, and acknowledged after that. Every
/// so many entries, when asked, and on closing, what is in the journal becomes entry bundles and hash tiles under a signed checkpoint. The
/// layout is that of C2SP `tlog-tiles`, so that any program that speaks it can check the log; [`verify_directory`] does.
///
/// | File | What |
/// |---|---|
/// | `checkpoint` | origin, size and root, signed |
/// | `tile/entries/...` | entries, 256 a bundle, each one line of JSON |
/// | `tile/LEVEL/...` | hashes, 256 a tile |
/// | `journal` | what was acknowledged after the checkpoint: chained, not signed yet |
/// | `evidence/DIGEST` | bodies too long for a leaf, which carries their digest |
/// | `public-key` | what checkpoints are verified with; compare it with a copy from elsewhere |
/// | `lock` | keeps a second writer out |
///
/// A failed write or sync makes every later call [`Unavailable`](ErrorKind::Unavailable) until the log is opened again, because a sync that is
/// repeated after a failure may succeed without having written anything. Opening reads all entries once.
///
/// What a signature cannot show is that the log was put back to an earlier state of itself. Give a [`Witness`] that keeps checkpoints elsewhere
/// to [`TileLogSettings::with_witness`], and compare with it in [`verify_directory`]. Nor is what is only in the journal signed yet: who can write
/// the directory can cut it off or rewrite it, until [`TileLog::checkpoint`].
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// use noops_core::merkle::NoteSigner;
/// use noops_core::{AuditLog, AuditRecord, FencingToken, TileLog, TileLogSettings, Timestamp, verify_directory};
///
/// let directory = std::env::temp_dir().join(format!("noops-tile-log-example-{}", std::process::id()));
/// let signer = NoteSigner::generate("example.com/models")?;
/// let verifier = signer.verifier();
/// let log = TileLog::open(&directory, signer, TileLogSettings::default()).await?;
/// let record = AuditRecord {
///     key: "promote/7".into(),
///     at: Timestamp::UNIX_EPOCH,
///     kind: "promote".into(),
///     body: serde_json::json!({ "to": 7 }),
///     token: FencingToken::NONE,
/// };
/// log.append(record).await?;
/// log.close().await?;
///
/// let verified = verify_directory(&directory, &verifier, None)?;
/// assert_eq!(verified.entries()[0].record.key, "promote/7");
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TileLog {
    queue: Arc<Queue>,
    verifier: NoteVerifier,
    settings: TileLogSettings,
    // Held from publishing a checkpoint until the witness has seen it, or it would be shown an older one after a newer one.
    showing: tokio::sync::Mutex<()>,
}

impl TileLog {
    /// Opens the log in a directory, or begins one there.
    ///
    /// # Errors
    ///
    /// [`Conflict`](ErrorKind::Conflict) when another process has it open or it belongs to another key, [`Corrupt`](ErrorKind::Corrupt) when
    /// what is stored is not what was stored, [`Unavailable`](ErrorKind::Unavailable) when the file system fails.
    pub async fn open(
        directory: impl Into<PathBuf>,
        signer: NoteSigner,
        settings: TileLogSettings,
    ) -> Result<Self, Error> {
        let directory = directory.into();
        Self::open_with(signer, settings, None, move || {
            let storage = Directory::open(directory, Arc::new(RealFileSystem))?;
            Ok(Arc::new(storage) as Arc<dyn Storage>)
        })
        .await
    }

    /// Opens the log under a prefix of an object store, or begins one there.
    ///
    /// There is no journal: every group of records is published with a checkpoint of its own. Whoever opens the log last is its writer; an
    /// earlier one is refused as [`Fenced`](ErrorKind::Fenced) from then on. The store must be able to replace an object on condition.
    ///
    /// # Errors
    ///
    /// As for [`TileLog::open`], and [`Fenced`](ErrorKind::Fenced) when another writer was quicker.
    #[cfg(feature = "object-store")]
    pub async fn on_object_store(
        store: Arc<dyn object_store::ObjectStore>,
        prefix: &str,
        signer: NoteSigner,
        settings: TileLogSettings,
    ) -> Result<Self, Error> {
        let runtime = queue::runtime()?;
        let storage = objects::Objects::new(store, prefix, runtime)?;
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|_| {
            let message = "the operating system gave no random bytes";
            Error::new(ErrorKind::Unavailable, "open the audit log", message)
        })?;
        let writer = format!("writer {}", crate::Digest::of(&nonce));
        Self::open_with(signer, settings, Some(writer), move || {
            Ok(Arc::new(storage) as Arc<dyn Storage>)
        })
        .await
    }

    /// Appends records in order with one write, all of them or none.
    ///
    /// # Errors
    ///
    /// As for [`AuditLog::append`], for the first record that is refused.
    pub async fn append_all(&self, records: Vec<AuditRecord>) -> Result<Vec<AuditEntry>, Error> {
        self.queue.append(records).await
    }

    /// How many entries there are.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](ErrorKind::Unavailable) after a failed write.
    pub async fn size(&self) -> Result<u64, Error> {
        self.queue.with_engine(|engine| Ok(engine.size())).await
    }

    /// What checkpoints of this log are verified with.
    #[must_use]
    pub fn verifier(&self) -> &NoteVerifier {
        &self.verifier
    }

    /// Publishes a checkpoint of all entries, and shows it to the witness if there is one.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](ErrorKind::Unavailable) after a failed write, and what the witness answers.
    pub async fn checkpoint(&self) -> Result<SignedCheckpoint, Error> {
        let _showing = self.showing.lock().await;
        let published = self
            .queue
            .with_engine(|engine| {
                engine.integrate()?;
                Ok(engine.published.clone())
            })
            .await?;
        if let Some(witness) = self.settings.witness() {
            self.show(&published, witness.as_ref()).await?;
        }
        Ok(published)
    }

    /// Publishes a checkpoint of all entries and lets go of the log.
    ///
    /// A log that is dropped instead keeps its last entries in the journal, where the next opening finds them. Either way it can be opened again
    /// at once, unless a call to it was given up before it returned: what was begun is done, and holds the log until then.
    ///
    /// # Errors
    ///
    /// As for [`TileLog::checkpoint`].
    pub async fn close(self) -> Result<SignedCheckpoint, Error> {
        self.checkpoint().await
    }

    /// Proves that an entry is in the log. One that is not covered yet makes a checkpoint be published.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when there is no such entry.
    pub async fn inclusion_proof(&self, sequence: u64) -> Result<Proof, Error> {
        self.queue
            .with_engine(move |engine| {
                let entry = engine.entry(sequence)?;
                if sequence >= engine.edge.size() {
                    engine.integrate()?;
                }
                let leaf = engine.leaf(sequence)?;
                let size = engine.edge.size();
                let tiles = engine.load_tiles(&InclusionProof::tiles(sequence, size))?;
                let inclusion = InclusionProof::from_tiles(sequence, size, &tiles)
                    .map_err(|error| proof::unproven(sequence).caused_by(error))?;
                Ok(Proof {
                    entry,
                    leaf,
                    inclusion,
                    checkpoint: engine.published.clone(),
                })
            })
            .await
    }

    /// Proves that the log of the newest checkpoint continues the log as it was at a size.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) when the size is beyond the newest checkpoint.
    pub async fn consistency_proof(&self, from_size: u64) -> Result<ConsistencyProof, Error> {
        self.queue
            .with_engine(move |engine| {
                let size = engine.edge.size();
                let tiles = engine.load_tiles(&ConsistencyProof::tiles(from_size, size))?;
                ConsistencyProof::from_tiles(from_size, size, &tiles).map_err(|error| {
                    let message = "there is no proof from this size; ask for one the log has had";
                    Error::new(ErrorKind::Invalid, "prove consistency", message)
                        .with("from", from_size)
                        .with("size", size)
                        .caused_by(error)
                })
            })
            .await
    }

    /// Writes entries as lines of JSON that a reader without the log can check with [`verify_export`].
    ///
    /// The first line carries a checkpoint of all entries, each further line one entry with its proof. Personal data goes along only when its
    /// store is given. Returns how many entries were written. `out` is written to on the calling thread: give it a buffer or a file, or call from
    /// a thread that may block.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](ErrorKind::Corrupt) when what is stored is not what was stored, [`Unavailable`](ErrorKind::Unavailable) when `out` fails.
    pub async fn export(
        &self,
        settings: &ExportSettings,
        personal: Option<&PersonalData>,
        out: &mut (dyn Write + Send),
    ) -> Result<u64, Error> {
        self.queue.with_engine(Engine::integrate).await?;
        let snapshot = self.snapshot().await?;
        let (settings, personal) = (settings.clone(), personal.cloned());
        let exporter =
            queue::blocking(move || Exporter::new(snapshot, &settings, personal)).await?;
        export::write(exporter, out).await
    }

    async fn open_with(
        signer: NoteSigner,
        settings: TileLogSettings,
        extension: Option<String>,
        storage: impl FnOnce() -> Result<Arc<dyn Storage>, Error> + Send + 'static,
    ) -> Result<Self, Error> {
        let verifier = signer.verifier();
        let every = settings.checkpoint_every();
        let engine =
            queue::blocking(move || Engine::open(storage()?, Arc::new(signer), every, extension))
                .await?;
        Ok(Self {
            queue: Arc::new(Queue::new(engine)),
            verifier,
            settings,
            showing: tokio::sync::Mutex::new(()),
        })
    }

    async fn show(&self, published: &SignedCheckpoint, witness: &dyn Witness) -> Result<(), Error> {
        let size = published.checkpoint().size();
        let proof = match witness.newest(self.verifier.name()).await? {
            None => None,
            Some(note) => {
                let newest = SignedCheckpoint::open(note.to_string().as_bytes(), &self.verifier)?;
                let from = newest.checkpoint().size();
                if from > 0 && from < size {
                    Some(self.consistency_between(from, size).await?)
                } else {
                    None
                }
            }
        };
        witness.witness(published.note(), proof.as_ref()).await
    }

    async fn consistency_between(&self, from: u64, to: u64) -> Result<ConsistencyProof, Error> {
        self.queue
            .with_engine(move |engine| {
                let tiles = engine.load_tiles(&ConsistencyProof::tiles(from, to))?;
                ConsistencyProof::from_tiles(from, to, &tiles).map_err(|error| {
                    let message = "the tiles do not suffice; restore them from a copy";
                    Error::new(ErrorKind::Corrupt, "prove consistency", message)
                        .with("from", from)
                        .with("to", to)
                        .caused_by(error)
                })
            })
            .await
    }
}

#[async_trait]
impl AuditLog for TileLog {
    async fn append(&self, record: AuditRecord) -> Result<AuditEntry, Error> {
        let appended = self.queue.append(vec![record]).await?;
        appended.into_iter().next().ok_or_else(queue::writer_gone)
    }

    async fn entries(&self) -> Result<Vec<AuditEntry>, Error> {
        let snapshot = self.snapshot().await?;
        queue::blocking(move || snapshot.entries()).await
    }
}
