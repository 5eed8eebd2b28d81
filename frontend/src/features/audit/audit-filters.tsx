import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { useId, type ReactNode } from "react";

import { Button } from "@/components/ui/button";
import { Input, Select } from "@/components/ui/input";
import type { AuditEntry } from "@/lib/api/types";
import { apiKeysQuery, meQuery, peopleQuery } from "@/lib/queries/team";

import { isFiltered, type AuditSearch } from "./audit-filter";
import { ACTOR_KINDS, actorKindLabel } from "./describe-entry";

interface Props {
  search: AuditSearch;
  /** Their operations are suggested. */
  entries: AuditEntry[];
  onChange: (change: Partial<AuditSearch>) => void;
  onClear: () => void;
}

/** Filters of the list; each is a search parameter of the URL. */
export function AuditFilters({ search, entries, onChange, onClear }: Props) {
  const suggestions = useId();
  const operations = [...new Set(entries.map((entry) => entry.operation))].toSorted();
  return (
    <div role="search" aria-label="Filter entries" className="flex flex-wrap items-end gap-2">
      <ActorFilter value={search.actor} onChange={onChange} />
      <TextFilter
        label="Operation"
        value={search.operation}
        list={suggestions}
        onCommit={(operation) => onChange({ operation })}
      />
      <datalist id={suggestions}>
        {operations.map((operation) => (
          <option key={operation}>{operation}</option>
        ))}
      </datalist>
      <TextFilter
        label="Id of the target"
        value={search.target}
        onCommit={(target) => onChange({ target })}
      />
      <Labelled label="Result">
        <Select
          value={search.result ?? ""}
          onChange={(event) =>
            onChange({ result: (event.target.value || undefined) as AuditSearch["result"] })
          }
        >
          <option value="">All</option>
          <option value="succeeded">Succeeded</option>
          <option value="refused">Refused</option>
        </Select>
      </Labelled>
      <DayFilter label="From" value={search.since} onChange={(since) => onChange({ since })} />
      <DayFilter label="To" value={search.until} onChange={(until) => onChange({ until })} />
      {isFiltered(search) && (
        <Button variant="ghost" onClick={onClear}>
          <X aria-hidden />
          Clear filters
        </Button>
      )}
    </div>
  );
}

function Labelled({ label, children }: { label: string; children: ReactNode }) {
  return (
    // oxlint-disable-next-line jsx-a11y/label-has-associated-control -- the control is a child
    <label className="grid gap-1 text-xs text-ink-soft max-sm:flex-1 max-sm:basis-36">
      {label}
      {children}
    </label>
  );
}

function ActorFilter({ value, onChange }: { value?: string; onChange: Props["onChange"] }) {
  const { data: me } = useQuery(meQuery());
  const may = (scope: string) => me?.scopes.some((one) => one === scope) ?? false;
  const people = useInfiniteQuery({ ...peopleQuery(), enabled: may("people:read") });
  const keys = useInfiniteQuery({ ...apiKeysQuery(false), enabled: may("keys:read") });
  const known = [
    ...(people.data?.pages.flatMap((page) => page.people) ?? []),
    ...(keys.data?.pages.flatMap((page) => page.apiKeys) ?? []),
  ];
  const isMissing =
    value !== undefined &&
    !known.some(({ id }) => id === value) &&
    !ACTOR_KINDS.some((kind) => kind === value);
  return (
    <Labelled label="Who">
      <Select
        className="max-w-52 max-sm:max-w-none"
        value={value ?? ""}
        onChange={(event) => onChange({ actor: event.target.value || undefined })}
      >
        <option value="">Everyone</option>
        {isMissing && <option value={value}>{value}</option>}
        {known.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
        {ACTOR_KINDS.map((kind) => (
          <option key={kind} value={kind}>
            {actorKindLabel(kind)}
          </option>
        ))}
      </Select>
    </Labelled>
  );
}

interface TextFilterProps {
  label: string;
  value?: string;
  list?: string;
  onCommit: (value: string | undefined) => void;
}

/** Filters when the field is left, or with Enter. */
function TextFilter({ label, value = "", list, onCommit }: TextFilterProps) {
  const commit = (text: string) => {
    if (text.trim() !== value) onCommit(text.trim() || undefined);
  };
  return (
    <Labelled label={label}>
      <Input
        // A value that is changed from outside replaces what was typed.
        key={value}
        defaultValue={value}
        list={list}
        maxLength={200}
        className="w-48 max-sm:w-full"
        onBlur={(event) => commit(event.target.value)}
        onKeyDown={(event) => event.key === "Enter" && commit(event.currentTarget.value)}
      />
    </Labelled>
  );
}

function DayFilter({
  label,
  value,
  onChange,
}: {
  label: string;
  value?: string;
  onChange: (value: string | undefined) => void;
}) {
  return (
    <Labelled label={label}>
      <Input
        type="date"
        value={value ?? ""}
        onChange={(event) => onChange(event.target.value || undefined)}
      />
    </Labelled>
  );
}
