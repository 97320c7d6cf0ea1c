use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{Any, Transaction};

use super::{Room, SqlDatabase, corrupt, integer};
use crate::error::Error;
use crate::lease::{FencingToken, Lease, LeaseStore, end_of, granted_to_another, held_by_another};
use crate::name::LeaseName;

/// Leases in a table of the database. The clock is the caller's, not the server's.
#[derive(Clone, Debug)]
pub struct SqlLeases {
    database: SqlDatabase,
}

impl SqlLeases {
    pub(super) fn new(database: SqlDatabase) -> Self {
        Self { database }
    }

    /// The newest token under a name, and the lease it came with unless that was released.
    async fn granted(
        &self,
        transaction: &mut Transaction<'static, Any>,
        name: &LeaseName,
        operation: &'static str,
    ) -> Result<(FencingToken, Option<Lease>), Error> {
        let row: Option<Row> =
            sqlx::query_as("SELECT token, holder, until FROM lease WHERE name = $1")
                .bind(name.as_str().to_owned())
                .fetch_optional(&mut **transaction)
                .await
                .map_err(self.database.failed(operation))?;
        row.map_or(Ok((FencingToken::NONE, None)), |row| decode(name, row))
    }

    async fn keep(
        &self,
        mut transaction: Transaction<'static, Any>,
        name: &LeaseName,
        token: FencingToken,
        lease: Option<&Lease>,
        operation: &'static str,
    ) -> Result<(), Error> {
        let upsert = "INSERT INTO lease (name, token, holder, until) VALUES ($1, $2, $3, $4)
             ON CONFLICT (name) DO UPDATE SET token = excluded.token, holder = excluded.holder, until = excluded.until";
        sqlx::query(upsert)
            .bind(name.as_str().to_owned())
            .bind(integer(token.get(), operation)?)
            .bind(lease.map(|lease| lease.holder.clone()))
            .bind(lease.map(|lease| lease.until.to_string()))
            .execute(&mut *transaction)
            .await
            .map_err(self.database.failed(operation))?;
        self.database.commit(transaction, operation).await
    }
}

#[async_trait]
impl LeaseStore for SqlLeases {
    async fn acquire(
        &self,
        name: &LeaseName,
        holder: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Lease, Error> {
        let mut transaction = self.database.write(Room::Leases, ACQUIRE).await?;
        let (newest, granted) = self.granted(&mut transaction, name, ACQUIRE).await?;
        let token = match granted.filter(|lease| now < lease.until) {
            Some(running) if running.holder != holder => return Err(held_by_another(&running)),
            Some(running) => running.token,
            None => newest.next()?,
        };
        let lease = Lease {
            name: name.clone(),
            holder: holder.to_owned(),
            token,
            until: end_of(now, ttl),
        };
        self.keep(transaction, name, token, Some(&lease), ACQUIRE)
            .await?;
        Ok(lease)
    }

    async fn renew(&self, lease: &Lease, now: Timestamp, ttl: Duration) -> Result<Lease, Error> {
        let mut transaction = self.database.write(Room::Leases, RENEW).await?;
        let (newest, granted) = self.granted(&mut transaction, &lease.name, RENEW).await?;
        let held = granted.filter(|_| newest == lease.token);
        let mut held = held.ok_or_else(|| granted_to_another(lease))?;
        held.until = end_of(now, ttl);
        self.keep(transaction, &held.name, held.token, Some(&held), RENEW)
            .await?;
        Ok(held)
    }

    async fn release(&self, lease: &Lease) -> Result<(), Error> {
        let mut transaction = self.database.write(Room::Leases, RELEASE).await?;
        let (newest, _) = self.granted(&mut transaction, &lease.name, RELEASE).await?;
        if newest != lease.token {
            return Err(granted_to_another(lease));
        }
        self.keep(transaction, &lease.name, newest, None, RELEASE)
            .await
    }

    async fn current(&self, name: &LeaseName) -> Result<Option<Lease>, Error> {
        let row: Option<Row> =
            sqlx::query_as("SELECT token, holder, until FROM lease WHERE name = $1")
                .bind(name.as_str().to_owned())
                .fetch_optional(&self.database.pool)
                .await
                .map_err(self.database.failed("read a lease"))?;
        Ok(row
            .map(|row| decode(name, row))
            .transpose()?
            .and_then(|(_, lease)| lease))
    }
}

type Row = (i64, Option<String>, Option<String>);

fn decode(
    name: &LeaseName,
    (token, holder, until): Row,
) -> Result<(FencingToken, Option<Lease>), Error> {
    let token = FencingToken::new(token.unsigned_abs());
    let (Some(holder), Some(until)) = (holder, until) else {
        return Ok((token, None));
    };
    let until = until
        .parse()
        .map_err(|error| corrupt("read a lease", "end of a lease", error))?;
    let lease = Lease {
        name: name.clone(),
        holder,
        token,
        until,
    };
    Ok((token, Some(lease)))
}

const ACQUIRE: &str = "acquire a lease";
const RENEW: &str = "renew a lease";
const RELEASE: &str = "release a lease";
