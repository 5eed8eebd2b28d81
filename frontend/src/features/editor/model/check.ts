/** Everything this browser can tell about a text, as plain values: a worker may tell it too. */
import type { WorkflowDefinition } from "@/lib/api/types";

import { crossProblems } from "./cross-check";
import { definitionOf } from "./definition";
import { parse, spanOf, type Member, type Parsed, type Span } from "./document";
import type { EditorProblem } from "./problems";
import type { SchemaCheck } from "./schema-check";
import { aliasProblems, syntaxProblems } from "./syntax-check";

/** Where an agent or task stands: the name to jump to, and all that belongs to it. */
export interface Place {
  id: string;
  name: Span;
  whole: Span;
}

export interface Checked {
  text: string;
  problems: EditorProblem[];
  /** Null while the text cannot be drawn. */
  definition: WorkflowDefinition | null;
  places: Place[];
}

export function check(text: string, bySchema: SchemaCheck | null): Checked {
  const parsed = parse(text);
  return {
    text,
    problems: problemsOf(parsed, bySchema),
    definition: definitionOf(parsed),
    places: [...parsed.agents, ...parsed.tasks].map(placeOf),
  };
}

/** The agent or task in which a position stands. */
export function placeAt(places: Place[], position: number): Place | undefined {
  return places.find(({ whole }) => whole.from <= position && position < whole.to);
}

function problemsOf(parsed: Parsed, bySchema: SchemaCheck | null): EditorProblem[] {
  if (!parsed.text.trim()) return [empty()];
  const syntax = [...syntaxProblems(parsed), ...aliasProblems(parsed)];
  if (syntax.length > 0) return syntax;
  const schema = bySchema ? judged(parsed, bySchema) : [];
  const cross = crossProblems(parsed);
  return [...schema, ...cross].toSorted((one, two) => one.from - two.from);
}

/** A document that the check itself cannot bear is left to the server, never lost. */
function judged(parsed: Parsed, bySchema: SchemaCheck): EditorProblem[] {
  try {
    return bySchema(parsed);
  } catch {
    return [];
  }
}

function placeOf(member: Member): Place {
  return {
    id: `${member.kind}:${member.key}`,
    name: spanOf(member.name),
    whole: member.span,
  };
}

function empty(): EditorProblem {
  return {
    from: 0,
    to: 0,
    line: 1,
    message: "The document is empty. Begin with `name:`.",
    code: "empty-document",
    severity: "error",
    source: "browser",
  };
}
