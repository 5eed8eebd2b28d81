import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";

import { Allowed } from "@/components/allowed";
import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { McpServer, McpTool } from "@/lib/api/types";
import { mcpServerToolsQuery } from "@/lib/queries/mcp";

import { useReview } from "./server-requests";
import { ToolRow } from "./tool-row";
import { byState } from "./tool-states";

const TryToolDialog = lazy(async () => ({
  default: (await import("./try-tool-dialog")).TryToolDialog,
}));

/** The tools of a server, those that need a review first. */
export function ToolsCard({ server }: { server: McpServer }) {
  const list = useQuery(mcpServerToolsQuery(server.id));
  const review = useReview(server.id);
  const [tried, setTried] = useState<McpTool | null>(null);
  const tools = (list.data ?? []).toSorted(byState);
  const fresh = tools.filter(({ state }) => state === "new");
  const approveAll = fresh.length > 1 && (
    <Allowed scope="connections:write">
      <Button
        size="sm"
        busy={review.isPending}
        onClick={() => review.mutate({ tools: fresh, use: true })}
      >
        Approve all {fresh.length} new tools
      </Button>
    </Allowed>
  );
  return (
    <Card title="Tools" actions={approveAll}>
      {review.isError && <ErrorPanel error={review.error} className="m-4" />}
      {list.isPending ? (
        <SkeletonRows rows={3} />
      ) : list.isError && tools.length === 0 ? (
        <ErrorPanel error={list.error} className="m-4" onRetry={() => list.refetch()} />
      ) : tools.length === 0 ? (
        <p className="p-4 text-ink-soft">No tools are known. Connect to read the list.</p>
      ) : (
        <ul aria-label="Tools" className="divide-y divide-line">
          {tools.map((tool) => (
            <ToolRow
              key={tool.name}
              tool={tool}
              busy={review.isPending}
              onReview={(use) => review.mutate({ tools: [tool], use })}
              onTry={() => setTried(tool)}
            />
          ))}
        </ul>
      )}
      {tried && (
        <Suspense>
          <TryToolDialog tool={tried} onClose={() => setTried(null)} />
        </Suspense>
      )}
    </Card>
  );
}
