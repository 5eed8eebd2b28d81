import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";

import { useDebounced } from "@/hooks/use-debounced";
import { api, body } from "@/lib/api/client";
import type { WorkflowDefinition } from "@/lib/api/types";

import { analyzeDocument, type MemberRange } from "./analyze-document";
import { locateProblems, selectProblems, type EditorProblem } from "./problems";

const PAUSE_MS = 200;
/** A server that has not answered by then counts as unavailable. */
const TIMEOUT_MS = 10_000;

const reportQuery = (text: string) =>
  queryOptions({
    queryKey: ["yaml", "validate", text] as const,
    queryFn: async ({ signal }) => {
      const report = body(
        await api.POST("/api/v1/yaml/validate", {
          body: { yamlContent: text },
          signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
        }),
      );
      return { text, problems: locateProblems([...report.problems, ...report.warnings], text) };
    },
    staleTime: 30_000,
    gcTime: 60_000,
  });

/**
 * `checking`: the server has not answered yet; `checked`: the problems are the server's report on this
 * very text; `unavailable`: the server could not be asked, so only the YAML syntax was checked.
 */
export type ValidationStatus = "checking" | "checked" | "unavailable";

export interface Validation {
  problems: EditorProblem[];
  errorCount: number;
  status: ValidationStatus;
  /** The definition of the text, or the last one that could be drawn. */
  definition: WorkflowDefinition | null;
  /** The definition is older than the text, which cannot be drawn. */
  isDefinitionStale: boolean;
  members: MemberRange[];
  retry: () => void;
}

/** Validates a text after a pause in typing: the YAML syntax in the browser, the rest on the server. */
export function useValidation(text: string): Validation {
  const debounced = useDebounced(text, PAUSE_MS);
  const analysis = useMemo(() => analyzeDocument(debounced), [debounced]);
  const [drawn, setDrawn] = useState(analysis.definition);
  if (analysis.definition && analysis.definition !== drawn) setDrawn(analysis.definition);

  const query = useQuery({ ...reportQuery(debounced), placeholderData: keepPreviousData });
  const isUnavailable = query.isError || query.fetchStatus === "paused";
  const report = isUnavailable ? null : (query.data ?? null);
  const problems = useMemo(
    () => selectProblems(debounced === text ? analysis.syntaxProblems : [], report, text),
    [analysis, debounced, report, text],
  );
  return {
    problems,
    errorCount: problems.filter((problem) => problem.severity === "error").length,
    status: isUnavailable ? "unavailable" : report?.text === text ? "checked" : "checking",
    definition: drawn,
    isDefinitionStale: analysis.definition === null,
    members: analysis.members,
    retry: () => void query.refetch(),
  };
}
