import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ShieldAlert, X } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useStore } from "zustand";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { IconButton } from "@/components/ui/icon-button";
import { useUpdateProject } from "@/hooks/use-update-project";
import { isHostAllowed } from "@/lib/allowed-hosts";
import type { Project } from "@/lib/api/types";
import { pluralize } from "@/lib/format";
import { projectQuery } from "@/lib/queries/projects";
import { useCan } from "@/lib/rights";

import type { RunStore } from "../store/run-store";

import { Banner } from "./banner";

/** The hosts that the code of a project could not contact, and the choice to allow them. */
export function RefusedHostsBanner({ projectId, store }: { projectId: string; store: RunStore }) {
  const hosts = useStore(store.state, (state) => state.refusedHosts);
  const project = useQuery({ ...projectQuery(projectId), enabled: hosts.length > 0 });
  const [isDismissed, setDismissed] = useState(false);
  if (hosts.length === 0 || !project.data || isDismissed) return null;
  return (
    <Content
      project={project.data}
      hosts={hosts}
      dismiss={
        <IconButton label="Dismiss" size="icon-sm" onClick={() => setDismissed(true)}>
          <X aria-hidden />
        </IconButton>
      }
    />
  );
}

interface Props {
  project: Project;
  hosts: readonly string[];
  dismiss: ReactNode;
}

function Content({ project, hosts, dismiss }: Props) {
  const update = useUpdateProject(project.id, "Allowed hosts saved");
  const canAllow = useCan("projects:write");
  const refused = hosts.filter((host) => !isHostAllowed(host, project.allowedHosts));
  const allow = (added: readonly string[]) =>
    update.mutate({ allowedHosts: [...project.allowedHosts, ...added] });
  if (refused.length === 0) {
    return (
      <Banner
        tone="live"
        icon={ShieldAlert}
        title={`${hosts.join(", ")} ${hosts.length === 1 ? "is" : "are"} allowed now`}
        detail="This applies to runs that start from now on. Run the project again."
        actions={dismiss}
      />
    );
  }
  return (
    <Banner
      tone="warn"
      icon={ShieldAlert}
      title={`The project tried to contact ${describeHosts(refused)}, which is not allowed`}
      detail={
        <>
          The connection was refused. A project contacts only the{" "}
          <Link
            to="/projects/$projectId"
            params={{ projectId: project.id }}
            search={{ tab: "hosts" }}
            className="underline underline-offset-2"
          >
            hosts that are allowed for it
          </Link>
          .
        </>
      }
      actions={
        <>
          {canAllow && (
            <Button size="sm" busy={update.isPending} onClick={() => allow(refused)}>
              {refused.length === 1 ? "Allow for this project" : "Allow all for this project"}
            </Button>
          )}
          {dismiss}
        </>
      }
    >
      {canAllow && refused.length > 1 && (
        <ul aria-label="Refused hosts" className="flex flex-wrap gap-2">
          {refused.map((host) => (
            <li key={host}>
              <Button size="sm" variant="ghost" onClick={() => allow([host])}>
                Allow {host}
              </Button>
            </li>
          ))}
        </ul>
      )}
      {update.error && <ErrorPanel error={update.error} className="mt-2" />}
    </Banner>
  );
}

function describeHosts(hosts: readonly string[]): string {
  return hosts.length === 1 ? (hosts[0] ?? "") : pluralize(hosts.length, "host");
}
