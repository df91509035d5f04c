"""The graph of a workflow: which step waits for which, and the expressions that say so. Text, Mermaid, DOT, data.

Not here: layout (`drawing`), and where the outcomes of a live object come from.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lambent.workflow.authoring.texts import MARKS, STYLES
from lambent.workflow.engine import Catalog, Step, Unready, Workflow
from lambent.workflow.engine.expressions import Expression, Template, expressions_in
from lambent.workflow.engine.workflows import LogicRef, Switch
from lambent.workflow.spec import Identity, path_text
from lambent.workflow.spec.painting import Paint, plain

VERSION = 1


@dataclass(slots=True, eq=False)
class Node:
    """`logic` has one name per case of a switch; `outcome` is empty without a live object."""

    label: str
    logic: list[str]
    notes: list[str]
    outcome: str = ""
    inside: "Graph | None" = None


@dataclass(slots=True, eq=False)
class Edge:
    """`because` are the expressions, as `path: text`, or dependsOn."""

    source: str
    target: str
    because: list[str]
    when_not_ok: str = "depSkip"


@dataclass(slots=True, eq=False)
class Graph:
    workflow: str
    trigger: str
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)

    def into(self, label: str) -> list[Edge]:
        return [edge for edge in self.edges if edge.target == label]


def graph_of(
    workflow: Workflow,
    catalog: Catalog,
    *,
    outcomes: Mapping[str, str] | None = None,
    expand: bool = False,
    inside: tuple[Identity, ...] = (),
) -> Graph:
    """`outcomes` by label are those of a live object; `expand` draws sub-workflows inside their step.

    `inside` are the workflows around this one; one of them is not drawn again, for that would have no end.
    """
    trigger = workflow.trigger
    kind = f"{trigger.kind} ({trigger.group}/{trigger.version})" if trigger else ""
    graph = Graph(str(workflow.identity), kind)
    for step in workflow.steps:
        node = _node(step, workflow, catalog, expand=expand, inside=(*inside, workflow.identity))
        node.outcome = (outcomes or {}).get(step.label, "")
        graph.nodes.append(node)
        graph.edges += _edges(step)
    return graph


def _node(step: Step, workflow: Workflow, catalog: Catalog, *, expand: bool, inside: tuple[Identity, ...]) -> Node:
    if isinstance(step.logic, LogicRef):
        logic = [f"{step.logic.kind}/{step.logic.name}"]
    else:
        logic = [f"{case}: {ref.kind}/{ref.name}" for case, ref in step.logic.cases.items()]
    notes = []
    if isinstance(step.logic, Switch):
        notes.append(f"switch on {_said(step.logic.switch_on)}")
    if step.for_each is not None:
        notes.append(f"for each {step.for_each.input_key} in {_said(step.for_each.item_in)}")
    if step.skip_if is not None:
        notes.append(f"skip if {_said(step.skip_if)}")
    if step.condition is not None:
        notes.append(f"condition {step.condition.type}")
    node = Node(step.label, logic, notes)
    for reference in step.references():
        found = catalog.resolve(reference.kind, reference.name, workflow.identity.namespace)
        if isinstance(found, str | Unready):
            notes.append(found if isinstance(found, str) else found.reason)
        elif isinstance(found, Workflow) and expand and isinstance(step.logic, LogicRef):
            if found.identity in inside:
                notes.append(f"runs in a circle: {found.identity} stands around this step")
            else:
                node.inside = graph_of(found, catalog, expand=True, inside=inside)
    return node


def _said(template: Template) -> str:
    return " ".join(template.program.text.split()) if isinstance(template, Expression) else str(template)


def _readers(step: Step) -> Iterator[Expression]:
    """The expressions of a step that may read other steps."""
    logic = step.logic
    given = [step.inputs, step.skip_if, step.for_each.item_in if step.for_each else None]
    for template in [*given, logic.switch_on if isinstance(logic, Switch) else None]:
        if template is not None:
            yield from expressions_in(template)


def _edges(step: Step) -> Iterator[Edge]:
    for dependency in step.dependencies:
        because = []
        for expression in _readers(step):
            if expression.members_of("steps") & {dependency.label, "*"}:
                place = path_text(expression.path).removeprefix(f"spec.steps[{step.index}].")
                because.append(f"{place}: {' '.join(expression.program.text.split())}")
        yield Edge(dependency.label, step.label, because or ["dependsOn"], dependency.when_not_ok)


def graph_data(graph: Graph) -> dict[str, Any]:
    """Version 1: {version, workflow, trigger, nodes, edges}."""
    return {
        "version": VERSION,
        "workflow": graph.workflow,
        "trigger": graph.trigger,
        "nodes": [
            {
                "label": node.label,
                "logic": node.logic,
                "notes": node.notes,
                **({"outcome": node.outcome} if node.outcome else {}),
                **({"inside": graph_data(node.inside)} if node.inside is not None else {}),
            }
            for node in graph.nodes
        ],
        "edges": [
            {"from": edge.source, "to": edge.target, "because": edge.because, "whenNotOk": edge.when_not_ok}
            for edge in graph.edges
        ],
    }


def graph_text(graph: Graph, paint: Paint = plain, indent: str = "") -> str:
    """The steps in order, below each what it waits for and why."""
    head = f"{graph.workflow}" + (f"  <- {graph.trigger}" if graph.trigger else "")
    lines = [f"{indent}{paint('strong', head)}"]
    for node in graph.nodes:
        mark = paint(STYLES[node.outcome], MARKS[node.outcome]) if node.outcome in MARKS else "●"
        outcome = f"  {node.outcome}" if node.outcome else ""
        lines.append(f"{indent}{mark} {paint('strong', node.label)}  {', '.join(node.logic)}{outcome}")
        lines += [f"{indent}│   {paint('dim', note)}" for note in node.notes]
        for edge in graph.into(node.label):
            soft = "" if edge.when_not_ok == "depSkip" else f" ({edge.when_not_ok})"
            lines.append(f"{indent}├─ waits for {edge.source}{soft}")
            lines += [f"{indent}│      {paint('dim', reason)}" for reason in edge.because]
        if node.inside is not None:
            lines.append(graph_text(node.inside, paint, indent + "│   "))
    return "\n".join(lines)


def mermaid(graph: Graph) -> str:
    """A Mermaid flowchart. Source: Mermaid, "Flowcharts: basic syntax"."""
    names = {node.label: f"s{index}" for index, node in enumerate(graph.nodes)}
    lines = ["flowchart TD"]
    for node in graph.nodes:
        text = "<br/>".join(escaped(part) for part in (node.label, *node.logic))
        lines.append(f'  {names[node.label]}["{text}"]')
    for edge in graph.edges:
        arrow = "-->" if edge.when_not_ok == "depSkip" else "-.->"
        lines.append(f"  {names[edge.source]} {arrow} {names[edge.target]}")
    for outcome, colour in COLOURS.items():
        found = [names[node.label] for node in graph.nodes if node.outcome == outcome]
        if found:
            lines += [f"  classDef {outcome} fill:{colour}", f"  class {','.join(found)} {outcome}"]
    return "\n".join(lines)


def dot(graph: Graph) -> str:
    """Graphviz. Source: Graphviz, "DOT language"."""
    lines = [f'digraph "{graph.workflow}" {{', "  node [shape=box, style=filled, fillcolor=white];"]
    for node in graph.nodes:
        label = "\\n".join(_quoted(part) for part in (node.label, *node.logic))
        colour = f', fillcolor="{COLOURS[node.outcome]}"' if node.outcome in COLOURS else ""
        lines.append(f'  "{_quoted(node.label)}" [label="{label}"{colour}];')
    for edge in graph.edges:
        style = "" if edge.when_not_ok == "depSkip" else ", style=dashed"
        reason = "\\n".join(_quoted(each) for each in edge.because)
        lines.append(f'  "{_quoted(edge.source)}" -> "{_quoted(edge.target)}" [tooltip="{reason}"{style}];')
    return "\n".join([*lines, "}"])


COLOURS = {"Ok": "#c8e6c9", "Skip": "#eceff1", "DepSkip": "#eceff1", "Retry": "#ffe0b2", "PermFail": "#ffcdd2"}


def escaped(text: str) -> str:
    """For XML, and for what Mermaid reads as HTML."""
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
