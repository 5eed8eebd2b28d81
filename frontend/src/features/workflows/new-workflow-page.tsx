import { getRouteApi, Link } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";

import { Page } from "@/components/page";

import { TemplateGallery } from "./template-gallery";
import { ImportPanel } from "./import-panel";

const route = getRouteApi("/shell/workflows/new");

/** The page that creates a workflow: blank, from a template or by import. */
export function NewWorkflowPage() {
  const { template, import: isImport } = route.useSearch();
  if (isImport) {
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
    <Page
      title="New workflow"
      description="Start from a template, from scratch, or from an existing project."
    >
      <TemplateGallery previewedName={template} />
    </Page>
  );
}
