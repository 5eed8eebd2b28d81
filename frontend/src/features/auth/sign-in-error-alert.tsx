import { Alert } from "@/components/ui/alert";
import { useNow } from "@/hooks/use-now";

import type { SignInError } from "./sign-in-error";

/** Shows sign-in errors other than an invalid key. */
export function SignInErrorAlert({
  error,
}: {
  error: Exclude<SignInError, { kind: "invalid-key" }>;
}) {
  if (error.kind === "too-many-attempts") return <TooManyAttempts until={error.until} />;
  return (
    <Alert tone="err" title={error.title}>
      {error.detail && <p>{error.detail}</p>}
      {error.requestId && (
        <p className="mt-1 text-xs">
          Request <code className="font-mono">{error.requestId}</code>
        </p>
      )}
    </Alert>
  );
}

function TooManyAttempts({ until }: { until: number }) {
  const seconds = Math.ceil((until - useNow(1000)) / 1000);
  return (
    <Alert tone="warn" title="Too many failed attempts">
      {seconds > 0 ? (
        // Not live: a screen reader would announce every second.
        <p aria-live="off">Try again in {seconds} s.</p>
      ) : (
        <p>You can try again now.</p>
      )}
    </Alert>
  );
}
