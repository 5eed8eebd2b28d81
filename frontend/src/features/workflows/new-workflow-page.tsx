import { getRouteApi, Link } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";

import { Page } from "@/components/page";

import { Gallery } from "./gallery";
import { ImportPanel } from "./import-panel";

const route = getRouteApi("/shell/workflows/new");

/** Where a workflow begins: with a template, blank, or from elsewhere. */
export function NewWorkflowPage() {
  const { template, import: importing } = route.useSearch();
  if (importing) {
    return (
      <Page
        title="Import a workflow"
        className="max-w-4xl"
        description={
          <Link to="/workflows/new" className="inline-flex items-center gap-1 hover:underline">
            <ArrowLeft aria-hidden className="size-4" />
            Templates
          </Link>
        }
      >
        <ImportPanel />
      </Page>
    );
  }
  return (
    <Page title="New workflow" description="Begin with something that works, and make it yours.">
      <Gallery chosen={template} />
    </Page>
  );
}
