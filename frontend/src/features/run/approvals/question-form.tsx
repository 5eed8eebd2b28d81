import { SendHorizontal, X } from "lucide-react";
import { useState } from "react";

import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Field } from "@/components/ui/field";
import { Textarea } from "@/components/ui/input";
import type { Approval } from "@/lib/api/types";

import { useTextDraft } from "../store/text-drafts";

import { resolveErrorMessage } from "./approval-labels";
import { feedbackDraftName, useResolveApproval } from "./use-resolve-approval";

/** The form to answer a question that the code of a project asks. Unsent text is kept. */
export function QuestionForm({ approval }: { approval: Approval }) {
  const resolve = useResolveApproval(approval);
  const [answer, setAnswer] = useTextDraft(feedbackDraftName(approval));
  const [isConfirmOpen, setConfirmOpen] = useState(false);
  const action = resolve.isPending ? resolve.variables.action : null;
  return (
    <form
      className="grid gap-3 border-t bg-sunken px-4 py-3"
      onSubmit={(event) => {
        event.preventDefault();
        resolve.mutate({ action: "answer", answer });
      }}
    >
      <Field
        label="Answer"
        hint="The code receives this text. An empty answer is what the Enter key sends."
        className="max-w-3xl"
      >
        <Textarea
          value={answer}
          maxLength={100_000}
          className="field-sizing-content max-h-60 min-h-10"
          onChange={(event) => setAnswer(event.target.value)}
        />
      </Field>
      <div className="flex flex-wrap gap-2">
        <Button
          type="submit"
          variant="primary"
          busy={action === "answer"}
          disabled={action !== null}
        >
          <SendHorizontal aria-hidden />
          Send answer
        </Button>
        <Button
          type="button"
          variant="danger"
          className="sm:ml-auto"
          busy={action === "reject"}
          disabled={action !== null}
          onClick={() => setConfirmOpen(true)}
        >
          <X aria-hidden />
          Reject…
        </Button>
      </div>
      {resolve.isError && (
        <Alert tone="err" title={resolveErrorMessage(resolve.error).title}>
          {resolveErrorMessage(resolve.error).detail}
        </Alert>
      )}
      <p className="text-xs text-ink-faint">
        Requires an API key with the approvals:write scope. The first answer counts. Answers are
        stored with the run: do not enter passwords.
      </p>
      <ConfirmDialog
        open={isConfirmOpen}
        onOpenChange={setConfirmOpen}
        title="Reject the question?"
        description="The run fails. Resuming the run asks the question again."
        action="Reject"
        onConfirm={() => {
          setConfirmOpen(false);
          resolve.mutate({ action: "reject" });
        }}
      />
    </form>
  );
}
