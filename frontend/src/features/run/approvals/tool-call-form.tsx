import { Check, X } from "lucide-react";
import { useState } from "react";

import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Checkbox } from "@/components/ui/checkbox";
import { Field } from "@/components/ui/field";
import { Input, Textarea } from "@/components/ui/input";
import type { Approval } from "@/lib/api/types";

import { useTextDraft } from "../store/text-drafts";

import { resolveErrorMessage } from "./approval-labels";
import { ArgumentChanges } from "./argument-changes";
import { formatArguments, parseArguments } from "./tool-arguments";
import { feedbackDraftName, outputDraftName, useResolveApproval } from "./use-resolve-approval";

/** The form to allow the call of a tool, with other arguments if needed, or to refuse it. */
export function ToolCallForm({ approval }: { approval: Approval }) {
  const resolve = useResolveApproval(approval);
  const original = formatArguments(approval.arguments ?? {});
  const [draft, setDraft] = useTextDraft(outputDraftName(approval));
  const [feedback, setFeedback] = useTextDraft(feedbackDraftName(approval));
  const [forRun, setForRun] = useState(false);
  const text = draft || original;
  const parsed = parseArguments(text);
  const isChanged = parsed.value !== null && formatArguments(parsed.value) !== original;
  const action = resolve.isPending ? resolve.variables.action : null;
  const allow = () =>
    resolve.mutate({
      action: "approve",
      forRun,
      ...(isChanged && parsed.value ? { arguments: parsed.value } : {}),
    });
  const refuse = () =>
    resolve.mutate({
      action: "reject",
      ...(feedback.trim() ? { feedback: feedback.trim() } : {}),
    });
  return (
    <div className="grid gap-3 border-t bg-sunken px-4 py-3">
      <Field
        label="Arguments"
        hint="JSON. The tool receives what you leave here."
        error={parsed.error}
      >
        <Textarea
          value={text}
          maxLength={100_000}
          spellCheck={false}
          className="field-sizing-content max-h-[40dvh] min-h-20 font-mono text-[13px]"
          onChange={(event) => setDraft(event.target.value)}
        />
      </Field>
      {isChanged && parsed.value && (
        <ArgumentChanges before={approval.arguments ?? {}} after={parsed.value} />
      )}
      <Checkbox
        label={`Allow every call of ${approval.tool ?? "this tool"} in this run`}
        checked={forRun}
        onChange={(event) => setForRun(event.target.checked)}
      />
      <Field
        label="Reason, if you refuse"
        hint="The agent is told, and continues without the call."
      >
        <Input
          value={feedback}
          maxLength={10_000}
          onChange={(event) => setFeedback(event.target.value)}
        />
      </Field>
      <div className="flex flex-wrap gap-2">
        <Button
          variant="primary"
          busy={action === "approve"}
          disabled={action !== null || parsed.value === null}
          onClick={allow}
        >
          <Check aria-hidden />
          {isChanged ? "Allow with changes" : "Allow"}
        </Button>
        <Button
          variant="danger"
          busy={action === "reject"}
          disabled={action !== null}
          onClick={refuse}
        >
          <X aria-hidden />
          Refuse
        </Button>
        {isChanged && (
          <Button disabled={action !== null} onClick={() => setDraft("")}>
            Discard changes
          </Button>
        )}
      </div>
      {resolve.isError && <ResolveError error={resolve.error} />}
    </div>
  );
}

function ResolveError({ error }: { error: unknown }) {
  const { title, detail } = resolveErrorMessage(error);
  return (
    <Alert tone="err" title={title}>
      {detail}
    </Alert>
  );
}
