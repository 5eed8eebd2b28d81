import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useFormState, useWatch, type Path, type UseFormReturn } from "react-hook-form";

import type { Provider } from "@/lib/api/types";

import { showFieldErrors } from "./show-field-errors";
import {
  storeConnectionTest,
  testProvider,
  testProviderValues,
  type ConnectionTest,
} from "./provider-requests";
import { createProviderRequest, type ProviderValues } from "./provider-values";

const CONNECTION = ["baseUrl", "region", "apiVersion", "models", "keyAction"] as const;

/** Tests the connection with the form's values; an unchanged stored provider uses its stored key. */
export function useConnectionTest(
  form: UseFormReturn<ProviderValues>,
  provider: Provider | undefined,
  fieldOf: (pointer: string) => Path<ProviderValues> | undefined,
) {
  const client = useQueryClient();
  const [placed, setPlaced] = useState(false);
  const { dirtyFields } = useFormState({ control: form.control });
  const changed = CONNECTION.some((field) => dirtyFields[field]);

  // The key is read from the form: mutation variables would stay in the cache.
  const test = useMutation<ConnectionTest>({
    mutationFn: () =>
      provider && !changed
        ? testProvider(provider.id)
        : testProviderValues(createProviderRequest(form.getValues())),
    gcTime: 0,
    onSuccess: (tested) => {
      if (provider && !changed) storeConnectionTest(client, provider.id, tested);
    },
    onError: (error) => setPlaced(showFieldErrors(error, form.setError, fieldOf)),
  });

  const keyAction = useWatch({ control: form.control, name: "keyAction" });
  return {
    run: form.handleSubmit(() => test.mutate()),
    /** Clears the result after a change. */
    reset: () => test.reset(),
    running: test.isPending,
    tested: test.data ?? null,
    error: placed ? null : test.error,
    /** Why the test is disabled: the stored key is only sent to its own endpoint. */
    blocked:
      provider && changed && keyAction === "keep"
        ? "To test this change, save it first or replace the key."
        : null,
  };
}
