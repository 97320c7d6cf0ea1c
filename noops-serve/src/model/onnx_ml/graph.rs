//! A graph that has been checked and put in an order to run in.

pub(super) mod flow;
mod hints;

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use noops_core::Error;

use super::error::{corrupt, failed, unsupported};
use super::node::Node;
use super::ops::{self, Inputs, Run};
use super::proto::{GraphProto, KindProto, ModelProto, NodeProto, ValueInfoProto};
use super::value::{ElementKind, Tensor};
use hints::Hints;

/// An immutable graph, shared by all replicas.
#[derive(Debug)]
pub(super) struct Graph {
    /// The values that are known before anything runs; a slot for each name.
    constants: Vec<Option<Tensor>>,
    /// In an order in which every value is there when it is wanted.
    steps: Vec<Step>,
    pub(super) inputs: Vec<Declared>,
    pub(super) outputs: Vec<Declared>,
}

/// An input or output as the model declares it.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) name: String,
    /// What the elements are; `None` for the maps of a zip map and where the model does not say.
    pub(super) kind: Option<ElementKind>,
    pub(super) dims: Option<Vec<Option<i64>>>,
    slot: usize,
}

struct Step {
    kind: String,
    run: Run,
    inputs: Vec<Option<usize>>,
    outputs: Vec<Option<usize>>,
    hints: Hints,
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// The steps that one output needs.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    steps: Vec<usize>,
    slot: usize,
}

impl Graph {
    pub(super) fn load(bytes: &[u8]) -> Result<Self, Error> {
        let model = ModelProto::parse(bytes)?;
        let graph = model.graph.ok_or_else(|| corrupt("there is no graph"))?;
        if graph.sparse_initializers > 0 {
            return Err(unsupported(
                "the graph has sparse weights; store them densely",
            ));
        }
        let mut slots = Slots::default();
        let mut constants: Vec<Option<Tensor>> = Vec::new();
        for tensor in &graph.initializers {
            let slot = slots.define(&tensor.name)?;
            constants.resize_with(slot + 1, || None);
            if let Some(place) = constants.get_mut(slot) {
                *place = Some(Tensor::from_proto(tensor)?);
            }
        }
        // Old models list their weights among the inputs too.
        let given = graph
            .inputs
            .iter()
            .filter(|input| !slots.names.contains_key(&input.name));
        let given: Vec<&ValueInfoProto> = given.collect();
        let mut inputs = Vec::with_capacity(given.len());
        for input in given {
            let slot = slots.define(&input.name)?;
            inputs.push(Declared::new(input, slot)?);
        }
        let steps = steps(&graph, &model.opsets, &mut slots)?;
        let outputs = graph.outputs.iter().map(|output| {
            let slot = slots.names.get(&output.name).copied();
            let slot = slot.ok_or_else(|| {
                corrupt("an output is made by no node").with("output", &output.name)
            })?;
            Declared::new(output, slot)
        });
        let outputs = outputs.collect::<Result<Vec<_>, _>>()?;
        if outputs.is_empty() || inputs.is_empty() {
            return Err(corrupt("the graph has no output or no input"));
        }
        constants.resize_with(slots.names.len(), || None);
        Ok(Self {
            constants,
            steps,
            inputs,
            outputs,
        })
    }

    /// The steps that lead to an output.
    pub(super) fn plan(&self, output: &Declared) -> Plan {
        let mut wanted = BTreeSet::from([output.slot]);
        let mut steps = Vec::new();
        for (index, step) in self.steps.iter().enumerate().rev() {
            if step
                .outputs
                .iter()
                .flatten()
                .any(|slot| wanted.contains(slot))
            {
                wanted.extend(step.inputs.iter().flatten());
                steps.push(index);
            }
        }
        steps.reverse();
        Plan {
            steps,
            slot: output.slot,
        }
    }

    /// The output of a plan for one tensor per input.
    pub(super) fn run(&self, plan: &Plan, given: Vec<Tensor>) -> Result<Tensor, Error> {
        let mut values: Vec<Option<Tensor>> = Vec::new();
        self.each(plan, given, &mut values, |_, _, _| {})?;
        let result = values.get_mut(plan.slot).and_then(Option::take);
        let constant = || self.constants.get(plan.slot).cloned().flatten();
        result
            .or_else(constant)
            .ok_or_else(|| corrupt("the output is never made"))
    }

