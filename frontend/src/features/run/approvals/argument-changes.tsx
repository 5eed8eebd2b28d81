import { listChanges, type ToolArguments } from "./tool-arguments";

interface Props {
  label?: string;
  before: ToolArguments;
  after: ToolArguments;
}

/** What a person has changed in the arguments of a call, or has answered, one per line. */
export function ArgumentChanges({ label = "Changed arguments", before, after }: Props) {
  const changes = listChanges(before, after);
  if (changes.length === 0) return null;
  return (
    <dl aria-label={label} className="grid gap-1 rounded-md border bg-surface p-2">
      {changes.map((change) => (
        <div key={change.name} className="grid gap-0.5 font-mono text-[13px]">
          <dt className="font-semibold">{change.name}</dt>
          {change.before !== null && (
            <dd className="break-all text-err">
              <del>{change.before}</del>
            </dd>
          )}
          {change.after !== null && (
            <dd className="break-all text-ok">
              <ins>{change.after}</ins>
            </dd>
          )}
        </div>
      ))}
    </dl>
  );
}
