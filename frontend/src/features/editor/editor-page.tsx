import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Page } from "@/components/page";
import { PanelBoundary } from "@/components/panel-boundary";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { Workflow } from "@/lib/api/types";
import { workflowQuery } from "@/lib/queries/workflows";

import { EditTab, usePreloadedPanes } from "./edit-tab";
import { PageTabs } from "./header/page-tabs";

const RunsTab = lazy(async () => ({ default: (await import("./tabs/runs-tab")).RunsTab }));
const VersionsTab = lazy(async () => ({
  default: (await import("./tabs/versions-tab")).VersionsTab,
}));
const KnowledgeTab = lazy(async () => ({
  default: (await import("./tabs/knowledge-tab")).KnowledgeTab,
}));
const MemoryTab = lazy(async () => ({ default: (await import("./tabs/memory-tab")).MemoryTab }));

/** The tabs beside the editor. */
const TABS = {
  runs: RunsTab,
  versions: VersionsTab,
  knowledge: KnowledgeTab,
  memory: MemoryTab,
} as const;

const route = getRouteApi("/shell/workflows/$workflowId");

/** A workflow with its editor, its knowledge and memory, its runs and its versions. */
export function EditorPage() {
  const { workflowId } = route.useParams();
  const tab = route.useSearch({ select: (search) => search.tab });
  const { data: workflow, error, refetch } = useQuery(workflowQuery(workflowId));
  const other = tab !== undefined && tab !== "edit" ? tab : null;
  usePreloadedPanes(other === null);
  if (!workflow) {
    return (
      <Page title="Workflow">
        {error ? <ErrorPanel error={error} onRetry={() => void refetch()} /> : <SkeletonRows />}
      </Page>
    );
  }
  const tabs = <PageTabs workflowId={workflow.id} tab={tab} />;
  if (other) return <OtherTab key={workflow.id} workflow={workflow} tab={other} tabs={tabs} />;
  return <EditTab key={workflow.id} workflow={workflow} tabs={tabs} />;
}

interface OtherProps {
  workflow: Workflow;
  tab: keyof typeof TABS;
  tabs: React.ReactNode;
}

function OtherTab({ workflow, tab, tabs }: OtherProps) {
  const Tab = TABS[tab];
  return (
    <Page title={workflow.name}>
      <div className="border-b">{tabs}</div>
      <PanelBoundary>
        <Suspense fallback={<SkeletonRows />}>
          <Tab workflow={workflow} />
        </Suspense>
      </PanelBoundary>
    </Page>
  );
}
