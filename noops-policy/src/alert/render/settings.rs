use std::num::NonZeroUsize;

use super::error::RenderError;
use super::text;

/// What renderers say beyond the notification itself.
///
/// # Examples
///
/// ```
/// use noops_policy::alert::render::RenderSettings;
///
/// let settings = RenderSettings::default().with_external_url("https://alerts.example.test")?;
/// assert_eq!(settings.external_url(), "https://alerts.example.test");
/// assert!(RenderSettings::default().with_external_url("javascript:alert(1)").is_err());
/// # Ok::<(), noops_policy::alert::render::RenderError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RenderSettings {
    external_url: String,
    source: String,
    max_alerts: Option<NonZeroUsize>,
}

impl RenderSettings {
    /// Sets the page on which people see alerts; none without it.
    ///
    /// # Errors
    ///
    /// Refuses everything but a plain `http` or `https` link.
    pub fn with_external_url(mut self, url: &str) -> Result<Self, RenderError> {
        match text::link(url) {
            Some(url) => {
                url.clone_into(&mut self.external_url);
                Ok(self)
            }
            None => Err(RenderError::ExternalUrl {
                text: text::line(url, MAX_ECHO),
            }),
        }
    }

    /// Sets where events come from, as a URI reference; `/noops/alerts` without it.
    ///
    /// # Errors
    ///
    /// Refuses an empty text, and one with anything but visible ASCII characters.
    pub fn with_source(mut self, source: &str) -> Result<Self, RenderError> {
        let visible = source.chars().all(|character| character.is_ascii_graphic());
        if source.is_empty() || !visible || source.len() > MAX_SOURCE {
            return Err(RenderError::Source {
                text: text::line(source, MAX_ECHO),
            });
        }
        source.clone_into(&mut self.source);
        Ok(self)
    }

    /// Sets the greatest number of alerts in one webhook; all of them without it. The others are counted.
    #[must_use]
    pub fn with_max_alerts(mut self, alerts: NonZeroUsize) -> Self {
        self.max_alerts = Some(alerts);
        self
    }

    /// The page on which people see alerts; empty without one.
    pub fn external_url(&self) -> &str {
        &self.external_url
    }

    /// Where events come from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The greatest number of alerts in one webhook.
    pub fn max_alerts(&self) -> Option<NonZeroUsize> {
        self.max_alerts
    }
}

impl Default for RenderSettings {
    fn default() -> Self {
        Self {
            external_url: String::new(),
            source: "/noops/alerts".to_owned(),
            max_alerts: None,
        }
    }
}

const MAX_ECHO: usize = 64;

const MAX_SOURCE: usize = 1024;
