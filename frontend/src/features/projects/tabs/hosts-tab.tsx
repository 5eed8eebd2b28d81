import { useState, type SubmitEvent } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Field } from "@/components/ui/field";
import { Textarea } from "@/components/ui/input";
import { ApiProblem } from "@/lib/api/problem";
import type { Project } from "@/lib/api/types";

import { useUpdateProject } from "@/hooks/use-update-project";
import { useCan } from "@/lib/rights";

import { describeHostProblems, parseHosts } from "./hosts";

/** The hosts that runs of the project may contact. */
export function HostsTab({ project }: { project: Project }) {
  const [text, setText] = useState(project.allowedHosts.join("\n"));
  const update = useUpdateProject(project.id, "Allowed hosts saved");
  const canChange = useCan("projects:write");
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const allowedHosts = parseHosts(text);
    update.mutate(
      { allowedHosts },
      { onSuccess: (saved) => setText(saved.allowedHosts.join("\n")) },
    );
  };
  const fields = update.error instanceof ApiProblem ? update.error.fields : [];
  const problems = describeHostProblems(update.variables?.allowedHosts ?? [], fields);
  return (
    <Card title="Allowed hosts">
      <form onSubmit={submit} className="grid gap-4 p-4">
        <p className="text-ink-soft">
          The code of the project runs without access to the network. Models are reached through
          this server and need no entry here. List the hosts that its tools have to contact.
        </p>
        <Field
          label="Hosts"
          hint="One per line, such as api.example.com or *.example.com. Empty: none."
          error={problems.length > 0 && problems.join(" ")}
        >
          <Textarea
            spellCheck={false}
            autoCapitalize="none"
            className="min-h-32 font-mono text-[13px]"
            value={text}
            readOnly={!canChange}
            onChange={(event) => setText(event.target.value)}
          />
        </Field>
        {update.error && problems.length === 0 && <ErrorPanel error={update.error} />}
        {canChange && (
          <div className="flex justify-end">
            <Button type="submit" variant="primary" busy={update.isPending}>
              Save hosts
            </Button>
          </div>
        )}
      </form>
    </Card>
  );
}
