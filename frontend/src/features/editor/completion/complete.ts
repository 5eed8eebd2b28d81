/** What may be written at a position of a workflow document. */
import { camel, canonical } from "../model/document";

import { requiredOf, schemasAt, type SchemaNode } from "./schema-walk";
import { ITEM, namesIn, spotAt, type Spot, type Step } from "./yaml-path";

export interface Choice {
  label: string;
  /** What is written; the label itself when absent. */
  apply?: string;
  detail?: string;
  info?: string;
  kind: "property" | "enum" | "agent" | "task" | "model" | "tool";
  /** Higher ones come first. */
  boost: number;
}

/** Names that only the server knows. */
export interface Known {
  models: string[];
  embedders: string[];
  tools: string[];
}

export interface Completion {
  from: number;
  choices: Choice[];
}

const FOLDED = new Set(["crew", "workflow", "settings"]);

export function complete(
  text: string,
  position: number,
  schema: SchemaNode,
  known: Known,
): Completion | null {
  const spot = spotAt(text, position);
  if (spot.kind === "text") return null;
  const nodes = schemasAt(schema, spot.path);
  const values = valuesFor(text, spot, nodes, known);
  const keys = spot.kind === "key" ? keysFor(text, position, spot, nodes) : [];
  const choices = [...keys, ...values].filter((choice) => !spot.present.includes(choice.label));
  return choices.length > 0 ? { from: spot.from, choices } : null;
}

function keysFor(text: string, position: number, spot: Spot, nodes: SchemaNode[]): Choice[] {
  const there = new Set(spot.present.map(canonical));
  const needed = new Set(nodes.flatMap(requiredOf).map(canonical));
  const humps = /^\s*(?:- )?[a-z]+[A-Z]\w*:/m.test(text);
  const properties = new Map(nodes.flatMap((node) => Object.entries(node.properties ?? {})));
  return [...properties]
    .filter(([key]) => {
      const shown = spelling(canonical(key), humps);
      return (key === shown || !properties.has(shown)) && !FOLDED.has(key);
    })
    .filter(([key]) => !there.has(canonical(key)))
    .map(([key, node]) => keyChoice(key, node, needed.has(canonical(key)), text, position));
}

/** One spelling for each key: the document's own. */
function spelling(key: string, humps: boolean): string {
  if (!humps) return key;
  return { llm: "model", manager_llm: "managerModel" }[key] ?? camel(key);
}

function keyChoice(
  key: string,
  node: SchemaNode,
  needed: boolean,
  text: string,
  position: number,
): Choice {
  const hasColon = /^\s*:/.test(text.slice(position));
  return {
    label: key,
    apply: hasColon ? key : `${key}:${holdsMembers(key) ? "" : " "}`,
    detail: needed ? "required" : undefined,
    info: node.description,
    kind: "property",
    boost: needed ? 2 : 0,
  };
}

function holdsMembers(key: string): boolean {
  return ["agents", "tasks", "inputs", "budget"].includes(key);
}

function valuesFor(text: string, spot: Spot, nodes: SchemaNode[], known: Known): Choice[] {
  const named = namesFor(text, spot, known);
  if (named) return named;
  const fits = (type: string) => nodes.some((node) => node.type === type);
  if (spot.kind === "key" && fits("object")) return [];
  const listed = nodes.flatMap((node) => node.enum ?? []).map(String);
  const flags = fits("boolean") ? ["true", "false"] : [];
  return [...new Set([...listed, ...flags])].map((label) => ({ label, kind: "enum", boost: 1 }));
}

/** Names of things: of this document, or registered at the server. */
function namesFor(text: string, { kind, path }: Spot, known: Known): Choice[] | null {
  const last = path.findLast((step): step is string => typeof step === "string") ?? "";
  const inList = path.at(-1) === ITEM;
  const choices = (names: string[], of: Choice["kind"]) =>
    names.map((label) => ({ label, kind: of, boost: 1, detail: of }));
  switch (`${canonical(last)}${inList ? "[]" : ""}`) {
    case "agent":
    case "manager_agent":
      return choices(namesIn(text, "agents"), "agent");
    case "context[]":
      return choices(earlierTasks(text, path), "task");
    case "llm":
    case "manager_llm":
      return kind === "key" ? null : choices(known.models, "model");
    case "embedder":
      return choices(known.embedders, "model");
    case "tools[]":
      return choices(known.tools, "tool");
    default:
      return null;
  }
}

/** Tasks that come before this one, as far as the path names it. */
function earlierTasks(text: string, path: Step[]): string[] {
  const names = namesIn(text, "tasks");
  const owner = path.find((step, index) => path[index - 1] === "tasks" && step !== ITEM);
  const at = names.indexOf(String(owner));
  return at === -1 ? names : names.slice(0, at);
}
