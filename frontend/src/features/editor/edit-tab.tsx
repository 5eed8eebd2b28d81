import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useMemo, type ReactNode } from "react";

import { Allowed } from "@/components/allowed";
import { Page } from "@/components/page";
import { useMediaQuery } from "@/hooks/use-media-query";
import type { Workflow } from "@/lib/api/types";
import { usePreference } from "@/lib/preferences";
import { modelsQuery } from "@/lib/queries/models";
import { useCan } from "@/lib/rights";

import { schemaQuery } from "./completion/workflow-schema";
import { DraftAlert } from "./draft/draft-alert";
import { UnsavedChangesGuard } from "./draft/unsaved-changes-guard";
import { useDraft } from "./draft/use-draft";
import { useSaveDraft } from "./draft/use-save-draft";
import { ViewSwitch, type View } from "./graph/view-switch";
import { preloadPanes, Workspace } from "./graph/workspace";
import { explainRunDisabled, explainSaveDisabled } from "./header/disabled-reasons";
import { EditorHeading } from "./header/editor-heading";
import { RunLink } from "./header/run-link";
import { SaveButton } from "./header/save-button";
import { WorkflowActionsMenu } from "./header/workflow-actions-menu";
import { useValidation } from "./model/use-validation";
import type { EditorContext } from "./yaml/editor-extensions";

const ConflictDialog = lazy(async () => ({
  default: (await import("./draft/conflict-dialog")).ConflictDialog,
}));

const route = getRouteApi("/shell/workflows/$workflowId");
/** Below this width two panes do not fit. */
const NARROW = "(width < 56rem)";

/** The editor: text, graph and form of the draft. */
export function EditTab({ workflow, tabs }: { workflow: Workflow; tabs: ReactNode }) {
  const draft = useDraft(workflow);
  const validation = useValidation(draft.text);
  const saving = useSaveDraft(workflow, draft);
  const schema = useQuery(schemaQuery());
  const context = useEditorContext(schema.data);
  const isNarrow = useMediaQuery(NARROW);
  const canEdit = useCan("workflows:write");
  const [chosenView, setView] = useView();
  const view = canEdit || chosenView !== "form" ? chosenView : "split";
  const { definition, errorCount } = validation;
  const name = definition?.name.trim() ? definition.name : workflow.name;
  const { isChanged } = draft;
  return (
    <Page
      fill
      title={workflow.name}
      className="gap-3 pb-3 sm:pb-4"
      heading={<EditorHeading {...{ name, workflow, isChanged, validation }} />}
      actions={
        <>
          <Allowed scope="runs:write">
            <RunLink
              workflow={workflow}
              disabledReason={explainRunDisabled(isChanged, errorCount)}
            />
          </Allowed>
          <Allowed scope="workflows:write">
            <SaveButton
              disabledReason={explainSaveDisabled(isChanged, errorCount)}
              isSaving={saving.isSaving}
              onSave={(note) => saving.save(draft.base, note)}
            />
          </Allowed>
          <WorkflowActionsMenu workflow={workflow} text={draft.text} onDeleted={draft.discard} />
        </>
      }
    >
      <div className="flex flex-wrap items-end justify-between gap-2 border-b">
        {tabs}
        <div className="pb-1.5">
          <ViewSwitch view={view} isNarrow={isNarrow} canEdit={canEdit} onChange={setView} />
        </div>
      </div>
      <DraftAlert
        isRestored={draft.isRestored}
        isOutdated={draft.isOutdated}
        error={saving.error}
        onDiscard={draft.discard}
        onCompare={saving.openConflict}
      />
      <Workspace
        view={view}
        isNarrow={isNarrow}
        isReadOnly={!canEdit}
        text={draft.text}
        validation={validation}
        context={context}
        schemaError={schema.error}
        onSchemaRetry={() => void schema.refetch()}
        onText={draft.setText}
        onView={setView}
      />
      <UnsavedChangesGuard isChanged={isChanged} onDiscard={draft.discard} />
      {saving.isConflictOpen && (
        <Suspense>
          <ConflictDialog
            workflowId={workflow.id}
            mine={draft.text}
            base={draft.base}
            isSaving={saving.isSaving}
            error={saving.error}
            onClose={saving.closeConflict}
            onKeepMine={saving.keepMine}
            onTakeTheirs={saving.takeTheirs}
          />
        </Suspense>
      )}
    </Page>
  );
}

/** Loads the code of the panes while the workflow is being fetched. */
export function usePreloadedPanes(enabled: boolean): void {
  const [view] = useView();
  const isNarrow = useMediaQuery(NARROW);
  useEffect(() => {
    if (enabled) preloadPanes(view, isNarrow);
  }, [enabled, view, isNarrow]);
}

/** The view of the URL; the last one is remembered for other workflows. */
function useView(): [View, (view: View) => void] {
  const viewInUrl = route.useSearch({ select: (search) => search.view });
  const [lastView, setLastView] = usePreference("workflowView");
  const navigate = route.useNavigate();
  const setView = (view: View) => {
    setLastView(view);
    void navigate({ search: (search) => ({ ...search, view }), replace: true, resetScroll: false });
  };
  return [viewInUrl ?? lastView, setView];
}

function useEditorContext(schema: EditorContext["schema"]): EditorContext {
  const { data: models } = useQuery(modelsQuery());
  return useMemo(() => {
    const listNames = (type: string) =>
      (models ?? []).filter((model) => model.type === type).map((model) => model.name);
    return {
      schema,
      registered: { models: listNames("llm"), embedders: listNames("embedder") },
    };
  }, [schema, models]);
}