    /// Runs the steps of a plan, and shows each to `seen` once it has run.
    fn each(
        &self,
        plan: &Plan,
        given: Vec<Tensor>,
        values: &mut Vec<Option<Tensor>>,
        mut seen: impl FnMut(&Step, &Inputs<'_>, &[Tensor]),
    ) -> Result<(), Error> {
        values.clear();
        values.resize_with(self.constants.len(), || None);
        for (input, tensor) in self.inputs.iter().zip(given) {
            put(values, Some(input.slot), tensor);
        }
        let mut held = 0_usize;
        for step in plan.steps.iter().filter_map(|&index| self.steps.get(index)) {
            let value = |slot: &usize| {
                let made = values.get(*slot).and_then(Option::as_ref);
                made.or_else(|| self.constants.get(*slot).and_then(Option::as_ref))
            };
            let inputs = Inputs(
                step.inputs
                    .iter()
                    .map(|slot| slot.as_ref().and_then(value))
                    .collect(),
            );
            let made = (step.run)(&inputs).map_err(|error| error.with("operator", &step.kind))?;
            held = made
                .iter()
                .map(Tensor::len)
                .fold(held, usize::saturating_add);
            if held > MOST_HELD {
                return Err(failed(
                    "the values of one run take too much memory; ask fewer rows at once",
                )
                .with("operator", &step.kind)
                .with("elements", held));
            }
            seen(step, &inputs, &made);
            for (slot, tensor) in step.outputs.iter().zip(made) {
                put(values, *slot, tensor);
            }
        }
        Ok(())
    }
}

fn put(values: &mut [Option<Tensor>], slot: Option<usize>, tensor: Tensor) {
    if let Some(place) = slot.and_then(|slot| values.get_mut(slot)) {
        *place = Some(tensor);
    }
}

impl Declared {
    fn new(info: &ValueInfoProto, slot: usize) -> Result<Self, Error> {
        let (kind, dims) = match &info.kind {
            KindProto::Tensor { element, dims } => {
                (Some(ElementKind::from_code(*element)?), dims.clone())
            }
            KindProto::Sequence | KindProto::Unknown => (None, None),
        };
        Ok(Self {
            name: info.name.clone(),
            kind,
            dims,
            slot,
        })
    }
}

/// The number of each name.
#[derive(Debug, Default)]
struct Slots {
    names: HashMap<String, usize>,
}

impl Slots {
    /// A slot for a name, which is given only once.
    fn define(&mut self, name: &str) -> Result<usize, Error> {
        let slot = self.names.len();
        if name.is_empty() || self.names.insert(name.to_owned(), slot).is_some() {
            return Err(corrupt("two values have one name, or one has none").with("name", name));
        }
        Ok(slot)
    }
}

/// The nodes in an order in which each comes behind those that it needs.
fn steps(
    graph: &GraphProto,
    opsets: &[(String, i64)],
    slots: &mut Slots,
) -> Result<Vec<Step>, Error> {
    let before = slots.names.len();
    // The node that makes a slot.
    let mut makers: HashMap<usize, usize> = HashMap::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        for name in node.outputs.iter().filter(|name| !name.is_empty()) {
            makers.insert(slots.define(name)?, index);
        }
    }
    let slots = &*slots;
    let mut runs = runs(graph, opsets)?;
    let slot_of = |name: &String| {
        let slot = slots.names.get(name).copied();
        slot.ok_or_else(|| corrupt("a node reads a value that nothing makes").with("value", name))
    };
    let mut readers: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut waiting_for = vec![0_usize; graph.nodes.len()];
    let mut read = Vec::with_capacity(graph.nodes.len());
    for (index, node) in graph.nodes.iter().enumerate() {
        let optional = |name: &String| (!name.is_empty()).then(|| slot_of(name)).transpose();
        let inputs = node
            .inputs
            .iter()
            .map(optional)
            .collect::<Result<Vec<_>, _>>()?;
        for slot in inputs.iter().flatten().filter(|&&slot| slot >= before) {
            if let (Some(maker), Some(count)) = (makers.get(slot), waiting_for.get_mut(index)) {
                readers.entry(*maker).or_default().push(index);
                *count += 1;
            }
        }
        read.push(inputs);
    }
    // The earliest of those that are ready is next, so that a graph that is in order keeps it.
    let idle = waiting_for
        .iter()
        .enumerate()
        .filter(|(_, count)| **count == 0);
    let mut ready: BTreeSet<usize> = idle.map(|(index, _)| index).collect();
    let mut steps = Vec::with_capacity(graph.nodes.len());
    while let Some(index) = ready.pop_first() {
        let node = graph.nodes.get(index);
        let run = runs.get_mut(index).and_then(Option::take);
        let (Some(node), Some((run, hints))) = (node, run) else {
            continue;
        };
        let outputs = node
            .outputs
            .iter()
            .map(|name| slots.names.get(name).copied())
            .collect();
        let inputs = read.get_mut(index).map(std::mem::take).unwrap_or_default();
        steps.push(Step {
            kind: node.kind.clone(),
            run,
            inputs,
            outputs,
            hints,
        });
        for &reader in readers.get(&index).into_iter().flatten() {
            if let Some(count) = waiting_for.get_mut(reader) {
                *count -= 1;
                if *count == 0 {
                    ready.insert(reader);
                }
            }
        }
    }
    if steps.len() != graph.nodes.len() {
        return Err(corrupt("the graph has a cycle"));
    }
    Ok(steps)
}

