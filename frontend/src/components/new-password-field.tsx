import type { UseFormRegisterReturn } from "react-hook-form";

import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { NEW_PASSWORD_HINT } from "@/lib/new-password";

interface Props {
  label: string;
  /** What `register("password", newPasswordRules)` returns. */
  registration: UseFormRegisterReturn;
  error: string | undefined;
  className?: string;
}

/** The field for a password that someone chooses. */
export function NewPasswordField({ label, registration, error, className }: Props) {
  return (
    <Field label={label} hint={NEW_PASSWORD_HINT} error={error}>
      <Input type="password" autoComplete="new-password" className={className} {...registration} />
    </Field>
  );
}
