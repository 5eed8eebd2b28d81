/** Finds what a JSON Schema says about a place of a document. */
import { ITEM, type Step } from "./yaml-path";

export interface SchemaNode {
  $ref?: string;
  $defs?: Record<string, SchemaNode>;
  type?: string | string[];
  description?: string;
  enum?: unknown[];
  properties?: Record<string, SchemaNode>;
  required?: string[];
  additionalProperties?: boolean | SchemaNode;
  items?: SchemaNode;
  anyOf?: SchemaNode[];
  allOf?: SchemaNode[];
  then?: SchemaNode;
  else?: SchemaNode;
}

/** Every schema that may hold for the value at a path. */
export function schemasAt(root: SchemaNode, path: Step[]): SchemaNode[] {
  return path
    .reduce<SchemaNode[]>(
      (found, step) => {
        const nodes = found.flatMap((node) => branches(root, node));
        return step === ITEM ? nodes.flatMap((node) => node.items ?? []) : inKey(nodes, step);
      },
      [root],
    )
    .flatMap((node) => branches(root, node));
}

/** What the schema says a key is for. */
export function descriptionAt(root: SchemaNode, path: Step[]): string | undefined {
  const nodes = path.length > 0 ? schemasAt(root, path.slice(0, -1)) : [];
  const last = path.at(-1);
  if (typeof last !== "string") return undefined;
  return nodes.map((node) => node.properties?.[last]?.description).find(Boolean);
}

/** Named properties first; only where nobody knows the key any other may stand. */
function inKey(nodes: SchemaNode[], key: string): SchemaNode[] {
  const named = nodes.flatMap((node) => node.properties?.[key] ?? []);
  if (named.length > 0) return named;
  return nodes.flatMap((node) =>
    typeof node.additionalProperties === "object" ? node.additionalProperties : [],
  );
}

function branches(root: SchemaNode, node: SchemaNode): SchemaNode[] {
  const target = node.$ref ? root.$defs?.[node.$ref.replace("#/$defs/", "")] : undefined;
  const inner = [target, ...(node.anyOf ?? []), node.then, node.else];
  const deeper = inner.filter((one) => one !== undefined);
  return [node, ...deeper.flatMap((one) => branches(root, one))];
}

/** The names that a mapping cannot do without. */
export function requiredOf(node: SchemaNode): string[] {
  const clauses = (node.allOf ?? []).flatMap((clause) => clause.anyOf ?? []);
  const pair = (node.anyOf ?? []).slice(0, 1);
  return [...(node.required ?? []), ...[...clauses, ...pair].flatMap((one) => one.required ?? [])];
}
