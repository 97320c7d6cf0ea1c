use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::alert::schedule::{MaintenanceWindow, TimeIntervals};
use crate::alert::severity::Severity;

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigSource {
    #[serde(default)]
    pub(super) global: GlobalSource,
    pub(super) route: Spanned<RouteSource>,
    pub(super) receivers: Vec<ReceiverSource>,
    #[serde(default)]
    pub(super) time_intervals: Vec<NamedIntervals>,
    #[serde(default)]
    pub(super) inhibit_rules: Vec<Spanned<InhibitSource>>,
    #[serde(default)]
    pub(super) escalations: Vec<EscalationSource>,
    #[serde(default)]
    pub(super) maintenance: Vec<MaintenanceSource>,
    #[serde(default)]
    pub(super) deploys: Vec<DeploySource>,
    #[serde(default)]
    pub(super) flapping: Option<Spanned<FlappingSource>>,
}

pub(super) type Text = Spanned<String>;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GlobalSource {
    #[serde(default)]
    pub(super) resolve_timeout: Option<Text>,
    #[serde(default)]
    pub(super) max_alerts: Option<Spanned<usize>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RouteSource {
    #[serde(default)]
    pub(super) receiver: Option<Text>,
    #[serde(default)]
    pub(super) matchers: Vec<Text>,
    #[serde(default)]
    pub(super) group_by: Option<Vec<Text>>,
    #[serde(default)]
    pub(super) group_wait: Option<Text>,
    #[serde(default)]
    pub(super) group_interval: Option<Text>,
    #[serde(default)]
    pub(super) repeat_interval: Option<Text>,
    #[serde(default, rename = "continue")]
    pub(super) continues: bool,
    #[serde(default)]
    pub(super) mute_time_intervals: Vec<Text>,
    #[serde(default)]
    pub(super) active_time_intervals: Vec<Text>,
    #[serde(default)]
    pub(super) severity: Option<Severity>,
    #[serde(default)]
    pub(super) owner: Option<String>,
    #[serde(default)]
    pub(super) runbook: Option<String>,
    #[serde(default)]
    pub(super) escalation: Option<Text>,
    #[serde(default)]
    pub(super) routes: Vec<Spanned<RouteSource>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReceiverSource {
    pub(super) name: Text,
    #[serde(default)]
    pub(super) send_resolved: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NamedIntervals {
    pub(super) name: Text,
    pub(super) time_intervals: TimeIntervals,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InhibitSource {
    #[serde(default)]
    pub(super) name: Option<String>,
    pub(super) source_matchers: Vec<Text>,
    pub(super) target_matchers: Vec<Text>,
    #[serde(default)]
    pub(super) equal: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EscalationSource {
    pub(super) name: Text,
    pub(super) levels: Vec<LevelSource>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LevelSource {
    pub(super) after: Text,
    pub(super) receiver: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MaintenanceSource {
    pub(super) name: Text,
    pub(super) matchers: Vec<Text>,
    pub(super) window: MaintenanceWindow,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeploySource {
    pub(super) name: Text,
    #[serde(default)]
    pub(super) matchers: Vec<Text>,
    pub(super) equal: Vec<String>,
    pub(super) quiet_for: Text,
    #[serde(default)]
    pub(super) longest: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FlappingSource {
    pub(super) episodes: usize,
    pub(super) within: Text,
}
