import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { LoadMore } from "@/components/load-more";
import { Page } from "@/components/page";
import { Input } from "@/components/ui/input";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { WorkspaceOverview } from "@/lib/api/types";
import { workspacesQuery } from "@/lib/queries/team";

import { WorkspaceCard } from "./workspace-card";

const SHOWN_AT_ONCE = 25;
/** From this many on, a field finds one by its name. */
const SEARCHED_FROM = 6;

/** All workspaces of the server, for its administrator: what they may use, and what they use. */
export function WorkspacesPage() {
  const list = useQuery(workspacesQuery());
  return (
    <Page
      title="Workspaces"
      description="All workspaces of this server. Their administrator sets upper limits, up to which owners set their own."
      className="max-w-4xl"
    >
      {list.isPending ? (
        <SkeletonRows className="rounded-lg border bg-surface" />
      ) : list.isError && !list.data ? (
        <ErrorPanel error={list.error} onRetry={() => list.refetch()} />
      ) : (
        <WorkspaceList workspaces={list.data} />
      )}
    </Page>
  );
}

function WorkspaceList({ workspaces }: { workspaces: WorkspaceOverview[] }) {
  const [text, setText] = useState("");
  const [limit, setLimit] = useState(SHOWN_AT_ONCE);
  const wanted = text.trim().toLowerCase();
  const found = workspaces.filter(({ name }) => name.toLowerCase().includes(wanted));
  return (
    <>
      {workspaces.length >= SEARCHED_FROM && (
        <Input
          type="search"
          aria-label="Find a workspace"
          placeholder="Find a workspace"
          className="max-w-sm max-sm:max-w-none"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      )}
      {found.length === 0 && <p className="text-ink-soft">No workspace has this name.</p>}
      <ul aria-label="Workspaces" className="grid gap-4">
        {found.slice(0, limit).map((workspace) => (
          <li key={workspace.id}>
            <WorkspaceCard workspace={workspace} />
          </li>
        ))}
      </ul>
      {found.length > limit && (
        <LoadMore isLoading={false} onLoad={() => setLimit(limit + SHOWN_AT_ONCE)}>
          More workspaces
        </LoadMore>
      )}
    </>
  );
}
