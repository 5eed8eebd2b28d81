import { useFormContext } from "react-hook-form";

import { Checkbox } from "@/components/ui/checkbox";
import { Field } from "@/components/ui/field";
import { Input, Select } from "@/components/ui/input";

import { HTTP_METHODS, type ConnectionValues } from "./connection-values";

/** How requests to an HTTP host are authenticated, and which are allowed. */
export function HttpFields() {
  const { register, formState, watch } = useFormContext<ConnectionValues>();
  const auth = watch("auth");
  const { errors } = formState;
  return (
    <>
      <Field label="Authentication">
        <Select {...register("auth")}>
          <option value="bearer">Bearer token</option>
          <option value="header">Header</option>
          <option value="basic">User and password</option>
          <option value="oauth">OAuth client credentials</option>
          <option value="none">None</option>
        </Select>
      </Field>
      {auth === "header" && (
        <Field label="Header" required error={errors.header?.message}>
          <Input placeholder="X-API-Key" {...register("header")} />
        </Field>
      )}
      {(auth === "basic" || auth === "oauth") && (
        <Field
          label={auth === "oauth" ? "Client ID" : "User"}
          required
          error={errors.username?.message}
        >
          <Input autoComplete="off" {...register("username")} />
        </Field>
      )}
      {auth === "oauth" && (
        <>
          <Field label="Token URL" required error={errors.tokenUrl?.message}>
            <Input placeholder="https://issuer.example.org/token" {...register("tokenUrl")} />
          </Field>
          <Field label="Scope" error={errors.scope?.message}>
            <Input {...register("scope")} />
          </Field>
        </>
      )}
      <fieldset className="grid gap-1.5">
        <legend className="mb-1 font-medium">Allowed methods</legend>
        <div className="flex flex-wrap gap-x-4 gap-y-1.5">
          {HTTP_METHODS.map((method) => (
            <Checkbox key={method} label={method} value={method} {...register("methods")} />
          ))}
        </div>
        {errors.methods?.message && <p className="text-xs text-err">{errors.methods.message}</p>}
      </fieldset>
    </>
  );
}
