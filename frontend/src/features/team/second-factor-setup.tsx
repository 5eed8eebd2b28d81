import { useMutation } from "@tanstack/react-query";
import { QRCodeSVG } from "qrcode.react";
import { useState, type SubmitEvent } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { api, body } from "@/lib/api/client";

interface Props {
  started: { secret: string; uri: string };
  onConfirmed: (recoveryCodes: string[]) => void;
}

/** Shows the secret as a QR code and as text; a code from the app confirms it. */
export function SecondFactorSetup({ started, onConfirmed }: Props) {
  const [code, setCode] = useState("");
  const confirm = useMutation({
    mutationFn: async () =>
      body(await api.POST("/api/v1/me/second-factor/confirm", { body: { code: code.trim() } })),
    gcTime: 0,
    onSuccess: ({ recoveryCodes }) => onConfirmed(recoveryCodes),
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    confirm.mutate();
  };
  return (
    <form className="grid gap-4 p-4" onSubmit={submit}>
      <p className="text-ink-soft">
        Scan the code with an authenticator app, then enter the six digits that it shows.
      </p>
      <div className="flex flex-wrap items-center gap-4">
        {/* White around the code, also in dark mode: scanners need it. */}
        <span className="rounded-md border bg-white p-3">
          <QRCodeSVG value={started.uri} size={152} title="QR code for the authenticator app" />
        </span>
        <div className="min-w-0">
          <p className="text-ink-faint">Or enter this secret by hand:</p>
          <p className="flex items-center gap-1">
            <code className="font-mono break-all">{started.secret}</code>
            <CopyButton text={started.secret} />
          </p>
        </div>
      </div>
      {confirm.isError && <ErrorPanel error={confirm.error} />}
      <Field label="Code" className="max-w-40">
        <Input
          required
          inputMode="numeric"
          autoComplete="one-time-code"
          className="font-mono"
          value={code}
          onChange={(event) => setCode(event.target.value)}
        />
      </Field>
      <div>
        <Button type="submit" variant="primary" busy={confirm.isPending}>
          Activate
        </Button>
      </div>
    </form>
  );
}
