import { api, body } from "@/lib/api/client";
import { ApiProblem } from "@/lib/api/problem";
import type { Workflow } from "@/lib/api/types";

import { renderPair, renderValue } from "../form/render-yaml";
import { applyEdits, getContentEnd, getNodeStart } from "../form/text-edits";
import { findWorkflowField, getText, parseWorkflow } from "../model/parse-workflow";

/** Saves the text as a new workflow under a free name. */
export async function duplicateWorkflow(text: string): Promise<Workflow> {
  const name = `${getText(findWorkflowField(parseWorkflow(text).doc, "name")?.value) ?? "Workflow"} copy`;
  try {
    return await saveAsNewWorkflow(replaceName(text, name));
  } catch (error) {
    const suggestion =
      error instanceof ApiProblem && error.status === 409 && error.extra.suggestion;
    if (typeof suggestion !== "string") throw error;
    return await saveAsNewWorkflow(replaceName(text, suggestion));
  }
}

/** Replaces the name of the workflow in its document. */
export function replaceName(text: string, name: string): string {
  const pair = findWorkflowField(parseWorkflow(text).doc, "name");
  const options = { indent: 0, flow: false, before: pair?.value };
  if (!pair?.value) return `${renderPair("name", name, options)}\n${text}`;
  const from = getNodeStart(pair.value);
  const to = getContentEnd(pair.value, text);
  return applyEdits(text, [{ from, to, insert: renderValue(name, { ...options, flow: true }) }]);
}

async function saveAsNewWorkflow(yaml: string): Promise<Workflow> {
  const answer = await api.POST("/api/v1/workflows", { body: { workflow: { yaml, note: null } } });
  return body(answer).workflow;
}
