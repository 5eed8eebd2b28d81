import { Check, Pencil, Undo2, X } from "lucide-react";
import { useRef, useState } from "react";

import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Field } from "@/components/ui/field";
import { Textarea } from "@/components/ui/input";
import type { Approval } from "@/lib/api/types";

import { refusal } from "./approval-labels";
import { draft, setDraft, useDraft } from "../store/text-drafts";
import { editedDraft, feedbackDraft, useResolve, type Verdict } from "./use-resolve-approval";

/** Approve, send back, edit or reject. The words are kept until they are taken, in every place alike. */
export function ApprovalForm({ approval }: { approval: Approval }) {
  const resolve = useResolve(approval);
  const [feedback, setFeedback] = useDraft(feedbackDraft(approval));
  const [editing, setEditing] = useState(() => draft(editedDraft(approval)) !== "");
  const answer = (verdict: Verdict) =>
    resolve.mutate({ ...verdict, ...(feedback.trim() ? { feedback: feedback.trim() } : {}) });
  const edit = () => {
    if (!draft(editedDraft(approval))) setDraft(editedDraft(approval), approval.output);
    setEditing(true);
  };
  const stopEditing = () => {
    setDraft(editedDraft(approval), "");
    setEditing(false);
  };
  return (
    <div className="grid gap-3 border-t bg-sunken px-4 py-3">
      {editing ? (
        <EditForm
          approval={approval}
          busy={resolve.isPending}
          onAnswer={answer}
          onCancel={stopEditing}
        />
      ) : (
        <AnswerForm
          approval={approval}
          feedback={feedback}
          onFeedback={setFeedback}
          under={resolve.isPending ? (resolve.variables?.action ?? null) : null}
          onAnswer={answer}
          onEdit={edit}
        />
      )}
      {resolve.isError && <Refused error={resolve.error} />}
      <p className="text-xs text-ink-faint">
        Anyone whose API key has the scope approvals:write may answer; the first answer counts.
      </p>
    </div>
  );
}

interface AnswerProps {
  approval: Approval;
  feedback: string;
  onFeedback: (feedback: string) => void;
  /** The answer that is under way. */
  under: Verdict["action"] | null;
  onAnswer: (verdict: Verdict) => void;
  onEdit: () => void;
}

function AnswerForm({ approval, feedback, onFeedback, under, onAnswer, onEdit }: AnswerProps) {
  const [missing, setMissing] = useState(false);
  const [rejecting, setRejecting] = useState(false);
  const box = useRef<HTMLTextAreaElement>(null);
  const agent = approval.agent ?? "the agent";
  const sendBack = () => {
    setMissing(feedback.trim() === "");
    if (feedback.trim() === "") box.current?.focus();
    else onAnswer({ action: "revise" });
  };
  return (
    <>
      <Field
        label={`Feedback for ${agent}`}
        hint="Needed to send it back; the agent then tries again and you are asked again."
        className="max-w-3xl"
        error={missing && feedback.trim() === "" && "Say what should change."}
      >
        <Textarea
          ref={box}
          value={feedback}
          maxLength={100_000}
          className="field-sizing-content max-h-60 min-h-16"
          onChange={(event) => onFeedback(event.target.value)}
        />
      </Field>
      <div className="flex flex-wrap gap-2">
        <Button
          variant="primary"
          busy={under === "approve"}
          disabled={under !== null}
          onClick={() => onAnswer({ action: "approve" })}
        >
          <Check aria-hidden />
          Approve
        </Button>
        <Button busy={under === "revise"} disabled={under !== null} onClick={sendBack}>
          <Undo2 aria-hidden />
          Send back
        </Button>
        <Button disabled={under !== null} onClick={onEdit}>
          <Pencil aria-hidden />
          Edit and approve…
        </Button>
        <Button
          variant="danger"
          className="sm:ml-auto"
          busy={under === "reject"}
          disabled={under !== null}
          onClick={() => setRejecting(true)}
        >
          <X aria-hidden />
          Reject…
        </Button>
      </div>
      <ConfirmDialog
        open={rejecting}
        onOpenChange={setRejecting}
        title={`Reject the output of ${approval.taskKey}?`}
        description="The run fails here. Your feedback, if you wrote any, is kept as the reason. The run can be resumed later; you are then asked again."
        action="Reject"
        onConfirm={() => {
          setRejecting(false);
          onAnswer({ action: "reject" });
        }}
      />
    </>
  );
}

interface EditProps {
  approval: Approval;
  busy: boolean;
  onAnswer: (verdict: Verdict) => void;
  onCancel: () => void;
}

/** The output in the person's own version. */
function EditForm({ approval, busy, onAnswer, onCancel }: EditProps) {
  const [text, setText] = useDraft(editedDraft(approval));
  return (
    <>
      <Field label="The output to take instead" hint="The run goes on with this text.">
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
          Approve this text
        </Button>
        <Button disabled={busy} onClick={onCancel}>
          Back to the agent&apos;s text
        </Button>
      </div>
    </>
  );
}

function Refused({ error }: { error: unknown }) {
  const { title, detail } = refusal(error);
  return (
    <Alert tone="err" title={title}>
      {detail}
    </Alert>
  );
}
