"""One entity, one Parquet file, two views of it that differ in how long a value may serve. See README.md."""

from datetime import timedelta
from pathlib import Path

from feast import Entity, FeatureService, FeatureView, Field, FileSource, PushSource, ValueType
from feast.types import Float64, Int64

FIELDS = [Field(name="conv_rate", dtype=Float64), Field(name="trips", dtype=Int64)]

driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)

stats = FileSource(
    name="driver_stats",
    path=str(Path(__file__).resolve().parent / "driver_stats.parquet"),
    timestamp_field="event_timestamp",
    created_timestamp_column="created",
)

driver_push = PushSource(name="driver_push", batch_source=stats)

driver_hourly = FeatureView(
    name="driver_hourly", entities=[driver], ttl=timedelta(hours=1), schema=FIELDS, source=stats, online=True
)

driver_daily = FeatureView(
    name="driver_daily", entities=[driver], ttl=timedelta(days=3), schema=FIELDS, source=driver_push, online=True
)

driver_activity = FeatureService(name="driver_activity", features=[driver_hourly, driver_daily])
