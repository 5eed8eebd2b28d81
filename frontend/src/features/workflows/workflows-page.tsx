import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Plus, Upload, Workflow as WorkflowIcon } from "lucide-react";

import { Allowed } from "@/components/allowed";
import { EmptyState } from "@/components/empty-state";
import { ErrorPanel } from "@/components/error-panel";
import { ListSearch } from "@/components/list-search";
import { LoadMore } from "@/components/load-more";
import { Page } from "@/components/page";
import { Button } from "@/components/ui/button";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { WorkflowSummary } from "@/lib/api/types";
import { workflowsQuery } from "@/lib/queries/workflows";
import { hasEnded } from "@/lib/run-state";

import { useBlankWorkflow } from "./use-blank-workflow";
import { WorkflowList } from "./workflow-list";

const route = getRouteApi("/shell/workflows");

export function WorkflowsPage() {
  const { q = "" } = route.useSearch();
  const list = useInfiniteQuery({
    ...workflowsQuery(q),
    placeholderData: keepPreviousData,
    refetchInterval: (query) => (query.state.data?.pages.some(hasActiveRun) ? 3_000 : 30_000),
  });
  const workflows = list.data?.pages.flatMap((page) => page.workflows) ?? [];
  const isEmpty = list.isSuccess && workflows.length === 0;
  return (
    <Page
      title="Workflows"
      actions={
        <Allowed scope="workflows:write">
          <Button asChild variant="primary">
            <Link to="/workflows/new">
              <Plus aria-hidden />
              New workflow
            </Link>
          </Button>
        </Allowed>
      }
    >
      {!(isEmpty && !q) && <ListSearch to="/workflows" label="Search workflows" q={q} />}
      {list.isPending ? (
        <SkeletonRows className="rounded-lg border bg-surface" />
      ) : list.isError && workflows.length === 0 ? (
        <ErrorPanel error={list.error} onRetry={() => list.refetch()} />
      ) : isEmpty ? (
        q ? (
          <NoResults q={q} />
        ) : (
          <NoWorkflows />
        )
      ) : (
        <WorkflowList workflows={workflows} />
      )}
      {list.hasNextPage && (
        <LoadMore isLoading={list.isFetchingNextPage} onLoad={() => void list.fetchNextPage()}>
          More workflows
        </LoadMore>
      )}
      {list.isFetchNextPageError && (
        <ErrorPanel error={list.error} onRetry={() => list.fetchNextPage()} />
      )}
    </Page>
  );
}

function hasActiveRun(page: { workflows: WorkflowSummary[] }): boolean {
  return page.workflows.some(({ lastRun }) => lastRun && !hasEnded(lastRun.status));
}

function NoResults({ q }: { q: string }) {
  return (
    <EmptyState
      icon={WorkflowIcon}
      title={`No workflows match “${q}”`}
      actions={
        <Button asChild>
          <Link to="/workflows">Clear search</Link>
        </Button>
      }
    />
  );
}

function NoWorkflows() {
  const blank = useBlankWorkflow();
  return (
    <>
      <EmptyState
        icon={WorkflowIcon}
        title="No workflows yet"
        actions={
          <Allowed scope="workflows:write">
            <Button asChild variant="primary">
              <Link to="/workflows/new">Browse templates</Link>
            </Button>
            <Button busy={blank.isPending} onClick={() => blank.mutate()}>
              Blank
            </Button>
            <Button asChild variant="ghost">
              <Link to="/workflows/new" search={{ import: true }}>
                <Upload aria-hidden />
                Import
              </Link>
            </Button>
          </Allowed>
        }
      >
        A workflow is a crew of agents and their tasks.
      </EmptyState>
      {blank.isError && <ErrorPanel error={blank.error} />}
    </>
  );
}
