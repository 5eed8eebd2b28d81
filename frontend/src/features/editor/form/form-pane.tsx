import { Bot, ListPlus, SquarePen } from "lucide-react";
import { useMemo, useState } from "react";

import { EmptyState } from "@/components/empty-state";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { toast } from "@/lib/toast";

import type { RegisteredNames } from "../completion/complete";
import type { SchemaNode } from "../completion/workflow-schema";
import {
  memberId,
  parseWorkflow,
  type Member,
  type MemberKind,
  type ParsedWorkflow,
} from "../model/parse-workflow";
import type { EditorProblem } from "../model/problems";

import { addMember, deleteMember, renameMember } from "./edit-members";
import { listFormFields, type FormField } from "./form-fields";
import { readFormValues, toFieldValue, type FormValues } from "./form-values";
import { NodeForm } from "./node-form";
import { NodeHeader } from "./node-header";
import { setField, UnsupportedEdit } from "./set-field";
import { WorkflowForm } from "./workflow-form";

interface Props {
  text: string;
  node: string | null;
  schema: SchemaNode;
  registered: RegisteredNames;
  problems: EditorProblem[];
  onText: (text: string) => void;
  onNode: (node: string | null) => void;
}

/** A form for the selected agent or task, else for the workflow. Each change is written into the document. */
export function FormPane({ text, node, schema, registered, problems, onText, onNode }: Props) {
  const parsed = useMemo(() => parseWorkflow(text), [text]);
  const { edit, error, revision } = useEdits(text, onText);
  const members = [...parsed.agents, ...parsed.tasks];
  const member = members.find((one) => memberId(one) === node);

  const add = (kind: MemberKind) =>
    edit(() => {
      const added = addMember(text, kind);
      onNode(added.id);
      return added.text;
    });
  const remove = (removed: Member) =>
    edit(() => {
      const next = deleteMember(text, memberId(removed));
      onNode(null);
      toast.undo(`Deleted ${removed.kind} ${removed.key}`, () => onText(text));
      return next;
    });

  if (parsed.doc.errors.length > 0) {
    return (
      <Alert tone="warn" title="The form is not available" className="m-4">
        The document is not valid YAML. Fix the errors in the YAML first.
      </Alert>
    );
  }
  const fields = member ? listFormFields(schema, member.kind) : [];
  return (
    <div className="grid gap-4 p-4">
      <div className="flex flex-wrap gap-2">
        <Button size="sm" onClick={() => add("agent")}>
          <Bot aria-hidden />
          Add agent
        </Button>
        <Button size="sm" onClick={() => add("task")}>
          <ListPlus aria-hidden />
          Add task
        </Button>
      </div>
      {error && <Alert tone="err" title={error} />}
      {member ? (
        <section
          key={`${node}:${revision}`}
          aria-label={`${member.kind === "agent" ? "Agent" : "Task"} ${member.key}`}
          className="grid max-w-2xl gap-4"
        >
          <NodeHeader
            member={member}
            takenNames={members
              .filter((one) => one.kind === member.kind && one !== member)
              .map((one) => one.key)}
            onDelete={() => remove(member)}
            onRename={(name) =>
              edit(() => {
                const renamed = renameMember(text, memberId(member), name);
                onNode(renamed.id);
                return renamed.text;
              })
            }
          />
          <NodeForm
            member={member}
            fields={fields}
            options={listOptions(fields, parsed, member, registered)}
            onWrite={(field, value) =>
              edit(() => setField(text, memberId(member), field.name, toFieldValue(field, value)))
            }
          />
        </section>
      ) : (
        <>
          <EmptyState icon={SquarePen} title="Select an agent or a task">
            Its fields appear here. Comments and other parts of the YAML are not changed.
          </EmptyState>
          <WorkflowForm key={revision} {...{ parsed, schema, problems, edit }} />
        </>
      )}
    </div>
  );
}

/**
 * Applies edits to the text. `revision` counts the changes that were not made by the form; each one
 * resets the form. `error` says why the last edit was not possible.
 */
function useEdits(text: string, onText: (text: string) => void) {
  const [error, setError] = useState<string | null>(null);
  const [state, setState] = useState({ text, revision: 0 });
  if (state.text !== text) setState({ text, revision: state.revision + 1 });
  const edit = (change: () => string) => {
    try {
      const next = change();
      setError(null);
      setState(({ revision }) => ({ text: next, revision }));
      onText(next);
    } catch (failure) {
      if (!(failure instanceof UnsupportedEdit)) throw failure;
      setError(failure.message);
    }
  };
  return { edit, error, revision: state.revision };
}

/** The options of each field; a name that is set but unknown stays an option, so that it is not lost. */
function listOptions(
  fields: FormField[],
  parsed: ParsedWorkflow,
  member: Member,
  registered: RegisteredNames,
): Record<string, string[]> {
  const values = readFormValues(member, fields);
  return Object.fromEntries(
    fields.map((field) => {
      const names = listNames(field, parsed, member, registered);
      return [field.name, [...new Set([...names, ...listCurrent(values[field.name])])]];
    }),
  );
}

function listNames(
  { reference, values }: FormField,
  { agents, tasks }: ParsedWorkflow,
  member: Member,
  registered: RegisteredNames,
): string[] {
  if (reference === "agent") return agents.map((agent) => agent.key);
  if (reference === "task") return tasks.slice(0, tasks.indexOf(member)).map((task) => task.key);
  if (reference === "model") return registered.models;
  if (reference === "embedder") return registered.embedders;
  return values;
}

function listCurrent(value: FormValues[string] | undefined): string[] {
  return (Array.isArray(value) ? value : [value]).filter(
    (name): name is string => typeof name === "string" && name !== "",
  );
}
