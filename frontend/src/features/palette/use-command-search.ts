import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { FolderCode, History, Play, Search, Workflow } from "lucide-react";
import { useDeferredValue } from "react";

import { runStateLabel } from "@/components/run-status";
import type { ProjectSummary, RunSummary, WorkflowSummary } from "@/lib/api/types";
import { formatTimeAgo } from "@/lib/format";
import { projectsQuery } from "@/lib/queries/projects";
import { runsQuery } from "@/lib/queries/runs";
import { workflowsQuery } from "@/lib/queries/workflows";
import { useCan } from "@/lib/rights";

import type { Command } from "./use-static-commands";

const MAX_WORKFLOWS = 8;
const MAX_PROJECTS = 8;
const MAX_RUNS = 6;

export interface CommandSearch {
  workflows: Command[];
  projects: Command[];
  launches: Command[];
  runs: Command[];
  search: Command[];
  isSearching: boolean;
}

/** Searches saved workflows, projects and recent runs on the server. */
export function useCommandSearch(query: string): CommandSearch {
  const navigate = useNavigate();
  const canStart = useCan("runs:write");
  const text = useDeferredValue(query.trim());
  const workflows = useInfiniteQuery({
    ...workflowsQuery(withoutVerb(text)),
    placeholderData: keepPreviousData,
  });
  const projects = useInfiniteQuery({
    ...projectsQuery(withoutVerb(text)),
    placeholderData: keepPreviousData,
  });
  const runs = useInfiniteQuery({
    ...runsQuery({ limit: MAX_RUNS, ...(text ? { q: text } : {}) }),
    placeholderData: keepPreviousData,
  });
  const saved = (workflows.data?.pages[0]?.workflows ?? []).slice(0, MAX_WORKFLOWS);
  const uploaded = (projects.data?.pages[0]?.projects ?? []).slice(0, MAX_PROJECTS);
  return {
    workflows: saved.map((one) => openCommand(one, navigate)),
    projects: uploaded.map((one) => openProjectCommand(one, navigate)),
    launches: canStart
      ? [
          ...saved.map((one) => launchCommand(one, navigate)),
          ...uploaded.map((one) => launchProjectCommand(one, navigate)),
        ]
      : [],
    runs: (runs.data?.pages[0]?.runs ?? []).map((run) => runCommand(run, navigate)),
    search: text ? [searchCommand(text, navigate)] : [],
    isSearching: workflows.isFetching || projects.isFetching || runs.isFetching,
  };
}

/** Removes a leading verb: "run honey" searches for "honey". */
function withoutVerb(text: string): string {
  return text.replace(/^(run|open|start|launch)\s+/i, "");
}

type Navigate = ReturnType<typeof useNavigate>;

function openCommand({ id, name }: WorkflowSummary, navigate: Navigate): Command {
  return {
    id: `workflow:${id}`,
    name,
    keywords: [id, "workflow", "open"],
    Icon: Workflow,
    run: () => void navigate({ to: "/workflows/$workflowId", params: { workflowId: id } }),
  };
}

function launchCommand({ id, name }: WorkflowSummary, navigate: Navigate): Command {
  return {
    id: `launch:${id}`,
    name: `Run ${name}`,
    keywords: ["start", "launch"],
    Icon: Play,
    run: () => void navigate({ to: "/workflows/$workflowId/run", params: { workflowId: id } }),
  };
}

function openProjectCommand({ id, name }: ProjectSummary, navigate: Navigate): Command {
  return {
    id: `project:${id}`,
    name,
    keywords: [id, "project", "open"],
    Icon: FolderCode,
    run: () => void navigate({ to: "/projects/$projectId", params: { projectId: id } }),
  };
}

function launchProjectCommand({ id, name }: ProjectSummary, navigate: Navigate): Command {
  return {
    id: `launch-project:${id}`,
    name: `Run ${name}`,
    keywords: ["start", "launch", "project"],
    Icon: Play,
    run: () => void navigate({ to: "/projects/$projectId/run", params: { projectId: id } }),
  };
}

function runCommand(run: RunSummary, navigate: Navigate): Command {
  return {
    id: `run:${run.id}`,
    name: `${run.workflowName} · ${runStateLabel(run.status).toLowerCase()} · ${formatTimeAgo(run.createdAt)}`,
    keywords: [run.id, run.workflowName],
    Icon: History,
    run: () => void navigate({ to: "/runs/$runId", params: { runId: run.id } }),
  };
}

function searchCommand(text: string, navigate: Navigate): Command {
  return {
    id: "search:runs",
    name: `Search runs for “${text}”`,
    Icon: Search,
    run: () => void navigate({ to: "/runs", search: { q: text } }),
  };
}
