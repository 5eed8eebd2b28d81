import {
  expandBranches,
  findSchemas,
  hasType,
  listRequiredKeys,
  listValues,
  type Reference,
  type SchemaNode,
} from "../completion/workflow-schema";
import { canonicalKey, type MemberKind } from "../model/parse-workflow";

export interface FormField {
  /** The YAML key in its canonical spelling. */
  name: string;
  label: string;
  hint?: string;
  required: boolean;
  /** `lines`: a list of texts, one per line. */
  control: "line" | "lines" | "prose" | "number" | "checkbox" | "select" | "checkboxes";
  reference?: Reference;
  /** The values that the schema lists. */
  values: string[];
}

/** A text that may be longer gets a control with several lines. */
const LINE_LENGTH = 500;

/** The fields of the form for an agent, a task or the workflow itself, in the schema's order. */
export function listFormFields(schema: SchemaNode, kind: MemberKind | "workflow"): FormField[] {
  const nodes = findSchemas(schema, kind === "workflow" ? [] : [`${kind}s`, "any"]);
  const required = new Set(nodes.flatMap(listRequiredKeys));
  return nodes
    .flatMap((node) => Object.entries(node.properties ?? {}))
    .filter(([name, node]) => node["x-form"] && canonicalKey(name) === name)
    .map(([name, node]) => {
      const branches = expandBranches(schema, node);
      const items = branches.flatMap((branch) =>
        branch.items ? expandBranches(schema, branch.items) : [],
      );
      return {
        name,
        label: node.title ?? name,
        hint: node.description?.replaceAll("`", ""),
        required: required.has(name),
        control: chooseControl(branches, items),
        reference: node["x-reference"],
        values: listValues([...branches, ...items]),
      };
    });
}

/** A list of names or of an enumeration is chosen from; examples alone do not limit a list of texts. */
function chooseControl(branches: SchemaNode[], items: SchemaNode[]): FormField["control"] {
  const hasChoices = [...branches, ...items].some((node) => node["x-reference"] ?? node.enum);
  if (hasType(branches, "array")) return hasChoices ? "checkboxes" : "lines";
  if (hasType(branches, "boolean")) return "checkbox";
  if (hasType(branches, "integer") || hasType(branches, "number")) return "number";
  if (branches.some((node) => node["x-reference"] || node.enum)) return "select";
  return branches.some((node) => (node.maxLength ?? 0) > LINE_LENGTH) ? "prose" : "line";
}
