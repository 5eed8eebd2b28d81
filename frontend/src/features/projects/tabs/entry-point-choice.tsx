import { ErrorPanel } from "@/components/error-panel";
import { Field } from "@/components/ui/field";
import { Select } from "@/components/ui/input";
import type { Project } from "@/lib/api/types";

import { useUpdateProject } from "@/hooks/use-update-project";

import { describeEntryPoint, entryPointKey } from "@/lib/entry-points";
import { useCan } from "@/lib/rights";

/** Chooses what a run starts; without a choice, the first entry point that was found. */
export function EntryPointChoice({ project }: { project: Project }) {
  const update = useUpdateProject(project.id, "Entry point saved");
  const canChange = useCan("projects:write");
  const found = project.version.inspection.entryPoints;
  const { entryPoint } = project;
  const isMissing =
    entryPoint !== null && !found.some((one) => entryPointKey(one) === entryPointKey(entryPoint));
  if (found.length === 0 && !entryPoint) {
    return (
      <p className="text-warn">
        Nothing was found that starts the project. It needs a crew, a flow or a script.
      </p>
    );
  }
  const choose = (key: string) => {
    const chosen = found.find((one) => entryPointKey(one) === key) ?? null;
    update.mutate({ entryPoint: chosen });
  };
  return (
    <div className="grid gap-2">
      <Field label="Starts with" hint="Applies to the runs that start from now on.">
        <Select
          className="max-w-xl"
          disabled={update.isPending || !canChange}
          value={entryPoint ? entryPointKey(entryPoint) : ""}
          onChange={(event) => choose(event.target.value)}
        >
          <option value="">Automatic{found[0] ? `: ${describeEntryPoint(found[0])}` : ""}</option>
          {found.map((one) => (
            <option key={entryPointKey(one)} value={entryPointKey(one)}>
              {describeEntryPoint(one)}
            </option>
          ))}
          {isMissing && (
            <option value={entryPointKey(entryPoint)}>
              {describeEntryPoint(entryPoint)} (not found in this version)
            </option>
          )}
        </Select>
      </Field>
      {update.error && <ErrorPanel error={update.error} />}
    </div>
  );
}
