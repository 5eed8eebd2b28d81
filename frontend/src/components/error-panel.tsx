import { RotateCw } from "lucide-react";

import { describeError } from "@/lib/api/problem";

import { Alert } from "./ui/alert";
import { Button } from "./ui/button";
import { CopyButton } from "./ui/copy-button";

interface Props {
  error: unknown;
  /** Shows a button to try again. */
  onRetry?: () => void;
  className?: string;
}

/** Shows an error in place of the content that could not be loaded. */
export function ErrorPanel({ error, onRetry, className }: Props) {
  const { title, detail, requestId } = describeError(error);
  return (
    <Alert
      tone="err"
      title={title}
      className={className}
      actions={
        onRetry && (
          <Button size="sm" onClick={onRetry}>
            <RotateCw aria-hidden />
            Try again
          </Button>
        )
      }
    >
      {detail && detail !== title && <p>{detail}</p>}
      {requestId && (
        <p className="mt-1 flex items-center gap-1 text-xs">
          Request <code className="font-mono">{requestId}</code>
          <CopyButton text={requestId} label="Copy request ID" />
        </p>
      )}
    </Alert>
  );
}
