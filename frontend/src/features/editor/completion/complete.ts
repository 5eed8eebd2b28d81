import { canonicalKey, toCamelCase } from "../model/parse-workflow";

import {
  ITEM,
  listMemberNames,
  locateCursor,
  type CursorLocation,
  type Step,
} from "./cursor-location";
import {
  expandBranches,
  findReference,
  findSchemas,
  hasType,
  listRequiredKeys,
  listValues,
  type Reference,
  type SchemaNode,
} from "./workflow-schema";

export interface CompletionItem {
  label: string;
  /** The text to insert; the label when absent. */
  apply?: string;
  detail?: string;
  info?: string;
  kind: "property" | "value" | Reference;
  /** Items with a higher boost come first. */
  boost: number;
}

/** Names that are registered on the server. */
export interface RegisteredNames {
  models: string[];
  embedders: string[];
}

export interface Completion {
  from: number;
  items: CompletionItem[];
}

/** Keys that only wrap others; they are understood but not offered. */
const WRAPPERS = new Set(["crew", "workflow", "settings"]);

/** Completes the key or value at a position of a workflow document. */
export function complete(
  text: string,
  position: number,
  schema: SchemaNode,
  registered: RegisteredNames,
): Completion | null {
  const location = locateCursor(text, position);
  if (location.kind === "text") return null;
  const nodes = findSchemas(schema, location.path);
  const values = completeValue(text, location, schema, nodes, registered);
  const keys = location.kind === "key" ? completeKey(text, position, location, schema, nodes) : [];
  const items = [...keys, ...values].filter((item) => !location.present.includes(item.label));
  return items.length > 0 ? { from: location.from, items } : null;
}

function completeKey(
  text: string,
  position: number,
  location: CursorLocation,
  schema: SchemaNode,
  nodes: SchemaNode[],
): CompletionItem[] {
  const present = new Set(location.present.map(canonicalKey));
  const required = new Set(nodes.flatMap(listRequiredKeys).map(canonicalKey));
  const isCamelCase = /^\s*(?:- )?[a-z]+[A-Z]\w*:/m.test(text);
  const hasColon = /^\s*:/.test(text.slice(position));
  const properties = new Map(nodes.flatMap((node) => Object.entries(node.properties ?? {})));
  return [...properties]
    .filter(([key]) => {
      const preferred = spellKey(canonicalKey(key), isCamelCase);
      const isPreferred = key === preferred || !properties.has(preferred);
      return isPreferred && !WRAPPERS.has(key) && !present.has(canonicalKey(key));
    })
    .map(([key, node]) => {
      const isRequired = required.has(canonicalKey(key));
      const space = isMappingOnly(expandBranches(schema, node)) ? "" : " ";
      return {
        label: key,
        apply: hasColon ? key : `${key}:${space}`,
        detail: isRequired ? "required" : undefined,
        info: node.description,
        kind: "property" as const,
        boost: isRequired ? 2 : 0,
      };
    });
}

/** The spelling of a key that fits the document's other keys. */
function spellKey(key: string, isCamelCase: boolean): string {
  if (!isCamelCase) return key;
  return { llm: "model", manager_llm: "managerModel" }[key] ?? toCamelCase(key);
}

function isMappingOnly(nodes: SchemaNode[]): boolean {
  const scalars = ["string", "number", "integer", "boolean"];
  return hasType(nodes, "object") && !scalars.some((type) => hasType(nodes, type));
}

function completeValue(
  text: string,
  { kind, path }: CursorLocation,
  schema: SchemaNode,
  nodes: SchemaNode[],
  registered: RegisteredNames,
): CompletionItem[] {
  if (kind === "key" && hasType(nodes, "object")) return [];
  const reference = findReference(schema, path);
  const names = reference ? listNames(text, path, reference, registered) : undefined;
  if (reference && names) {
    return names.map((label) => ({ label, kind: reference, boost: 1, detail: reference }));
  }
  const flags = hasType(nodes, "boolean") ? ["true", "false"] : [];
  const itemKind = reference ?? "value";
  return [...new Set([...listValues(nodes), ...flags])].map((label) => ({
    label,
    kind: itemKind,
    boost: 1,
    detail: reference,
  }));
}

/** Names of the document, or registered on the server; undefined when the schema lists them. */
function listNames(
  text: string,
  path: Step[],
  reference: Reference,
  registered: RegisteredNames,
): string[] | undefined {
  switch (reference) {
    case "agent":
      return listMemberNames(text, "agents");
    case "task":
      return listEarlierTasks(text, path);
    case "model":
      return registered.models;
    case "embedder":
      return registered.embedders;
    case "tool":
    case "mcp-server":
      return undefined;
  }
}

/** The tasks before the one at the path; all tasks when the path does not name one. */
function listEarlierTasks(text: string, path: Step[]): string[] {
  const names = listMemberNames(text, "tasks");
  const task = path.find((step, index) => path[index - 1] === "tasks" && step !== ITEM);
  const index = names.indexOf(String(task));
  return index === -1 ? names : names.slice(0, index);
}
