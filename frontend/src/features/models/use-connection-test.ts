import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useFormState, useWatch, type Path, type UseFormReturn } from "react-hook-form";

import type { Provider } from "@/lib/api/types";

import { placeProblem } from "./form-problems";
import { rememberTest, testSaved, testUnsaved, type Tested } from "./provider-requests";
import { createRequest, type ProviderValues } from "./provider-values";

const CONNECTION = ["baseUrl", "region", "apiVersion", "models", "keyAction"] as const;

/** Tries what the form holds; an untouched stored provider is tried with its stored key. */
export function useConnectionTest(
  form: UseFormReturn<ProviderValues>,
  provider: Provider | undefined,
  fieldOf: (pointer: string) => Path<ProviderValues> | undefined,
) {
  const client = useQueryClient();
  const [placed, setPlaced] = useState(false);
  const { dirtyFields } = useFormState({ control: form.control });
  const changed = CONNECTION.some((field) => dirtyFields[field]);

  // The key is read from the form, never passed: a mutation's variables outlive it in the cache.
  const test = useMutation<Tested>({
    mutationFn: () =>
      provider && !changed ? testSaved(provider.id) : testUnsaved(createRequest(form.getValues())),
    gcTime: 0,
    onSuccess: (tested) => {
      if (provider && !changed) rememberTest(client, provider.id, tested);
    },
    onError: (error) => setPlaced(placeProblem(error, form.setError, fieldOf)),
  });

  const keyAction = useWatch({ control: form.control, name: "keyAction" });
  return {
    run: form.handleSubmit(() => test.mutate()),
    /** What was typed since is no longer what was tried. */
    forget: () => test.reset(),
    running: test.isPending,
    tested: test.data ?? null,
    error: placed ? null : test.error,
    /** Why it cannot be tried: the stored key goes to no address but its own. */
    blocked:
      provider && changed && keyAction === "keep"
        ? "To test this change, save it first or replace the key."
        : null,
  };
}
