import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";

import { api, body } from "@/lib/api/client";
import type { WorkflowDefinition } from "@/lib/api/types";

import type { SchemaNode } from "../completion/schema-walk";

import { check, type Checked } from "./check";
import { merged, placed, type EditorProblem } from "./problems";
import { schemaCheck } from "./schema-check";
import { useLater } from "./use-later";

const PAUSE_MS = 200;
const SERVER_PAUSE_MS = 600;
/** Beyond so many lines a check takes long enough to be felt while typing. */
const LONG_LINES = 400;

/** What a document may hold; the browser keeps it by its ETag and only asks whether it is still the newest. */
export const schemaQuery = () =>
  queryOptions({
    queryKey: ["yaml", "schema"] as const,
    queryFn: async ({ signal }) =>
      body(await api.GET("/api/v1/yaml/schema", { signal })) as unknown as SchemaNode &
        Record<string, unknown>,
    staleTime: Infinity,
  });

const reportQuery = (text: string) =>
  queryOptions({
    queryKey: ["yaml", "validate", text] as const,
    queryFn: async ({ signal }) => {
      const report = body(
        await api.POST("/api/v1/yaml/validate", { body: { yamlContent: text }, signal }),
      );
      return { text, problems: placed([...report.problems, ...report.warnings], text) };
    },
    staleTime: 30_000,
    gcTime: 60_000,
  });

export interface Judgement {
  problems: EditorProblem[];
  errors: number;
  /** Of the text as it stands, or of the last one that could be drawn. */
  definition: WorkflowDefinition | null;
  /** The definition is older than the text. */
  stale: boolean;
  places: Checked["places"];
  /** The server has judged this very text. */
  judged: boolean;
  /** The server could not be asked. */
  unasked: boolean;
}

/** Judges a text: this browser at once, the server after a pause. */
export function useJudgement(text: string): Judgement {
  const { checked, drawn } = useChecked(text);
  const settled = useLater(text, SERVER_PAUSE_MS);
  const report = useQuery({ ...reportQuery(settled), placeholderData: keepPreviousData });
  const server = report.data ?? null;
  const problems = useMemo(
    () => merged(checked.text === text ? checked.problems : [], server, text),
    [checked, server, text],
  );
  return {
    problems,
    errors: problems.filter((problem) => problem.severity === "error").length,
    definition: drawn,
    stale: checked.definition === null,
    places: checked.places,
    judged: server?.text === text,
    unasked: report.isError,
  };
}

function useChecked(text: string): { checked: Checked; drawn: WorkflowDefinition | null } {
  const { data: schema } = useQuery(schemaQuery());
  const bySchema = useMemo(() => (schema ? schemaCheck(schema) : null), [schema]);
  const [checked, setChecked] = useState(() => check(text, null));
  const [drawn, setDrawn] = useState(checked.definition);
  useEffect(() => {
    let over = false;
    const take = (next: Checked) => {
      if (over) return;
      setChecked(next);
      if (next.definition) setDrawn(next.definition);
    };
    const timer = setTimeout(() => {
      if (isLong(text)) void besides(text, schema).then(take);
      else take(check(text, bySchema));
    }, PAUSE_MS);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [text, schema, bySchema]);
  return { checked, drawn };
}

function isLong(text: string): boolean {
  return text.split("\n", LONG_LINES + 1).length > LONG_LINES;
}

async function besides(
  text: string,
  schema: Record<string, unknown> | undefined,
): Promise<Checked> {
  const { checkBeside } = await import("./long-checks");
  return checkBeside(text, schema);
}
