import { Alert } from "@/components/ui/alert";
import { useNow } from "@/hooks/use-now";

import type { SignInError } from "./sign-in-error";

/** Why nobody could be signed in, when it is not for the key. */
export function SignInErrorAlert({
  refusal,
}: {
  refusal: Exclude<SignInError, { kind: "wrong-key" }>;
}) {
  if (refusal.kind === "too-many") return <TooManyAttempts until={refusal.until} />;
  return (
    <Alert tone="err" title={refusal.title}>
      {refusal.detail && <p>{refusal.detail}</p>}
      {refusal.requestId && (
        <p className="mt-1 text-xs">
          Request <code className="font-mono">{refusal.requestId}</code>
        </p>
      )}
    </Alert>
  );
}

function TooManyAttempts({ until }: { until: number }) {
  const seconds = Math.ceil((until - useNow(1000)) / 1000);
  return (
    <Alert tone="warn" title="Too many wrong keys">
      {seconds > 0 ? (
        // The seconds go by in silence: a screen reader hears the sentence once.
        <p aria-live="off">Try again in {seconds} s.</p>
      ) : (
        <p>You can try again now.</p>
      )}
    </Alert>
  );
}
