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

const route = getRouteApi("/shell/workflows/$workflowId");

/** A workflow with its editor, its runs and its versions. */
export function EditorPage() {
  const { workflowId } = route.useParams();
  const tab = route.useSearch({ select: (search) => search.tab });
  const { data: workflow, error, refetch } = useQuery(workflowQuery(workflowId));
  usePreloadedPanes(tab !== "runs" && tab !== "versions");
  if (!workflow) {
    return (
      <Page title="Workflow">
        {error ? <ErrorPanel error={error} onRetry={() => void refetch()} /> : <SkeletonRows />}
      </Page>
    );
  }
  const tabs = <PageTabs workflowId={workflow.id} tab={tab} />;
  if (tab === "runs" || tab === "versions") {
    return <OtherTab key={workflow.id} workflow={workflow} tab={tab} tabs={tabs} />;
  }
  return <EditTab key={workflow.id} workflow={workflow} tabs={tabs} />;
}

interface OtherProps {
  workflow: Workflow;
  tab: "runs" | "versions";
  tabs: React.ReactNode;
}

function OtherTab({ workflow, tab, tabs }: OtherProps) {
  return (
    <Page title={workflow.name}>
      <div className="border-b">{tabs}</div>
      <PanelBoundary>
        <Suspense fallback={<SkeletonRows />}>
          {tab === "runs" ? <RunsTab workflow={workflow} /> : <VersionsTab workflow={workflow} />}
        </Suspense>
      </PanelBoundary>
    </Page>
  );
}
