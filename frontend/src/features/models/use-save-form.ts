import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { FieldValues, Path, UseFormReturn } from "react-hook-form";

import { isVersionConflict, showFieldErrors } from "./show-field-errors";
import { refreshCatalog } from "./provider-requests";

interface Options<V extends FieldValues, T> {
  form: UseFormReturn<V>;
  /** The entity when the form was opened; undefined for a new one. */
  initial: T | undefined;
  send: (values: V, base: T | undefined) => Promise<T>;
  load: (base: T) => Promise<T>;
  toValues: (entity: T) => V;
  /** Labels of the fields that differ between two versions. */
  changedFields: (before: T, after: T) => string[];
  /** Maps a JSON pointer without its envelope to a field. */
  fieldOf: (pointer: string) => Path<V> | undefined;
  onSaved: (saved: T) => void;
}

/** Saves a form against the version it was opened with and shows errors at their fields. */
export function useSaveForm<V extends FieldValues, T>(options: Options<V, T>) {
  const { form, initial } = options;
  const client = useQueryClient();
  // The version this form is based on; a refetched list may already contain a newer one.
  const [base, setBase] = useState(initial);
  const [placed, setPlaced] = useState(false);
  const [loaded, setLoaded] = useState<string[] | null>(null);

  // Values are read from the form: mutation variables would stay in the cache.
  const saving = useMutation({
    mutationFn: () => options.send(form.getValues(), base),
    gcTime: 0,
    onMutate: () => setLoaded(null),
    onSuccess: async (saved) => {
      await refreshCatalog(client);
      options.onSaved(saved);
    },
    onError: (error) => setPlaced(showFieldErrors(error, form.setError, options.fieldOf)),
  });

  const loading = useMutation({
    mutationFn: (seen: T) => options.load(seen),
    onSuccess: (fresh, seen) => {
      form.reset(options.toValues(fresh), { keepDirtyValues: true });
      setBase(fresh);
      setLoaded(options.changedFields(seen, fresh));
      saving.reset();
    },
  });

  const stale = isVersionConflict(saving.error);
  return {
    submit: form.handleSubmit(() => saving.mutate()),
    busy: saving.isPending,
    /** An error that belongs to no field. */
    error: loading.error ?? (stale || placed ? null : saving.error),
    stale: stale || loaded !== null,
    loaded,
    loading: loading.isPending,
    loadNewest: () => base !== undefined && loading.mutate(base),
  };
}
