import { Eye, EyeOff } from "lucide-react";
import { useState, type ComponentProps } from "react";
import { useForm } from "react-hook-form";

import { Button } from "@/components/ui/button";
import { Checkbox } from "@/components/ui/checkbox";
import { Field } from "@/components/ui/field";
import { IconButton } from "@/components/ui/icon-button";
import { Input } from "@/components/ui/input";
import { session } from "@/lib/api/session";

import { toSignInError, type SignInError } from "./sign-in-error";
import { SignInErrorAlert } from "./sign-in-error-alert";
import { isValidKeyFormat, startSession } from "./start-session";

interface Values {
  key: string;
  remember: boolean;
}

interface Props {
  /** Label of the submit button. */
  action: string;
  onSignedIn?: () => void;
}

const INVALID_KEY = "Invalid API key. Check that you copied all of it.";

/** Signs in with an API key. */
export function ApiKeyForm({ action, onSignedIn }: Props) {
  const [signInError, setSignInError] = useState<SignInError | null>(null);
  const { register, handleSubmit, formState, setError, setFocus } = useForm<Values>({
    defaultValues: { key: "", remember: session.isRemembered },
    reValidateMode: "onSubmit",
  });

  const signIn = async ({ key, remember }: Values) => {
    setSignInError(null);
    try {
      session.signIn(await startSession(key.trim(), remember));
    } catch (error) {
      const next = toSignInError(error);
      setSignInError(next);
      if (next.kind !== "invalid-key") return;
      setError("key", { message: INVALID_KEY });
      return setFocus("key", { shouldSelect: true });
    }
    onSignedIn?.();
  };

  return (
    <form className="grid gap-4" noValidate onSubmit={handleSubmit(signIn)}>
      {signInError && signInError.kind !== "invalid-key" && (
        <SignInErrorAlert error={signInError} />
      )}
      <Field
        label="API key"
        error={
          formState.errors.key?.message && <span role="alert">{formState.errors.key.message}</span>
        }
      >
        <SecretInput
          autoComplete="current-password"
          {...register("key", {
            validate: (key) => {
              if (!key.trim()) return "Enter the API key.";
              return isValidKeyFormat(key.trim()) || INVALID_KEY;
            },
          })}
        />
      </Field>
      <Checkbox
        label="Remember on this device"
        hint="For 30 days. Otherwise you are signed out when the browser is closed."
        {...register("remember")}
      />
      <Button type="submit" variant="primary" size="lg" busy={formState.isSubmitting}>
        {action}
      </Button>
    </form>
  );
}

/** A password field with a button to show the value. */
function SecretInput(props: ComponentProps<"input">) {
  const [shown, setShown] = useState(false);
  return (
    <div className="relative">
      <Input
        {...props}
        type={shown ? "text" : "password"}
        spellCheck={false}
        autoCapitalize="none"
        className="h-10 pr-11 font-mono"
      />
      <IconButton
        label={shown ? "Hide the key" : "Show the key"}
        className="absolute top-1 right-1 max-sm:top-0 max-sm:right-0"
        onClick={() => setShown(!shown)}
      >
        {shown ? <EyeOff aria-hidden /> : <Eye aria-hidden />}
      </IconButton>
    </div>
  );
}
