import { Field } from "@/components/ui/field";
import { Input, Select } from "@/components/ui/input";
import type { McpServer } from "@/lib/api/types";

import type { ServerValues } from "./server-requests";

interface Props {
  /** The server that is edited. */
  server: McpServer | undefined;
  values: ServerValues;
  errors: Record<string, string>;
  onChange: (changed: Partial<ServerValues>) => void;
}

/** How the server knows this one. */
export function CredentialFields({ server, values, errors, onChange }: Props) {
  return (
    <>
      <Field label="Authentication">
        <Select
          value={values.auth}
          onChange={(event) => onChange({ auth: event.target.value as ServerValues["auth"] })}
        >
          <option value="none">None</option>
          <option value="bearer">Bearer token</option>
          <option value="header">A header</option>
          <option value="oauth">OAuth: authorize in the browser</option>
        </Select>
      </Field>
      {values.auth === "header" && (
        <Field label="Name of the header" error={errors.headerName} required>
          <Input
            required
            maxLength={100}
            placeholder="X-API-Key"
            value={values.headerName}
            onChange={(event) => onChange({ headerName: event.target.value })}
          />
        </Field>
      )}
      {values.auth === "oauth" ? (
        <ClientFields values={values} errors={errors} onChange={onChange} />
      ) : (
        values.auth !== "none" && (
          <SecretField
            label={values.auth === "bearer" ? "Token" : "Value of the header"}
            isKept={Boolean(server?.hasCredential) && server?.auth === values.auth}
            error={errors.credential}
            value={values.credential}
            onChange={(credential) => onChange({ credential })}
          />
        )
      )}
    </>
  );
}

function ClientFields({ values, errors, onChange }: Omit<Props, "server">) {
  return (
    <>
      <Field
        label="Client ID"
        hint="Only if the service gave you one. Otherwise leave it empty: this server registers itself."
        error={errors.oauthClientId}
      >
        <Input
          autoComplete="off"
          maxLength={2000}
          value={values.oauthClientId}
          onChange={(event) => onChange({ oauthClientId: event.target.value })}
        />
      </Field>
      {values.oauthClientId && (
        <SecretField
          label="Client secret"
          isKept
          error={errors.oauthClientSecret}
          value={values.oauthClientSecret}
          onChange={(oauthClientSecret) => onChange({ oauthClientSecret })}
        />
      )}
    </>
  );
}

interface SecretProps {
  label: string;
  /** Whether it may stay empty. */
  isKept: boolean;
  error: string | undefined;
  value: string;
  onChange: (value: string) => void;
}

function SecretField({ label, isKept, error, value, onChange }: SecretProps) {
  return (
    <Field
      label={label}
      hint={isKept ? "Leave empty to keep what is stored." : "Stored encrypted, never shown again."}
      error={error}
      required={!isKept}
    >
      <Input
        required={!isKept}
        type="password"
        autoComplete="off"
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </Field>
  );
}
