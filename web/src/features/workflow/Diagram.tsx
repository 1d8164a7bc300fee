/** States and the ways between them, from left to right; the row's state stands out. */
import { Background, Handle, Position, ReactFlow, type Edge, type Node, type NodeProps } from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import { useComputedColorScheme } from "@mantine/core";
import { useI18n } from "@/lib/i18n";
import type { Entity, Workflow } from "@/lib/schema/types";
import { titleOf, valueTitle } from "@/lib/schema/words";
import classes from "./Diagram.module.css";

type StateNode = Node<{ label: string; color: string; here: boolean }>;

const types = { state: State };

export default function Diagram({ entity, state }: { entity: Entity; state: string }) {
  const { t, language } = useI18n();
  const scheme = useComputedColorScheme("light");
  const workflow = entity.workflow!;
  const field = entity.fields[workflow.field];
  const ranks = ranksOf(workflow, (field?.schema.enum ?? []).map(String));
  const heights = new Map<number, number>();
  const nodes: StateNode[] = [...ranks].map(([name, rank]) => {
    const row = heights.get(rank) ?? 0;
    heights.set(rank, row + 1);
    return {
      id: name,
      type: "state",
      position: { x: rank * 210, y: row * 110 + (rank % 2) * 70 },
      data: { label: valueTitle(field, name, language), color: workflow.states[name]?.color ?? "", here: name === state },
    };
  });
  const edges = edgesOf(workflow, ranks, (name) => titleOf(workflow.transitions[name]!.title, name, language));
  return (
    <div className={classes.frame} role="img" aria-label={`${t.flow.diagram}: ${Object.keys(workflow.transitions).join(", ")}`}>
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={types}
        colorMode={scheme}
        fitView
        fitViewOptions={{ padding: 0.25, maxZoom: 1.1 }}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        zoomOnScroll={false}
        preventScrolling={false}
        proOptions={{ hideAttribution: true }}
      >
        <Background gap={16} />
      </ReactFlow>
    </div>
  );
}

/** A way per pair of states, with every transition that goes it; ways back run below, so that no label covers another. */
function edgesOf(workflow: Workflow, ranks: Map<string, number>, title: (name: string) => string): Edge[] {
  const ways = new Map<string, { source: string; target: string; names: string[] }>();
  for (const [name, { sources, target }] of Object.entries(workflow.transitions))
    for (const source of sources) {
      const key = `${source} ${target}`;
      ways.set(key, { source, target, names: [...(ways.get(key)?.names ?? []), name] });
    }
  return [...ways].map(([id, { source, target, names }]) => {
    const back = (ranks.get(target) ?? 0) <= (ranks.get(source) ?? 0);
    return {
      id,
      source,
      target,
      sourceHandle: back ? "below" : "right",
      targetHandle: back ? "below" : "left",
      label: names.map(title).join(" · "),
      type: "default",
      markerEnd: { type: "arrowclosed" as const },
      labelStyle: { fill: "var(--mantine-color-text)", fontSize: 12 },
      labelBgStyle: { fill: "var(--mantine-color-body)" },
    };
  });
}

function State({ data }: NodeProps<StateNode>) {
  return (
    <div className={classes.state} data-here={data.here || undefined}>
      <Handle id="left" type="target" position={Position.Left} className={classes.handle} />
      <Handle id="below" type="target" position={Position.Bottom} className={classes.handle} />
      {data.color && <span className={classes.dot} style={{ background: data.color }} />}
      {data.label}
      <Handle id="right" type="source" position={Position.Right} className={classes.handle} />
      <Handle id="below" type="source" position={Position.Bottom} className={classes.handle} />
    </div>
  );
}

/** How many steps a state is away from where rows begin. */
function ranksOf(workflow: Workflow, states: string[]): Map<string, number> {
  const ways = Object.values(workflow.transitions);
  const first = states.find((name) => !ways.some((way) => way.target === name)) ?? states[0];
  const ranks = new Map<string, number>(first === undefined ? [] : [[first, 0]]);
  for (const [name, rank] of ranks)
    for (const way of ways) if (way.sources.includes(name) && !ranks.has(way.target)) ranks.set(way.target, rank + 1);
  for (const name of states) if (!ranks.has(name)) ranks.set(name, 0);
  return ranks;
}
