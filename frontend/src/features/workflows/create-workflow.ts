import { api, body } from "@/lib/api/client";
import { ApiProblem } from "@/lib/api/problem";
import type { Workflow, YamlProblem } from "@/lib/api/types";

import { renameDocument } from "./rename-document";
import type { Source } from "./import-source";

const MAX_ATTEMPTS = 3;

/** Saves a generated document as a new workflow, under a free name if its name is taken. */
export async function createWorkflow(yaml: string, note?: string): Promise<Workflow> {
  let text = yaml;
  for (let attempt = 1; ; attempt += 1) {
    try {
      // Sequential, because each attempt uses the name suggested by the previous error.
      // oxlint-disable-next-line no-await-in-loop
      return body(await api.POST("/api/v1/workflows", { body: { workflow: { yaml: text, note } } }))
        .workflow;
    } catch (error) {
      const name = getSuggestedName(error);
      if (!name || attempt === MAX_ATTEMPTS) throw error;
      // oxlint-disable-next-line no-await-in-loop
      text = await renameDocument(text, name);
    }
  }
}

/** The free name that the server suggests when a name is taken. */
export function getSuggestedName(error: unknown): string | null {
  const taken = error instanceof ApiProblem && error.slug === "workflow-name-taken";
  const { suggestion } = taken ? error.extra : {};
  return typeof suggestion === "string" ? suggestion : null;
}

/** The id of the workflow that has the taken name. */
export function getNameOwner(error: unknown): string | null {
  const owner = error instanceof ApiProblem ? error.extra["workflowId"] : null;
  return typeof owner === "string" ? owner : null;
}

/** The problems of a rejected document; empty when it was rejected for another reason. */
export function getDocumentProblems(error: unknown): YamlProblem[] {
  const problems = error instanceof ApiProblem ? error.extra["problems"] : null;
  return Array.isArray(problems) ? (problems as YamlProblem[]) : [];
}

/** Saves the chosen crews of a source as workflows; all crews if none is chosen. */
export async function importWorkflow(source: Source, crews: string[] = []) {
  const params = { query: crews.length > 0 ? { crew: crews } : {} };
  return body(await api.POST("/api/v1/workflows/import", { ...createRequest(source), params }));
}

/** What an import of the source would save and leave out. */
export async function previewImport(source: Source) {
  return body(await api.POST("/api/v1/workflows/import/preview", createRequest(source)));
}

function createRequest(source: Source) {
  if (source.kind === "archive") {
    return {
      body: source.file as never,
      bodySerializer: (content: unknown) => content as Blob,
      headers: { "Content-Type": "application/zip" },
    };
  }
  if (source.kind === "document") return { body: { yaml: source.text } };
  return {
    body: {
      agentsYaml: source.agents?.text,
      tasksYaml: source.tasks?.text,
      name: source.name.trim() || undefined,
    },
  };
}
