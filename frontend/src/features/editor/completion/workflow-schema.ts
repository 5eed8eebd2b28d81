import { queryOptions } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";

import { ITEM, type Step } from "./cursor-location";

/** What the value of a key refers to by name. */
export type Reference = "agent" | "task" | "model" | "embedder" | "tool" | "mcp-server";

/** The parts of the server's JSON Schema that the editor reads. */
export interface SchemaNode {
  $ref?: string;
  $defs?: Record<string, SchemaNode>;
  type?: string | string[];
  title?: string;
  description?: string;
  enum?: unknown[];
  examples?: unknown[];
  maxLength?: number;
  properties?: Record<string, SchemaNode>;
  required?: string[];
  additionalProperties?: boolean | SchemaNode;
  items?: SchemaNode;
  anyOf?: SchemaNode[];
  allOf?: SchemaNode[];
  then?: SchemaNode;
  else?: SchemaNode;
  "x-form"?: boolean;
  "x-reference"?: Reference;
}

/** The JSON Schema of a workflow document. */
export const schemaQuery = () =>
  queryOptions({
    queryKey: ["yaml", "schema"] as const,
    queryFn: async ({ signal }) =>
      body(await api.GET("/api/v1/yaml/schema", { signal })) as unknown as SchemaNode,
    staleTime: Infinity,
  });

/** Every schema that may apply to the value at a path. */
export function findSchemas(root: SchemaNode, path: Step[]): SchemaNode[] {
  return path
    .reduce<SchemaNode[]>(
      (found, step) => {
        const nodes = found.flatMap((node) => expandBranches(root, node));
        return step === ITEM ? nodes.flatMap((node) => node.items ?? []) : findValues(nodes, step);
      },
      [root],
    )
    .flatMap((node) => expandBranches(root, node));
}

/** The schemas of a key at a path, before their branches are expanded: they carry the annotations. */
function findProperties(root: SchemaNode, path: Step[]): SchemaNode[] {
  const last = path.at(-1);
  if (typeof last !== "string") return [];
  return findSchemas(root, path.slice(0, -1)).flatMap((node) => node.properties?.[last] ?? []);
}

/** The description of the key at a path. */
export function findDescription(root: SchemaNode, path: Step[]): string | undefined {
  return findProperties(root, path).find((node) => node.description)?.description;
}

/** What the value at a path, or an item of the list at a path, refers to. */
export function findReference(root: SchemaNode, path: Step[]): Reference | undefined {
  const keyPath = path.at(-1) === ITEM ? path.slice(0, -1) : path;
  return findProperties(root, keyPath).find((node) => node["x-reference"])?.["x-reference"];
}

/** The schemas of a key's value: named properties first, `additionalProperties` for any other key. */
function findValues(nodes: SchemaNode[], key: string): SchemaNode[] {
  const named = nodes.flatMap((node) => node.properties?.[key] ?? []);
  if (named.length > 0) return named;
  return nodes.flatMap((node) =>
    typeof node.additionalProperties === "object" ? node.additionalProperties : [],
  );
}

/** A schema with everything that it refers to or offers as an alternative. */
export function expandBranches(root: SchemaNode, node: SchemaNode): SchemaNode[] {
  const target = node.$ref ? root.$defs?.[node.$ref.replace("#/$defs/", "")] : undefined;
  const branches = [target, ...(node.anyOf ?? []), node.then, node.else];
  return [
    node,
    ...branches.filter((one) => one !== undefined).flatMap((one) => expandBranches(root, one)),
  ];
}

export function hasType(nodes: SchemaNode[], type: string): boolean {
  return nodes.some((node) => node.type === type);
}

/** The values that schemas list: an enumeration, or examples. */
export function listValues(nodes: SchemaNode[]): string[] {
  return nodes.flatMap((node) => [...(node.enum ?? []), ...(node.examples ?? [])]).map(String);
}

/** The keys that a mapping must have; of keys with several spellings, all spellings. */
export function listRequiredKeys(node: SchemaNode): string[] {
  const clauses = (node.allOf ?? []).flatMap((clause) => clause.anyOf ?? []);
  const alternatives = (node.anyOf ?? []).slice(0, 1);
  return [
    ...(node.required ?? []),
    ...[...clauses, ...alternatives].flatMap((one) => one.required ?? []),
  ];
}
