import { useFormContext } from "react-hook-form";

import { Checkbox } from "@/components/ui/checkbox";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import type { Connection } from "@/lib/api/types";

import { CONNECTION_KINDS, type ConnectionKind } from "./connection-kinds";
import type { ConnectionValues } from "./connection-values";
import { HttpFields } from "./http-fields";
import { ServerFields } from "./server-fields";

interface Props {
  kind: ConnectionKind;
  connection?: Connection;
}

/** The fields of a connection. The secret comes first: for most services it is all that is needed. */
export function ConnectionFields({ kind, connection }: Props) {
  const { register, formState, watch } = useFormContext<ConnectionValues>();
  const details = CONNECTION_KINDS[kind];
  const auth = watch("auth");
  const { errors } = formState;
  const secret = kind === "http" ? (auth === "none" ? null : SECRET_LABELS[auth]) : details.secret;
  return (
    <>
      {details.address === "required" && (
        <Field label="Address" required error={errors.baseUrl?.message}>
          <Input
            placeholder={ADDRESS_EXAMPLES[kind]}
            {...register("baseUrl", { required: "Enter the address." })}
          />
        </Field>
      )}
      {kind === "http" && <HttpFields />}
      {(kind === "postgresql" || kind === "smtp") && <ServerFields kind={kind} />}
      {secret && <SecretField {...{ kind, connection }} label={secret} />}
      <Field label="Name" required error={errors.name?.message}>
        <Input {...register("name", { required: "Enter a name." })} />
      </Field>
      {details.address === "default" && (
        <Field
          label="Address"
          hint="Only if you use a proxy; by default that of the service."
          error={errors.baseUrl?.message}
        >
          <Input {...register("baseUrl")} />
        </Field>
      )}
      {details.purpose === "search" && (
        <Checkbox label="Use this one for web search" {...register("isDefault")} />
      )}
    </>
  );
}

const SECRET_LABELS = {
  bearer: "Token",
  header: "Value of the header",
  basic: "Password",
  oauth: "Client secret",
};
const ADDRESS_EXAMPLES: Partial<Record<ConnectionKind, string>> = {
  searxng: "https://search.example.org",
  http: "https://api.example.org/v1",
  postgresql: "postgresql://db.example.org:5432/shop",
  smtp: "smtp://mail.example.org:587",
};

function SecretField({ kind, connection, label }: Props & { label: string }) {
  const { register, formState } = useFormContext<ConnectionValues>();
  const { keyPage, title, isSecretRequired } = CONNECTION_KINDS[kind];
  const stored = connection?.hasSecret ?? false;
  const required = (isSecretRequired || kind === "http") && !stored;
  return (
    <Field
      label={label}
      required={required}
      error={formState.errors.secret?.message}
      hint={
        <>
          {stored
            ? "Leave empty to keep the stored one. "
            : "Stored encrypted, never shown again. "}
          {keyPage && (
            <a
              href={keyPage}
              target="_blank"
              rel="noopener noreferrer"
              className="text-accent underline underline-offset-2"
            >
              Get a key from {title}
              <span className="sr-only"> (opens a new tab)</span>
            </a>
          )}
        </>
      }
    >
      <Input
        type="password"
        autoComplete="off"
        spellCheck={false}
        data-1p-ignore
        data-lpignore="true"
        className="font-mono"
        {...register("secret", required ? { required: "This is needed." } : {})}
      />
    </Field>
  );
}
