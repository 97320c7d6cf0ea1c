use super::control::{Control, Framework, Necessity};

/// The controls of the three frameworks that recorded decisions, approvals and logs can be evidence of.
///
/// It is a choice, not a copy: controls about data, documentation, people or the organisation are left out, because no
/// policy can evidence them, and so is every id that could not be given with certainty. Titles are paraphrases; read the
/// sources. Those of the EU AI Act are marked mandatory, which supposes a high-risk system.
#[must_use]
pub fn catalogue() -> Vec<Control> {
    let group = |framework, necessity, rows: &[(&str, &str)]| -> Vec<Control> {
        rows.iter()
            .map(|(id, title)| Control::known(framework, id, title, necessity))
            .collect()
    };
    [
        group(Framework::EuAiAct, Necessity::Mandatory, EU_AI_ACT),
        group(Framework::NistAiRmf, Necessity::Voluntary, NIST_AI_RMF),
        group(Framework::Iso42001, Necessity::Voluntary, ISO_42001),
    ]
    .concat()
}

const EU_AI_ACT: &[(&str, &str)] = &[
    (
        "12",
        "automatic recording of events over the lifetime of the system",
    ),
    (
        "14",
        "oversight by natural persons while the system is in use",
    ),
    ("19", "providers keep the logs for at least six months"),
    ("26(6)", "deployers keep the logs for at least six months"),
];

const NIST_AI_RMF: &[(&str, &str)] = &[
    (
        "GOVERN 1.4",
        "risk management by transparent policies, procedures and controls",
    ),
    (
        "GOVERN 1.5",
        "ongoing monitoring and periodic review of risk management",
    ),
    (
        "GOVERN 2.1",
        "roles, responsibilities and lines of communication are documented",
    ),
    (
        "GOVERN 3.2",
        "roles and responsibilities for human oversight are differentiated",
    ),
    (
        "MAP 3.5",
        "processes for human oversight are defined and documented",
    ),
    (
        "MEASURE 2.4",
        "the system and its components are monitored in production",
    ),
    (
        "MEASURE 3.1",
        "existing, unanticipated and emergent risks are tracked",
    ),
    (
        "MANAGE 1.3",
        "responses to high-priority risks are planned and documented",
    ),
    (
        "MANAGE 2.4",
        "mechanisms to supersede, disengage or deactivate the system",
    ),
    (
        "MANAGE 4.1",
        "post-deployment monitoring, with override, incident response and change management",
    ),
    (
        "MANAGE 4.3",
        "incidents and errors are communicated, tracked and responded to",
    ),
];

const ISO_42001: &[(&str, &str)] = &[
    ("7.5", "documented information"),
    ("8.1", "operational planning and control"),
    ("9.1", "monitoring, measurement, analysis and evaluation"),
    ("10.2", "nonconformity and corrective action"),
    ("A.3.2", "roles and responsibilities"),
    ("A.6.2.5", "deployment of the system"),
    ("A.6.2.6", "operation and monitoring of the system"),
    ("A.6.2.8", "recording of event logs"),
];
