import { api, body } from "@/lib/api/client";
import { ApiProblem } from "@/lib/api/problem";
import type { Workflow } from "@/lib/api/types";

import { renderPair, renderValue } from "../form/render";
import { contentEnd, spliced, startOfNode } from "../form/splice";
import { crewField, parse, wordOf } from "../model/document";

/** Saves the text as another workflow, under a name that is free. */
export async function duplicate(text: string): Promise<Workflow> {
  const name = `${wordOf(crewField(parse(text).doc, "name")?.value) ?? "Workflow"} copy`;
  try {
    return await created(withName(text, name));
  } catch (error) {
    const free = error instanceof ApiProblem && error.status === 409 && error.extra.suggestion;
    if (typeof free !== "string") throw error;
    return await created(withName(text, free));
  }
}

/** The same document under another name; its comments stay. */
export function withName(text: string, name: string): string {
  const pair = crewField(parse(text).doc, "name");
  const setting = { indent: 0, flow: false, before: pair?.value };
  if (!pair?.value) return `${renderPair("name", name, setting)}\n${text}`;
  const from = startOfNode(pair.value);
  const to = contentEnd(pair.value, text);
  return spliced(text, [{ from, to, put: renderValue(name, { ...setting, flow: true }) }]);
}

async function created(yaml: string): Promise<Workflow> {
  const answer = await api.POST("/api/v1/workflows", { body: { workflow: { yaml, note: null } } });
  return body(answer).workflow;
}
