/** Entities and their relations as a diagram: cards with fields, lines with how many of each side there are. */
import { useComputedColorScheme } from "@mantine/core";
import { useReducedMotion } from "@mantine/hooks";
import { Background, BaseEdge, Controls, getBezierPath, Handle, Position, ReactFlow, type Edge, type EdgeProps, type Node, type NodeChange, type NodeProps, type ReactFlowInstance } from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import { useEffect, useMemo, useState } from "react";
import { useI18n } from "@/lib/i18n";
import classes from "./Diagram.module.css";
import { heightOf, MOST, placesOf, WIDTH, type Place } from "./layout";
import type { Design, Entity, Field } from "./model";

interface Properties {
  design: Design;
  selected: string;
  onSelect: (entity: string) => void;
  onField: (entity: string, field: string) => void;
}

type Card = Node<{ entity: Entity; ghost: boolean; here: boolean; onSelect: (entity: string) => void; onField: (entity: string, field: string) => void }>;
type Relation = Edge<{ many: string; one: string }>;

const nodeTypes = { entity: EntityCard };
const edgeTypes = { relation: RelationLine };

export function Diagram({ design, selected, onSelect, onField }: Properties) {
  const { t } = useI18n();
  const scheme = useComputedColorScheme("light");
  const still = useReducedMotion();
  const [flow, setFlow] = useState<ReactFlowInstance<Card, Relation> | null>(null);
  const [moved, setMoved] = useState<Record<string, Place>>({});
  const shown = useMemo(() => withGhosts(design), [design]);
  const places = useMemo(() => placesOf({ entities: shown, roles: [] }), [shown]);
  const at = (name: string) => moved[name] ?? places.get(name)!;
  const nodes: Card[] = shown.map((entity) => ({
    id: entity.name,
    type: "entity",
    position: at(entity.name),
    width: WIDTH,
    height: heightOf(entity),
    data: { entity, ghost: entity.line === 0, here: entity.name === selected, onSelect, onField },
  }));
  const edges: Relation[] = design.entities.flatMap((entity) =>
    entity.fields.filter(({ references }) => places.has(references)).map((field) => {
      const left = at(entity.name).x > at(field.references).x;
      const side = entity.name === field.references ? "right" : left ? "left" : "right";
      const other = entity.name === field.references ? "right" : left ? "right" : "left";
      return {
        id: `${entity.name}.${field.name}`,
        type: "relation",
        source: entity.name,
        target: field.references,
        sourceHandle: `${rowOf(entity, field)}-${side}`,
        targetHandle: `head-${other}`,
        data: { many: field.unique ? "1" : "n", one: field.required ? "1" : "0..1" },
        className: entity.name === selected || field.references === selected ? classes.near! : classes.line!,
      };
    }),
  );
  useEffect(() => {
    const node = flow?.getNode(selected);
    if (!flow || !node) return;
    const middle = { x: node.position.x + WIDTH / 2, y: node.position.y + (node.height ?? 0) / 2 };
    void flow.setCenter(middle.x, middle.y, { zoom: Math.max(flow.getZoom(), 0.9), duration: still ? 0 : 250 });
  }, [selected, flow, still, shown.length]);
  const move = (changes: NodeChange<Card>[]) => {
    const found = changes.flatMap((change) => (change.type === "position" && change.position ? [[change.id, change.position] as const] : []));
    if (found.length) setMoved((before) => ({ ...before, ...Object.fromEntries(found) }));
  };
  return (
    <div className={classes.frame} role="region" aria-label={t.designer.diagram(design.entities.length)}>
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        colorMode={scheme}
        onNodesChange={move}
        onInit={setFlow}
        fitView
        fitViewOptions={{ padding: 0.05, maxZoom: 1 }}
        minZoom={0.15}
        maxZoom={1.6}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        deleteKeyCode={null}
        proOptions={{ hideAttribution: true }}
      >
        <Background gap={20} />
        <Controls showInteractive={false} />
      </ReactFlow>
    </div>
  );
}

function EntityCard({ data: { entity, ghost, here, onSelect, onField } }: NodeProps<Card>) {
  const { t } = useI18n();
  const fields = entity.fields.slice(0, MOST);
  const rest = entity.fields.length - fields.length;
  return (
    <div className={classes.card} data-here={here || undefined} data-ghost={ghost || undefined}>
      <Handle id="head-left" type="target" position={Position.Left} className={classes.handle} style={{ top: 19 }} />
      <Handle id="head-right" type="target" position={Position.Right} className={classes.handle} style={{ top: 19 }} />
      {ghost ? (
        <div className={classes.head}>{entity.name}</div>
      ) : (
        <button type="button" className={classes.head} aria-pressed={here} onClick={() => onSelect(entity.name)}>
          {entity.name}
          {entity.title && <small>{entity.title}</small>}
        </button>
      )}
      {fields.map((field, at) => (
        <div key={field.name} className={classes.row}>
          <Handle id={`${at}-left`} type="source" position={Position.Left} className={classes.handle} />
          <Handle id={`${at}-right`} type="source" position={Position.Right} className={classes.handle} />
          <button type="button" className={`nodrag ${classes.field}`} onClick={() => onField(entity.name, field.name)} tabIndex={here ? 0 : -1}>
            <span>
              {field.name}
              {field.required && <b title={t.designer.required}>*</b>}
            </span>
            <i>{field.kind}</i>
          </button>
        </div>
      ))}
      {rest > 0 && <div className={classes.rest}>{t.designer.more(rest)}</div>}
      {rest > 0 && <Handle id="rest-left" type="source" position={Position.Left} className={classes.handle} style={{ top: "auto", bottom: 16 }} />}
      {rest > 0 && <Handle id="rest-right" type="source" position={Position.Right} className={classes.handle} style={{ top: "auto", bottom: 16 }} />}
    </div>
  );
}

function RelationLine({ sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition, data, id }: EdgeProps<Relation>) {
  const [path] = getBezierPath({ sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition });
  const beside = (x: number, position: Position) => x + (position === Position.Left ? -7 : 7);
  const anchor = (position: Position) => (position === Position.Left ? "end" : "start");
  return (
    <>
      <BaseEdge id={id} path={path} />
      <text className={classes.count} x={beside(sourceX, sourcePosition)} y={sourceY - 5} textAnchor={anchor(sourcePosition)}>
        {data?.many}
      </text>
      <text className={classes.count} x={beside(targetX, targetPosition)} y={targetY - 5} textAnchor={anchor(targetPosition)}>
        {data?.one}
      </text>
    </>
  );
}

function rowOf(entity: Entity, field: Field): string {
  const at = entity.fields.indexOf(field);
  return at < MOST ? String(at) : "rest";
}

/** The entities, and those that are only referred to: `users` is there without being written. */
function withGhosts({ entities }: Design): Entity[] {
  const known = new Set(entities.map(({ name }) => name));
  const others = new Set(entities.flatMap(({ fields }) => fields.map(({ references }) => references)).filter((name) => name && !known.has(name)));
  return [...entities, ...[...others].map((name) => ({ name, line: 0, title: "", fields: [], access: [], formerly: [] }))];
}
