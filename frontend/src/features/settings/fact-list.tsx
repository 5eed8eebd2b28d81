import type { ReactNode } from "react";

export interface Fact {
  name: string;
  value: ReactNode;
  /** Explains the value. */
  note?: ReactNode;
}

/** A list of names and values. */
export function FactList({ facts }: { facts: Fact[] }) {
  return (
    <dl className="divide-y">
      {facts.map(({ name, value, note }) => (
        <div key={name} className="flex flex-wrap items-baseline gap-x-4 gap-y-0.5 px-4 py-2.5">
          <dt className="w-36 shrink-0 text-ink-soft">{name}</dt>
          <dd className="flex min-w-0 flex-1 basis-48 flex-wrap items-baseline gap-x-3 gap-y-1">
            {value}
            {note && <span className="min-w-0 break-words text-ink-faint">{note}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
