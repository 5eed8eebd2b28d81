import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";

import { workflowKeys } from "@/lib/queries/workflows";

import { importWorkflow, previewImport } from "./create-workflow";
import type { Source } from "./import-source";
import { needsNoReview } from "./import-summary";

interface Choice {
  source: Source;
  /** The crews to save; all of them if empty. */
  crews: string[];
  /** Whether the user has seen what is left out. */
  isReviewed: boolean;
}

/** Imports a source. A project is reviewed before it is saved, unless nothing of it is left out. */
export function useImport() {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const saving = useMutation({
    mutationFn: ({ source, crews }: Choice) => importWorkflow(source, crews),
    onSuccess: async ({ workflow, workflows, warnings }, { isReviewed }) => {
      await queryClient.invalidateQueries({ queryKey: workflowKeys.all, refetchType: "none" });
      if (workflows.length === 1 && (isReviewed || warnings.length === 0))
        await navigate({ to: "/workflows/$workflowId", params: { workflowId: workflow.id } });
    },
  });
  const previewing = useMutation({
    mutationFn: previewImport,
    onSuccess: (preview, source) => {
      if (needsNoReview(preview)) saving.mutate({ source, crews: [], isReviewed: false });
    },
  });
  const { data: preview } = previewing;
  const { data: result, variables } = saving;
  const isOpened = result?.workflows.length === 1 && variables?.isReviewed;
  return {
    preview: preview && !needsNoReview(preview) ? preview : undefined,
    result:
      result && (result.warnings.length > 0 || result.workflows.length > 1) && !isOpened
        ? result
        : undefined,
    error: previewing.error ?? saving.error,
    isBusy: previewing.isPending || saving.isPending,
    start: (source: Source) => {
      saving.reset();
      if (source.kind === "document") saving.mutate({ source, crews: [], isReviewed: false });
      else previewing.mutate(source);
    },
    save: (source: Source, crews: string[]) => saving.mutate({ source, crews, isReviewed: true }),
    reset: () => {
      previewing.reset();
      saving.reset();
    },
  };
}
