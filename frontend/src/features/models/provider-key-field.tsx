import type { ReactNode } from "react";
import { useFormContext, useWatch } from "react-hook-form";

import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import type { Provider } from "@/lib/api/types";

import { KeyHint } from "./key-hint";
import { needsKey, PROVIDER_KINDS } from "./provider-types";
import type { KeyAction, ProviderValues } from "./provider-values";

/** The API key: a stored key is only known by its last characters. */
export function ProviderKeyField({
  provider,
  onSwitch,
}: {
  provider?: Provider;
  onSwitch: () => void;
}) {
  const form = useFormContext<ProviderValues>();
  const keyAction = useWatch({ control: form.control, name: "keyAction" });
  const switchTo = (next: KeyAction) => {
    // Input for one action must not be sent with another.
    for (const field of ["apiKey", "accessKeyId", "secretAccessKey", "sessionToken"] as const) {
      form.resetField(field, { defaultValue: "" });
    }
    form.setValue("keyAction", next, { shouldDirty: true });
    onSwitch();
  };
  if (!provider?.hasApiKey) return <KeyInputs creating={!provider} />;
  if (keyAction !== "replace") {
    return (
      <StoredKey hint={provider.apiKeyHint} removed={keyAction === "remove"} onSwitch={switchTo} />
    );
  }
  return (
    <div className="grid gap-1">
      <KeyInputs creating={false} />
      <Button
        variant="link"
        size="inline"
        className="justify-self-start"
        onClick={() => switchTo("keep")}
      >
        Keep the stored key
      </Button>
    </div>
  );
}

interface StoredKeyProps {
  hint: string | null;
  removed: boolean;
  onSwitch: (next: KeyAction) => void;
}

function StoredKey({ hint, removed, onSwitch }: StoredKeyProps) {
  return (
    <div role="group" aria-label="API key" className="grid gap-1">
      <p className="font-medium">API key</p>
      <div className="flex flex-wrap items-center gap-2">
        <p className="mr-auto min-w-0 max-sm:basis-full">
          {removed ? (
            <span className="text-warn">Will be removed when you save</span>
          ) : (
            <>Stored, encrypted{hint && <KeyHint hint={hint} />}</>
          )}
        </p>
        {removed ? (
          <Button size="sm" onClick={() => onSwitch("keep")}>
            Keep the stored key
          </Button>
        ) : (
          <>
            <Button size="sm" onClick={() => onSwitch("replace")}>
              Replace key
            </Button>
            <Button size="sm" onClick={() => onSwitch("remove")}>
              Remove key
            </Button>
          </>
        )}
      </div>
    </div>
  );
}

function KeyInputs({ creating }: { creating: boolean }) {
  const { control } = useFormContext<ProviderValues>();
  const type = useWatch({ control, name: "type" });
  const baseUrl = useWatch({ control, name: "baseUrl" });
  const required = creating && needsKey(type, baseUrl);
  if (type === "bedrock") return <BedrockKeyInputs required={required} />;
  return (
    <SecretField
      name="apiKey"
      label="API key"
      required={required}
      hint={
        <>
          {required ? "" : "Leave empty if the server needs none. "}
          <KeyPageLink type={type} />
        </>
      }
    />
  );
}

function BedrockKeyInputs({ required }: { required: boolean }) {
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <SecretField
        name="accessKeyId"
        label="Access key ID"
        required={required}
        hint={<KeyPageLink type="bedrock" />}
      />
      <SecretField name="secretAccessKey" label="Secret access key" required={required} />
      <SecretField
        name="sessionToken"
        label="Session token"
        hint="Only for temporary credentials."
        className="sm:col-span-2"
      />
    </div>
  );
}

interface SecretFieldProps {
  name: "apiKey" | "accessKeyId" | "secretAccessKey" | "sessionToken";
  label: string;
  required?: boolean;
  hint?: ReactNode;
  className?: string;
}

function SecretField({ name, label, required, hint, className }: SecretFieldProps) {
  const { register, formState } = useFormContext<ProviderValues>();
  return (
    <Field
      label={label}
      required={required}
      hint={hint}
      className={className}
      error={formState.errors[name]?.message}
    >
      <Input
        type="password"
        autoComplete="off"
        spellCheck={false}
        data-1p-ignore
        data-lpignore="true"
        className="font-mono"
        {...register(name)}
      />
    </Field>
  );
}

function KeyPageLink({ type }: { type: ProviderValues["type"] }) {
  const { keyPage, title } = PROVIDER_KINDS[type];
  return (
    <>
      Stored encrypted and never shown again.
      {keyPage && (
        <>
          {" "}
          <a
            href={keyPage}
            target="_blank"
            rel="noopener noreferrer"
            className="text-accent underline underline-offset-2"
          >
            Get a key from {title}
            <span className="sr-only"> (opens a new tab)</span>
          </a>
        </>
      )}
    </>
  );
}
