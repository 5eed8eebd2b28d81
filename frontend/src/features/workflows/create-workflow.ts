import { api, body } from "@/lib/api/client";
import { ApiProblem } from "@/lib/api/problem";
import type { Workflow, YamlProblem } from "@/lib/api/types";

import { renamed } from "./document-name";
import type { Source } from "./import-source";

const TRIES = 3;

/** Saves a document of ours as a new workflow; a taken name gets a number, for nobody chose that name. */
export async function createWorkflow(yaml: string, note?: string): Promise<Workflow> {
  let text = yaml;
  for (let tries = 1; ; tries += 1) {
    try {
      // One after the other: each try answers the refusal before.
      // oxlint-disable-next-line no-await-in-loop
      return body(await api.POST("/api/v1/workflows", { body: { workflow: { yaml: text, note } } }))
        .workflow;
    } catch (error) {
      const free = freeName(error);
      if (!free || tries === TRIES) throw error;
      // oxlint-disable-next-line no-await-in-loop
      text = await renamed(text, free);
    }
  }
}

/** A name that is free, when a name was refused because it is taken. */
export function freeName(error: unknown): string | null {
  const taken = error instanceof ApiProblem && error.slug === "workflow-name-taken";
  const { suggestion } = taken ? error.extra : {};
  return typeof suggestion === "string" ? suggestion : null;
}

/** The workflow that has the refused name. */
export function nameOwner(error: unknown): string | null {
  const owner = error instanceof ApiProblem ? error.extra["workflowId"] : null;
  return typeof owner === "string" ? owner : null;
}

/** What is wrong inside a refused document, with lines; empty when the refusal is about something else. */
export function documentProblems(error: unknown): YamlProblem[] {
  const problems = error instanceof ApiProblem ? error.extra["problems"] : null;
  return Array.isArray(problems) ? (problems as YamlProblem[]) : [];
}

/** Makes a workflow of what was pasted, dropped or chosen. */
export async function importWorkflow(source: Source) {
  if (source.kind === "archive") return importArchive(source.file);
  const given =
    source.kind === "document"
      ? { yaml: source.text }
      : {
          agentsYaml: source.agents?.text,
          tasksYaml: source.tasks?.text,
          name: source.name.trim() || undefined,
        };
  return body(await api.POST("/api/v1/workflows/import", { body: given }));
}

async function importArchive(file: File) {
  return body(
    await api.POST("/api/v1/workflows/import", {
      body: file as never,
      bodySerializer: (content: unknown) => content as Blob,
      headers: { "Content-Type": "application/zip" },
    }),
  );
}
