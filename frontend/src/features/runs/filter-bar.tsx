import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Search, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";

import { runStateLabel } from "@/components/run-status";
import { Button } from "@/components/ui/button";
import { Input, Select } from "@/components/ui/input";
import { useShortcut } from "@/hooks/use-shortcut";
import { cn } from "@/lib/cn";
import { workflowQuery, workflowsQuery } from "@/lib/queries/workflows";
import { RUN_STATES } from "@/lib/run-state";

import { isFiltered, PERIODS, periodOf, type RunsSearch } from "./run-filters";

const TYPING_MS = 250;

interface Props {
  search: RunsSearch;
  onChange: (change: Partial<RunsSearch>) => void;
  onClear: () => void;
}

/** Filters of the list; each is a search parameter of the URL. */
export function RunsFilters({ search, onChange, onClear }: Props) {
  return (
    <div role="search" aria-label="Filter runs" className="grid gap-2">
      <div className="flex flex-wrap items-center gap-2">
        <TextFilter value={search.q ?? ""} onChange={onChange} />
        <WorkflowFilter value={search.workflow} onChange={onChange} />
        <TimeFilter search={search} onChange={onChange} />
        {isFiltered(search) && (
          <Button variant="ghost" onClick={onClear}>
            <X aria-hidden />
            Clear filters
          </Button>
        )}
      </div>
      <StateFilter chosen={search.status ?? []} onChange={onChange} />
    </div>
  );
}

function TextFilter({ value, onChange }: { value: string; onChange: Props["onChange"] }) {
  const [typed, setTyped] = useState(value);
  const [sent, setSent] = useState(value);
  const [seen, setSeen] = useState(value);
  if (seen !== value) {
    setSeen(value);
    // Changed from outside, e.g. by Clear filters or Back; the value sent here must not undo typing.
    if (value !== sent) setTyped(value);
  }
  const input = useRef<HTMLInputElement>(null);
  useShortcut("/", () => input.current?.focus(), "Search runs");

  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => {
      setSent(typed);
      onChange({ q: typed || undefined });
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, value, onChange]);

  return (
    <div className="relative min-w-48 flex-1 sm:max-w-72">
      <Search
        aria-hidden
        className="absolute top-1/2 left-2.5 size-4 -translate-y-1/2 text-ink-faint"
      />
      <Input
        ref={input}
        type="search"
        aria-label="Search by workflow or run id"
        placeholder="Name, id, input or error"
        className="pl-8"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
    </div>
  );
}

function WorkflowFilter({ value, onChange }: { value?: string; onChange: Props["onChange"] }) {
  const { data } = useInfiniteQuery(workflowsQuery());
  const known = data?.pages.flatMap((page) => page.workflows) ?? [];
  const missing =
    value !== undefined && data !== undefined && !known.some(({ id }) => id === value);
  const chosen = useQuery({ ...workflowQuery(value ?? ""), enabled: missing });
  return (
    <Select
      aria-label="Workflow"
      className="w-auto max-w-48 max-sm:flex-1"
      value={value ?? ""}
      onChange={(event) => onChange({ workflow: event.target.value || undefined })}
    >
      <option value="">All workflows</option>
      {missing && <option value={value}>{chosen.data?.name ?? value}</option>}
      {known.map((workflow) => (
        <option key={workflow.id} value={workflow.id}>
          {workflow.name}
        </option>
      ))}
    </Select>
  );
}

function TimeFilter({ search, onChange }: { search: RunsSearch; onChange: Props["onChange"] }) {
  const period = periodOf(search);
  const choose = (value: string) => {
    if (value === "any") onChange({ since: undefined, until: undefined });
    else if (value === "custom") onChange({ since: today(), until: today() });
    else onChange({ since: value, until: undefined });
  };
  return (
    <>
      <Select
        aria-label="Time"
        className="w-auto max-sm:flex-1"
        value={period}
        onChange={(event) => choose(event.target.value)}
      >
        <option value="any">Any time</option>
        {PERIODS.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
        <option value="custom">Custom range</option>
      </Select>
      {period === "custom" && (
        <div className="flex items-center gap-1.5">
          <DayInput label="From" value={search.since} onChange={(since) => onChange({ since })} />
          <span aria-hidden>–</span>
          <DayInput label="To" value={search.until} onChange={(until) => onChange({ until })} />
        </div>
      )}
    </>
  );
}

function DayInput({
  label,
  value,
  onChange,
}: {
  label: string;
  value?: string;
  onChange: (value: string | undefined) => void;
}) {
  return (
    <Input
      type="date"
      aria-label={label}
      className="w-auto"
      value={value?.slice(0, 10) ?? ""}
      onChange={(event) => onChange(event.target.value || undefined)}
    />
  );
}

function StateFilter({
  chosen,
  onChange,
}: {
  chosen: NonNullable<RunsSearch["status"]>;
  onChange: Props["onChange"];
}) {
  const toggle = (state: (typeof RUN_STATES)[number]) => {
    const next = RUN_STATES.filter((one) =>
      one === state ? !chosen.includes(one) : chosen.includes(one),
    );
    onChange({ status: next.length > 0 ? [...next] : undefined });
  };
  return (
    <div role="group" aria-label="States" className="flex flex-wrap gap-1.5">
      {RUN_STATES.map((state) => (
        <button
          key={state}
          type="button"
          aria-pressed={chosen.includes(state)}
          onClick={() => toggle(state)}
          className={cn(
            "h-7 rounded-full border bg-surface px-2.5 text-xs font-medium text-ink-soft hover:bg-hover max-sm:h-9 max-sm:px-3",
            chosen.includes(state) &&
              "border-accent bg-accent-soft text-accent hover:bg-accent-soft",
          )}
        >
          {runStateLabel(state).replace("…", "")}
        </button>
      ))}
    </div>
  );
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}

/** Today in the browser's time zone. */
function today(): string {
  const now = new Date();
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}
