import { RotateCw } from "lucide-react";

import { describeError } from "@/lib/api/problem";

import { Alert } from "./ui/alert";
import { Button } from "./ui/button";
import { CopyButton } from "./ui/copy-button";

interface Props {
  error: unknown;
  /** Tries again; without it the panel only tells. */
  onRetry?: () => void;
  className?: string;
}

/** An error in the place of what could not be shown; the rest of the page lives. */
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
          <CopyButton text={requestId} label="Copy the request id" />
        </p>
      )}
    </Alert>
  );
}
