import { isMap } from "yaml";

import type { SchemaNode } from "../completion/workflow-schema";
import { findWorkflowField, getSpan, type ParsedWorkflow } from "../model/parse-workflow";
import type { EditorProblem } from "../model/problems";

import { listFormFields, type FormField } from "./form-fields";
import { toFieldValue } from "./form-values";
import { NodeForm } from "./node-form";
import { setWorkflowField } from "./set-field";

interface Props {
  parsed: ParsedWorkflow;
  schema: SchemaNode;
  problems: EditorProblem[];
  /** Makes a change of the text, which may not be possible. */
  edit: (change: () => string) => void;
}

/** The fields of the workflow itself, each with the server's problem. */
export function WorkflowForm({ parsed, schema, problems, edit }: Props) {
  const { contents } = parsed.doc;
  const fields = listFormFields(schema, "workflow");
  if (!isMap(contents) || fields.length === 0) return null;
  return (
    <section aria-label="Workflow" className="grid max-w-2xl gap-4">
      <h2 className="font-semibold">Workflow</h2>
      <NodeForm
        member={{ body: contents }}
        fields={fields}
        errors={listErrors(fields, parsed, problems)}
        listsOtherKeys={false}
        options={{}}
        onWrite={(field, value) =>
          edit(() => setWorkflowField(parsed.text, field.name, toFieldValue(field, value)))
        }
      />
    </section>
  );
}

/** The message of the first error inside each field. */
function listErrors(
  fields: FormField[],
  { doc }: ParsedWorkflow,
  problems: EditorProblem[],
): Record<string, string | undefined> {
  return Object.fromEntries(
    fields.map(({ name }) => {
      const pair = findWorkflowField(doc, name);
      const [from, to] = [getSpan(pair?.key).from, getSpan(pair?.value).to];
      const error = problems.find(
        (one) => one.severity === "error" && from <= one.from && one.from < to,
      );
      return [name, error?.message];
    }),
  );
}
