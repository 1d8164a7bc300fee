/** `{base}/schema` as the server answers it (schemas/compiler/emit/view.py): what the signed-in person may see. */
import type { Titles } from "../i18n";

export interface JsonSchema {
  type?: string | string[];
  format?: string;
  enum?: (string | number)[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  multipleOf?: number;
  pattern?: string;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  additionalProperties?: boolean | JsonSchema;
  title?: string;
  description?: string;
  examples?: unknown[];
  default?: unknown;
}

export interface Field {
  name: string;
  /** uuid, text, integer, bigint, numeric, double, boolean, date, time, datetime, json, array, file, … */
  kind: string;
  schema: JsonSchema;
  required: boolean;
  nullable: boolean;
  writable: boolean;
  title?: Titles;
  description?: string;
  unique?: boolean;
  searchable?: boolean;
  write_only?: boolean;
  computed?: boolean;
  /** How the server fills it: uuid, identity, sequence, managed. */
  generated?: string;
  default?: unknown;
  has_default?: boolean;
  /** accept, maxSize, currency, … */
  options?: Record<string, unknown>;
  /** Titles of an enum's values. */
  labels?: Record<string, Titles>;
  references?: { entity: string; field: string; relation: string; label: string | null };
}

/** A condition of the file (CEL), as the tree the browser evaluates: lib/schema/conditions.ts. */
export type Condition = unknown;

export interface ListView {
  type: "list";
  columns: string[];
  filters: string[];
  sort: string[];
  filter: string;
  count: "exact" | "planned" | "estimated" | "none";
  limit: number;
  title: Titles;
}

export interface BoardView {
  type: "board";
  group_by: string;
  card: string[];
  filter: string;
  sort: string[];
  title: Titles;
}

export interface CalendarView {
  type: "calendar";
  start: string;
  end: string | null;
  label: string | null;
  color_by: string | null;
  filter: string;
  title: Titles;
}

export interface FormView {
  type: "form";
  sections: { fields: string[]; title: Titles; visible_if: string | null; columns: number }[];
  fields: Record<
    string,
    {
      required_if: string | null;
      visible_if: string | null;
      read_only_if: string | null;
      help: Titles;
      placeholder: Titles;
    }
  >;
  title: Titles;
}

export type View = ListView | BoardView | CalendarView | FormView;

export interface Workflow {
  field: string;
  states: Record<string, { title: Titles; color: string; lock: string[]; editors: string[]; deadline: number | null }>;
  transitions: Record<
    string,
    {
      sources: string[];
      target: string;
      roles: string[];
      quorum: number;
      /** Whoever made the row may ask for it. */
      allow_self: boolean;
      comment: string;
      confirm: boolean;
      title: Titles;
      /** The file has a guard: the row decides. */
      guarded: boolean;
      /** My roles may ask for it. */
      mine: boolean;
    }
  >;
}

export interface Entity {
  name: string;
  title: Titles;
  description: string;
  key: string;
  label: string | null;
  soft_delete: boolean;
  history: boolean;
  /** Who may read a row may comment on it. */
  comments: boolean;
  may: ("read" | "create" | "update" | "delete")[];
  fields: Record<string, Field>;
  /** Rows of others that point here. */
  inverse: { entity: string; field: string; relation: string }[];
  views: Record<string, View>;
  workflow?: Workflow;
  /** Kept by the platform because the file uses a section: not shown as data of its own. */
  added: boolean;
}

export interface Widget {
  type: "metric" | "bar" | "line" | "area" | "pie" | "table" | "list";
  entity: string;
  value: string;
  filter: string;
  by: string | null;
  every: "day" | "week" | "month" | "quarter" | "year" | null;
  compare: string | null;
  columns: string[];
  sort: string[];
  limit: number;
  width: number;
  title: Titles;
}

export interface Dashboard {
  title: Titles;
  widgets: Widget[];
}

/** What is asked of who wants a report. */
export interface Parameter extends Omit<JsonSchema, "title"> {
  title?: Titles;
  /** One of whose rows is chosen. */
  references?: string;
}

export interface Report {
  title: Titles;
  entity: string;
  params: Record<string, Parameter>;
  filter: string;
  group_by: string[];
  columns: string[];
  sort: string[];
  limit: number | null;
  schedule: { cron: string; zone: string | null } | null;
  format: string;
}

export interface Schema {
  service: string;
  title: Titles;
  version: number;
  languages: string[];
  timezone: string;
  currency: string | null;
  base: string;
  branding: { color: string; logo: string; icon: string; theme: "auto" | "light" | "dark"; name: Titles };
  roles: Record<string, { title: Titles; inherits: string[] }>;
  entities: Record<string, Entity>;
  dashboards: Record<string, Dashboard>;
  reports: Record<string, Report>;
  functions: Record<string, { title: Titles; args: JsonSchema | null; read_only: boolean }>;
}
