import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useMemo, type ReactNode } from "react";

import { Page } from "@/components/page";
import { useMediaQuery } from "@/hooks/use-media-query";
import type { Workflow } from "@/lib/api/types";
import { usePreference } from "@/lib/preferences";
import { modelsQuery } from "@/lib/queries/models";

import { KNOWN_TOOLS } from "./completion/known-tools";
import { DraftNotes } from "./draft/draft-notes";
import { LeaveGuard } from "./draft/leave-guard";
import { useDraft } from "./draft/use-draft";
import { useSaving } from "./draft/use-saving";
import { ViewSwitch, type View } from "./graph/view-switch";
import { fetchPanes, Workspace } from "./graph/workspace";
import { ActionsMenu } from "./header/actions-menu";
import { Heading, runReason, RunLink, saveReason } from "./header/editor-header";
import { SaveButton } from "./header/save-button";
import { schemaQuery, useJudgement } from "./model/use-checked";
import type { Learned } from "./yaml/extensions";

const ConflictDialog = lazy(async () => ({
  default: (await import("./draft/conflict-dialog")).ConflictDialog,
}));

const route = getRouteApi("/shell/workflows/$workflowId");
/** Two panes need more width than a phone or a small window has. */
const NARROW = "(width < 56rem)";

/** The editor itself: text, graph and form of one draft. */
export function EditTab({ workflow, tabs }: { workflow: Workflow; tabs: ReactNode }) {
  const draft = useDraft(workflow);
  const judgement = useJudgement(draft.text);
  const saving = useSaving(workflow, draft);
  const learned = useLearned();
  const narrow = useMediaQuery(NARROW);
  const [view, setView] = useView();
  const name = judgement.definition?.name.trim() ? judgement.definition.name : workflow.name;
  const { changed } = draft;
  return (
    <Page
      fill
      title={workflow.name}
      className="gap-3 pb-3 sm:pb-4"
      heading={<Heading name={name} workflow={workflow} changed={changed} judgement={judgement} />}
      actions={
        <>
          <RunLink workflow={workflow} reason={runReason(changed, judgement.errors)} />
          <SaveButton
            reason={saveReason(changed, judgement.errors)}
            busy={saving.busy}
            onSave={(note) => saving.save(draft.base, note)}
          />
          <ActionsMenu workflow={workflow} text={draft.text} onGone={draft.discard} />
        </>
      }
    >
      <div className="flex flex-wrap items-end justify-between gap-2 border-b">
        {tabs}
        <div className="pb-1.5">
          <ViewSwitch view={view} narrow={narrow} onChange={setView} />
        </div>
      </div>
      <DraftNotes
        restored={draft.restored}
        outdated={draft.outdated}
        error={saving.error}
        onDiscard={draft.discard}
        onCompare={saving.compare}
      />
      <Workspace
        view={view}
        narrow={narrow}
        text={draft.text}
        judgement={judgement}
        learned={learned}
        onText={draft.setText}
        onView={setView}
      />
      <LeaveGuard changed={changed} onDiscard={draft.discard} />
      {saving.comparing && (
        <Suspense>
          <ConflictDialog
            workflowId={workflow.id}
            mine={draft.text}
            base={draft.base}
            busy={saving.busy}
            error={saving.error}
            onClose={saving.decideLater}
            onKeepMine={saving.keepMine}
            onTakeTheirs={saving.takeTheirs}
          />
        </Suspense>
      )}
    </Page>
  );
}

/** The code of the panes and the workflow come side by side. */
export function useEarlyPanes(wanted: boolean): void {
  const [view] = useView();
  const narrow = useMediaQuery(NARROW);
  useEffect(() => {
    if (wanted) fetchPanes(view, narrow);
  }, [wanted, view, narrow]);
}

/** The view stands in the address; the last one chosen is remembered for other workflows. */
function useView(): [View, (view: View) => void] {
  const asked = route.useSearch({ select: (search) => search.view });
  const [remembered, remember] = usePreference("workflowView");
  const navigate = route.useNavigate();
  const show = (view: View) => {
    remember(view);
    void navigate({ search: (search) => ({ ...search, view }), replace: true, resetScroll: false });
  };
  return [asked ?? remembered, show];
}

/** What completion offers beyond the document itself. */
function useLearned(): Learned {
  const { data: schema } = useQuery(schemaQuery());
  const { data: models } = useQuery(modelsQuery());
  return useMemo(() => {
    const named = (type: string) =>
      (models ?? []).filter((model) => model.type === type).map((model) => model.name);
    return {
      schema,
      known: { models: named("llm"), embedders: named("embedder"), tools: KNOWN_TOOLS },
    };
  }, [schema, models]);
}
