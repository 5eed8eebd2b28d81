import { getRouteApi, Link } from "@tanstack/react-router";
import { GitCompare } from "lucide-react";
import { useCallback } from "react";

import { Page } from "@/components/page";
import { Button } from "@/components/ui/button";

import type { RunsSearch } from "./run-filters";
import { RunsView } from "./runs-view";

const route = getRouteApi("/shell/runs");

export function RunsPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();

  const change = useCallback(
    (part: Partial<RunsSearch>) =>
      void navigate({
        search: (before) => ({ ...before, ...part }),
        // Typing must not add history entries.
        replace: "q" in part,
        resetScroll: false,
      }),
    [navigate],
  );
  const clear = useCallback(() => void navigate({ search: {}, resetScroll: false }), [navigate]);

  return (
    <Page
      title="Runs"
      className="max-w-7xl"
      description="Every execution of a workflow, newest first."
      actions={
        <Button asChild>
          <Link to="/runs/compare">
            <GitCompare aria-hidden />
            Compare two runs
          </Link>
        </Button>
      }
    >
      <RunsView search={search} onChange={change} onClear={clear} />
    </Page>
  );
}
