import { getRouteApi, Link } from "@tanstack/react-router";
import { ArrowLeftRight } from "lucide-react";

import { Page } from "@/components/page";
import { Button } from "@/components/ui/button";

import { CompareView } from "./compare-view";

const route = getRouteApi("/shell/runs/compare");

export function ComparePage() {
  const { a, b } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <Page
      title="Compare runs"
      description="Inputs, outputs, definition and usage of two runs side by side."
      actions={
        <>
          {a && b && (
            <Button onClick={() => void navigate({ search: { a: b, b: a } })}>
              <ArrowLeftRight aria-hidden />
              Swap
            </Button>
          )}
          <Button asChild variant="ghost">
            <Link to="/runs">All runs</Link>
          </Button>
        </>
      }
    >
      <CompareView
        a={a}
        b={b}
        onPick={(side, runId) =>
          void navigate({
            search: (previous) => ({ ...previous, [side]: runId }),
            resetScroll: false,
          })
        }
      />
    </Page>
  );
}
