import { useFormContext } from "react-hook-form";

import { Field } from "@/components/ui/field";
import { Input, Select, Textarea } from "@/components/ui/input";

import type { ConnectionValues } from "./connection-values";

/** User and encryption of a database or mail server, and who may receive emails. */
export function ServerFields({ kind }: { kind: "postgresql" | "smtp" }) {
  const { register, formState } = useFormContext<ConnectionValues>();
  const { errors } = formState;
  const isDatabase = kind === "postgresql";
  return (
    <>
      <Field
        label="User"
        required={isDatabase}
        hint={
          isDatabase ? "Use one with no right but to read the tables that agents need." : undefined
        }
        error={errors.username?.message}
      >
        <Input autoComplete="off" {...register("username")} />
      </Field>
      {!isDatabase && (
        <>
          <Field label="Sender" required error={errors.sender?.message}>
            <Input placeholder="crew@example.org" {...register("sender")} />
          </Field>
          <Field
            label="Allowed recipients"
            required
            hint="Addresses, or domains such as @example.org; one per line."
            error={errors.recipients?.message}
          >
            <Textarea rows={3} {...register("recipients")} />
          </Field>
        </>
      )}
      <Field label="Encryption">
        <Select {...register("tls")}>
          <option value="verify">TLS, certificate checked</option>
          <option value="encrypt">TLS, any certificate</option>
          <option value="off">None</option>
        </Select>
      </Field>
    </>
  );
}