/// What every node does. Names all operators that are not here at once.
fn runs(graph: &GraphProto, opsets: &[(String, i64)]) -> Result<Vec<Option<(Run, Hints)>>, Error> {
    let mut unknown = BTreeSet::new();
    let mut runs = Vec::with_capacity(graph.nodes.len());
    for proto in &graph.nodes {
        let run = run(proto, opsets)?;
        if run.is_none() {
            let domain = if proto.domain.is_empty() {
                "ai.onnx"
            } else {
                &proto.domain
            };
            unknown.insert(format!("{domain}.{}", proto.kind));
        }
        runs.push(run);
    }
    if unknown.is_empty() {
        return Ok(runs);
    }
    let unknown: Vec<String> = unknown.into_iter().collect();
    Err(
        unsupported("the graph has operators that are not supported")
            .with("operators", unknown.join("`, `")),
    )
}

fn run(proto: &NodeProto, opsets: &[(String, i64)]) -> Result<Option<(Run, Hints)>, Error> {
    let general = matches!(proto.domain.as_str(), "" | "ai.onnx");
    let mut versions = opsets.iter().filter(|(domain, _)| {
        domain == &proto.domain || general && matches!(domain.as_str(), "" | "ai.onnx")
    });
    let (_, version) = versions.next().ok_or_else(|| {
        corrupt("a node is of an operator set that the model does not import")
            .with("domain", &proto.domain)
    })?;
    let (least, most) = if general {
        (1, MOST_GENERAL)
    } else {
        (1, MOST_CLASSICAL)
    };
    let known = general || proto.domain == "ai.onnx.ml";
    if known && *version < least {
        return Err(corrupt("an operator set has no version").with("domain", &proto.domain));
    }
    if known && *version > most {
        return Err(unsupported(
            "an operator set is newer than what is known here; export with an older one",
        )
        .with("domain", &proto.domain)
        .with("version", version)
        .with("newest", most));
    }
    let node = Node::new(proto, *version);
    let built = match proto.domain.as_str() {
        "" | "ai.onnx" => ops::general(&node),
        "ai.onnx.ml" => ops::classical(&node),
        _ => Ok(None),
    };
    let named = |error: Error| error.with("node", &proto.name);
    let built = built.map_err(named)?;
    built
        .map(|run| Hints::of(&node).map(|hints| (run, hints)))
        .transpose()
}

/// The newest operator sets that the operators here were checked against.
const MOST_GENERAL: i64 = 24;
const MOST_CLASSICAL: i64 = 5;
/// How many elements all values of one run may have together: each tensor is bounded, and a file may ask for any number of them.
const MOST_HELD: usize = 1 << 26;
