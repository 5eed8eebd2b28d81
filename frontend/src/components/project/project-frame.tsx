import { Link } from "@tanstack/react-router";
import { Play } from "lucide-react";
import type { ReactNode } from "react";

import { Allowed } from "@/components/allowed";
import { Button } from "@/components/ui/button";
import { Page } from "@/components/page";
import type { Project } from "@/lib/api/types";

import { BuildStatus } from "./build-status";
import { ProjectTabs, type ProjectTab } from "./project-tabs";
import { ProjectsNotice } from "./projects-notice";

interface Props {
  project: Project;
  tab: ProjectTab;
  children: ReactNode;
}

/** The heading and the tabs around each page of a project. */
export function ProjectFrame({ project, tab, children }: Props) {
  return (
    <Page
      title={project.name}
      description={
        <span className="inline-flex flex-wrap items-center gap-2">
          Version {project.newestVersion}
          <BuildStatus state={project.status} />
        </span>
      }
      actions={
        tab !== "run" && (
          <Allowed scope="runs:write">
            <Button asChild variant="primary">
              <Link to="/projects/$projectId/run" params={{ projectId: project.id }}>
                <Play aria-hidden />
                Run project
              </Link>
            </Button>
          </Allowed>
        )
      }
    >
      <ProjectTabs projectId={project.id} tab={tab} />
      <ProjectsNotice />
      {children}
    </Page>
  );
}
