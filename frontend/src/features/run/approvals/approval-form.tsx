import { Check, Pencil, Undo2, X } from "lucide-react";
import { useRef, useState } from "react";

import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Field } from "@/components/ui/field";
import { Textarea } from "@/components/ui/input";
import type { Approval } from "@/lib/api/types";

import { getTextDraft, setTextDraft, useTextDraft } from "../store/text-drafts";

import { resolveErrorMessage } from "./approval-labels";
import {
  feedbackDraftName,
  outputDraftName,
  useResolveApproval,
  type ApprovalAnswer,
} from "./use-resolve-approval";

/** The form to approve, send back, edit or reject. Unsent text is kept and shared between forms. */
export function ApprovalForm({ approval }: { approval: Approval }) {
  const resolve = useResolveApproval(approval);
  const [feedback, setFeedback] = useTextDraft(feedbackDraftName(approval));
  const [isEditing, setEditing] = useState(() => getTextDraft(outputDraftName(approval)) !== "");
  const submit = (answer: ApprovalAnswer) =>
    resolve.mutate({ ...answer, ...(feedback.trim() ? { feedback: feedback.trim() } : {}) });
  const startEditing = () => {
    if (!getTextDraft(outputDraftName(approval)))
      setTextDraft(outputDraftName(approval), approval.output);
    setEditing(true);
  };
  const stopEditing = () => {
    setTextDraft(outputDraftName(approval), "");
    setEditing(false);
  };
  return (
    <div className="grid gap-3 border-t bg-sunken px-4 py-3">
      {isEditing ? (
        <EditForm
          approval={approval}
          busy={resolve.isPending}
          onAnswer={submit}
          onCancel={stopEditing}
        />
      ) : (
        <AnswerForm
          approval={approval}
          feedback={feedback}
          onFeedback={setFeedback}
          pendingAction={resolve.isPending ? (resolve.variables?.action ?? null) : null}
          onAnswer={submit}
          onEdit={startEditing}
        />
      )}
      {resolve.isError && <ResolveError error={resolve.error} />}
      <p className="text-xs text-ink-faint">
        Requires an API key with the approvals:write scope. The first answer counts.
      </p>
    </div>
  );
}

interface AnswerProps {
  approval: Approval;
  feedback: string;
  onFeedback: (feedback: string) => void;
  /** The answer that is being sent. */
  pendingAction: ApprovalAnswer["action"] | null;
  onAnswer: (answer: ApprovalAnswer) => void;
  onEdit: () => void;
}

function AnswerForm({
  approval,
  feedback,
  onFeedback,
  pendingAction,
  onAnswer,
  onEdit,
}: AnswerProps) {
  const [isFeedbackMissing, setFeedbackMissing] = useState(false);
  const [isConfirmOpen, setConfirmOpen] = useState(false);
  const textarea = useRef<HTMLTextAreaElement>(null);
  const agent = approval.agent ?? "the agent";
  const sendBack = () => {
    setFeedbackMissing(feedback.trim() === "");
    if (feedback.trim() === "") textarea.current?.focus();
    else onAnswer({ action: "revise" });
  };
  return (
    <>
      <Field
        label={`Feedback for ${agent}`}
        hint="Required to send back. The agent revises its output and requests approval again."
        className="max-w-3xl"
        error={isFeedbackMissing && feedback.trim() === "" && "Describe what should change."}
      >
        <Textarea
          ref={textarea}
          value={feedback}
          maxLength={100_000}
          className="field-sizing-content max-h-60 min-h-16"
          onChange={(event) => onFeedback(event.target.value)}
        />
      </Field>
      <div className="flex flex-wrap gap-2">
        <Button
          variant="primary"
          busy={pendingAction === "approve"}
          disabled={pendingAction !== null}
          onClick={() => onAnswer({ action: "approve" })}
        >
          <Check aria-hidden />
          Approve
        </Button>
        <Button
          busy={pendingAction === "revise"}
          disabled={pendingAction !== null}
          onClick={sendBack}
        >
          <Undo2 aria-hidden />
          Send back
        </Button>
        <Button disabled={pendingAction !== null} onClick={onEdit}>
          <Pencil aria-hidden />
          Edit and approve…
        </Button>
        <Button
          variant="danger"
          className="sm:ml-auto"
          busy={pendingAction === "reject"}
          disabled={pendingAction !== null}
          onClick={() => setConfirmOpen(true)}
        >
          <X aria-hidden />
          Reject…
        </Button>
      </div>
      <ConfirmDialog
        open={isConfirmOpen}
        onOpenChange={setConfirmOpen}
        title={`Reject the output of ${approval.taskKey}?`}
        description="The run fails, with your feedback as the reason. Resuming the run requests approval again."
        action="Reject"
        onConfirm={() => {
          setConfirmOpen(false);
          onAnswer({ action: "reject" });
        }}
      />
    </>
  );
}

interface EditProps {
  approval: Approval;
  busy: boolean;
  onAnswer: (answer: ApprovalAnswer) => void;
  onCancel: () => void;
}

/** Edits the output before approving it. */
function EditForm({ approval, busy, onAnswer, onCancel }: EditProps) {
  const [text, setText] = useTextDraft(outputDraftName(approval));
  return (
    <>
      <Field label="Edited output" hint="The run continues with this text.">
        <Textarea
          value={text}
          maxLength={1_000_000}
          className="max-h-[50dvh] min-h-40 font-mono text-[13px]"
          onChange={(event) => setText(event.target.value)}
        />
      </Field>
      <div className="flex flex-wrap gap-2">
        <Button
          variant="primary"
          busy={busy}
          disabled={text.trim() === ""}
          onClick={() => onAnswer({ action: "approve", edited: text })}
        >
          <Check aria-hidden />
          Approve edited output
        </Button>
        <Button disabled={busy} onClick={onCancel}>
          Discard edits
        </Button>
      </div>
    </>
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
